"""The statements of the line's signing keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.store.tables import line_keys


@dataclass(frozen=True, slots=True)
class LineKeyRow:
    """A row of `line_keys`."""

    signer: bytes
    public_key: bytes
    sealed: bytes


async def add(connection: AsyncConnection, row: LineKeyRow) -> None:
    """A new key."""
    await connection.execute(line_keys.insert().values(asdict(row)))


async def all_line_keys(connection: AsyncConnection) -> Sequence[LineKeyRow]:
    """Every key, by signer."""
    statement = select(line_keys).order_by(line_keys.c.signer)
    return [LineKeyRow(**row._asdict()) for row in await connection.execute(statement)]
