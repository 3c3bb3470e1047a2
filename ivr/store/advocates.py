"""The statements of advocates: who reads reports, and her keys as she locked them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.store.tables import advocates


@dataclass(frozen=True, slots=True)
class AdvocateRow:
    """A row of `advocates`."""

    id: bytes
    name: str
    sealing_key: bytes
    signing_key: bytes
    salt: bytes
    passes: int
    memory: int
    wrapped: bytes


async def add(connection: AsyncConnection, row: AdvocateRow) -> None:
    """A new advocate. Her name must be new too."""
    await connection.execute(advocates.insert().values(asdict(row)))


async def all_advocates(connection: AsyncConnection) -> Sequence[AdvocateRow]:
    """Every advocate, by name."""
    statement = select(advocates).order_by(advocates.c.name)
    return [AdvocateRow(**row._asdict()) for row in await connection.execute(statement)]
