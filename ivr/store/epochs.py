"""The statements of epochs: a month's public keys, and its private key wrapped to each advocate."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, select

from ivr.store.tables import epoch_wraps, epochs

# Every save asks for them: made once, because making a statement costs more than running it.
_NEWEST = select(epochs).where(epochs.c.id <= bindparam("until")).order_by(epochs.c.id.desc()).limit(1)
_OLDEST = select(epochs).order_by(epochs.c.id).limit(1)


@dataclass(frozen=True, slots=True)
class EpochRow:
    """A row of `epochs`."""

    id: str
    public_key: bytes
    receipt_key: bytes


def add(connection: Connection, row: EpochRow, *, wraps: dict[bytes, bytes]) -> None:
    """A new epoch and its private key as wrapped to each advocate (by her id)."""
    connection.execute(epochs.insert().values(asdict(row)))
    for advocate_id, wrapped in wraps.items():
        connection.execute(epoch_wraps.insert().values(epoch=row.id, advocate_id=advocate_id, wrapped=wrapped))


def all_epochs(connection: Connection) -> Sequence[EpochRow]:
    """Every epoch, the oldest first."""
    return [EpochRow(**row._asdict()) for row in connection.execute(select(epochs).order_by(epochs.c.id))]


def taking(connection: Connection, month: str) -> EpochRow | None:
    """This month's epoch, else the newest before it, else the oldest of all; None if there is none."""
    row = connection.execute(_NEWEST, {"until": month}).first() or connection.execute(_OLDEST).first()
    return None if row is None else EpochRow(**row._asdict())


def wraps_for(connection: Connection, advocate_id: bytes) -> dict[str, bytes]:
    """Each epoch that this advocate may open -> its private key, wrapped to her."""
    statement = select(epoch_wraps.c.epoch, epoch_wraps.c.wrapped).where(epoch_wraps.c.advocate_id == advocate_id)
    return {row.epoch: row.wrapped for row in connection.execute(statement)}
