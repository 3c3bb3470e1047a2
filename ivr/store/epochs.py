"""The statements of epochs: a month's public keys, and its private key wrapped to each who may read it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from ivr.store.tables import epoch_wraps, epochs

# Every save asks, and every look-up: made once, because making a statement costs more than running it.
_SAME = (
    select(epochs.c.id)
    .where(epochs.c.id == bindparam("of"), epochs.c.public_key == bindparam("key"))
    .with_for_update(read=True)
)
_ALL = select(epochs).order_by(epochs.c.id)


@dataclass(frozen=True, slots=True)
class EpochRow:
    """A row of `epochs`."""

    id: str
    public_key: bytes
    receipt_key: bytes
    certificate: bytes


def add(connection: Connection, row: EpochRow, *, wraps: Mapping[bytes, bytes]) -> None:
    """A new epoch and its private key as wrapped to each holder (by id), in the place of any that somebody wrote there
    before it existed."""
    connection.execute(delete(epoch_wraps).where(epoch_wraps.c.epoch == row.id))
    connection.execute(epochs.insert().values(asdict(row)))
    for holder, wrapped in wraps.items():
        connection.execute(epoch_wraps.insert().values(epoch=row.id, holder=holder, wrapped=wrapped))


def remove(connection: Connection, epoch: str) -> None:
    """An epoch with all its keys: nobody can ever read what was sealed to it."""
    connection.execute(delete(epochs).where(epochs.c.id == epoch))


def all_epochs(connection: Connection) -> Sequence[EpochRow]:
    """Every epoch, the oldest first."""
    return [EpochRow(**row._asdict()) for row in connection.execute(_ALL)]


def exists(connection: Connection, epoch: str, public_key: bytes) -> bool:
    """Whether this is still the epoch; it stays for the length of this transaction."""
    return connection.execute(_SAME, {"of": epoch, "key": public_key}).first() is not None


def set_receipt_key(connection: Connection, epoch: str, receipt_key: bytes) -> None:
    """The same K_receipt, wrapped to another line's keys."""
    connection.execute(update(epochs).where(epochs.c.id == epoch).values(receipt_key=receipt_key))


def give(connection: Connection, holder: bytes, wraps: Mapping[str, bytes]) -> None:
    """Let a holder open epochs (YYYY-MM -> wrapped)."""
    for epoch, wrapped in wraps.items():
        connection.execute(epoch_wraps.insert().values(epoch=epoch, holder=holder, wrapped=wrapped))


def take_away(connection: Connection, holder: bytes) -> None:
    """Every epoch that a holder could open."""
    connection.execute(delete(epoch_wraps).where(epoch_wraps.c.holder == holder))


def wraps_for(connection: Connection, holder: bytes) -> dict[str, bytes]:
    """Each epoch that this holder may open -> its private key, wrapped to her."""
    statement = select(epoch_wraps.c.epoch, epoch_wraps.c.wrapped).where(epoch_wraps.c.holder == holder)
    return {row.epoch: row.wrapped for row in connection.execute(statement)}
