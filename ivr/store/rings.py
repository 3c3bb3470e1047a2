"""What rang, of the live rows: counted for the limits of a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, text

from ivr.store.live import offers, transfers

_DECIDING = 0x52696E67  # "Ring": the name of an advisory lock


@dataclass(frozen=True, slots=True)
class RingRow:
    """One ringing of one phone. `caller` and `transfer`: for whom; `engaged`: not None while it rings, or its owner
    talks; `rung_at`: None if another version of this program rang it."""

    caller: bytes
    transfer: bytes
    person: bytes
    engaged: bytes | None
    state: str
    rung_at: int | None


def rings(connection: Connection, *, since: int) -> Sequence[RingRow]:
    """Every ringing since that moment, and whoever is engaged since earlier."""
    columns = (transfers.c.caller, *(offers.c[name] for name in ("transfer", "person", "engaged", "state", "rung_at")))
    counts = or_(offers.c.engaged.is_not(None), offers.c.rung_at > since)
    statement = select(*columns).join(transfers, transfers.c.id == offers.c.transfer).where(counts)
    return [RingRow(**row._asdict()) for row in connection.execute(statement)]


def one_at_a_time(connection: Connection) -> None:
    """Nobody else who decides whom to ring does so until this transaction ends: limits of a line count what others have
    just decided. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DECIDING})
