"""The statements of advocates: who reads reports, and her keys as she locked them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select, update

from ivr.store.tables import advocates


@dataclass(frozen=True, slots=True)
class AdvocateRow:
    """A row of `advocates`."""

    id: bytes
    name: str
    role: str
    sealing_key: bytes
    signing_key: bytes
    certificate: bytes
    salt: bytes
    passes: int
    memory: int
    wrapped: bytes


def add(connection: Connection, row: AdvocateRow) -> None:
    """A new advocate. Her name must be new too."""
    connection.execute(advocates.insert().values(asdict(row)))


def replace(connection: Connection, row: AdvocateRow) -> None:
    """The same advocate, with what has changed of her."""
    connection.execute(update(advocates).where(advocates.c.id == row.id).values(asdict(row)))


def remove(connection: Connection, advocate_id: bytes) -> None:
    """An advocate, and her locked keys."""
    connection.execute(delete(advocates).where(advocates.c.id == advocate_id))


def all_advocates(connection: Connection) -> Sequence[AdvocateRow]:
    """Every advocate, by name."""
    statement = select(advocates).order_by(advocates.c.name)
    return [AdvocateRow(**row._asdict()) for row in connection.execute(statement)]
