"""The statements of advocates: who reads reports, and her keys as she locked them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

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


def add(connection: Connection, row: AdvocateRow) -> None:
    """A new advocate. Her name must be new too."""
    connection.execute(advocates.insert().values(asdict(row)))


def all_advocates(connection: Connection) -> Sequence[AdvocateRow]:
    """Every advocate, by name."""
    statement = select(advocates).order_by(advocates.c.name)
    return [AdvocateRow(**row._asdict()) for row in connection.execute(statement)]
