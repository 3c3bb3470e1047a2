"""The statements of the organisation: its private key, wrapped to whoever may act for it, and the recovery key."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select

from ivr.store.tables import epoch_wraps, organisation_wraps, recovery_keys


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """A row of `recovery_keys`."""

    id: bytes
    public_key: bytes
    certificate: bytes


def give(connection: Connection, holder: bytes, wrapped: bytes) -> None:
    """Let a holder act for the organisation."""
    connection.execute(organisation_wraps.insert().values(holder=holder, wrapped=wrapped))


def take_away(connection: Connection, holder: bytes) -> None:
    """Whatever a holder could do for the organisation."""
    connection.execute(delete(organisation_wraps).where(organisation_wraps.c.holder == holder))


def wrap_for(connection: Connection, holder: bytes) -> bytes | None:
    """The organisation's private key, wrapped to this holder; None if she does not hold it."""
    return connection.execute(
        select(organisation_wraps.c.wrapped).where(organisation_wraps.c.holder == holder)
    ).scalar()


def has_wraps(connection: Connection) -> bool:
    """Whether anybody holds it, or any month."""
    every = (organisation_wraps, epoch_wraps)
    return any(connection.execute(select(table.c.holder).limit(1)).first() is not None for table in every)


def add_recovery(connection: Connection, row: RecoveryRow) -> None:
    """The recovery key of newly printed shares."""
    connection.execute(recovery_keys.insert().values(asdict(row)))


def remove_recovery(connection: Connection, key_id: bytes) -> None:
    """A recovery key whose shares are void."""
    connection.execute(delete(recovery_keys).where(recovery_keys.c.id == key_id))


def recoveries(connection: Connection) -> Sequence[RecoveryRow]:
    """The recovery key: one, or none."""
    statement = select(recovery_keys).order_by(recovery_keys.c.id)
    return [RecoveryRow(**row._asdict()) for row in connection.execute(statement)]
