"""What live rows know of callers who have hung up, and of rooms in which somebody may be left alone."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from ivr.store.live import TransferRow, transfers


def hung_up(connection: Connection, caller: bytes, *, at: int) -> None:
    """Write on every transfer of a call, whatever became of it, that the caller has hung up."""
    where = (transfers.c.caller == caller, transfers.c.hung_up_at.is_(None))
    connection.execute(update(transfers).where(*where).values(hung_up_at=at))


def has_hung_up(connection: Connection, callers: Sequence[bytes]) -> bool:
    """Whether the caller of one of these calls is known to have hung up. A caller without a transfer is not known."""
    where = (transfers.c.caller.in_(callers), transfers.c.hung_up_at.is_not(None))
    return connection.execute(select(transfers.c.id).where(*where).limit(1)).first() is not None


def not_emptied(connection: Connection) -> Sequence[TransferRow]:
    """The transfers that are over, were taken, and in whose rooms somebody may still be."""
    where = (transfers.c.state == "over", transfers.c.taken_by.is_not(None), transfers.c.emptied_at.is_(None))
    return [TransferRow(**row._asdict()) for row in connection.execute(select(transfers).where(*where))]
