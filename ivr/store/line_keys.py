"""The statements of the line's signing keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from ivr.store.tables import line_keys


@dataclass(frozen=True, slots=True)
class LineKeyRow:
    """A row of `line_keys`."""

    signer: bytes
    public_key: bytes
    sealed: bytes


def add(connection: Connection, row: LineKeyRow) -> None:
    """A new key."""
    connection.execute(line_keys.insert().values(asdict(row)))


def all_line_keys(connection: Connection) -> Sequence[LineKeyRow]:
    """Every key, by signer."""
    statement = select(line_keys).order_by(line_keys.c.signer)
    return [LineKeyRow(**row._asdict()) for row in connection.execute(statement)]
