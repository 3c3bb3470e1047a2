"""Whether the line can take calls, texts and reports now. A chore looks, every few seconds; whoever asks is told the
last result with its age, so that asking costs nothing, however often.

Nothing here tells of a caller. What could (the phone company's interface is only asked when somebody calls) and what is
nobody's business (whether somebody is on call) stand among the warnings, which only the operator reads."""

import os
from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, Table, delete, false

from ivr.carrier.breaker import Breaker
from ivr.kit.clock import Clock
from ivr.services.reports import Reports
from ivr.services.rota import LiveRota
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import transfers
from ivr.store.tables import facts
from ivr.vault.keyring import AnyKeyRing, KeysUnavailable

log = structlog.get_logger()

LOOKS_EVERY = timedelta(seconds=10)
STALE_AFTER = timedelta(seconds=40)
"""A result that old says that nobody looks any more: a look hangs, or the process does."""

KIB, MIB = 1024, 1024 * 1024
RUN_ROOM, RUN_RESERVE = 128 * KIB, MIB
"""Bytes free in the run folder: below the first the line is not ready, below the second it is warned of."""
DATA_ROOM, DATA_RESERVE = 4 * MIB, 256 * MIB
"""The same of the data folder."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the last look found, each True where all is well. `checks`: without any of these calls or reports are lost;
    `warnings`: somebody should see to it."""

    looked_at: datetime
    checks: Mapping[str, bool]
    warnings: Mapping[str, bool]

    @property
    def failing(self) -> tuple[str, ...]:
        return tuple(name for name, is_well in self.checks.items() if not is_well)


def free_bytes(folder: Path) -> int:
    """Bytes that this user can still write there; none where there is no such folder."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


@dataclass(slots=True)
class Readiness:
    """The line's; one per process. `rings`: its short-lived keys, `run` the folder that they lie in."""

    database: Database
    live: Database
    spool: Database
    reports: Reports
    rota: LiveRota
    breaker: Breaker
    rings: tuple[AnyKeyRing, ...]
    run: Path
    clock: Clock
    room: Callable[[Path], int] = free_bytes
    last: Result | None = None

    def age(self) -> timedelta | None:
        """Since the last look; None before the first."""
        return None if self.last is None else max(self.clock.now() - self.last.looked_at, timedelta())

    def is_ready(self) -> bool:
        age = self.age()
        return self.last is not None and age is not None and age < STALE_AFTER and not self.last.failing

    async def look(self) -> None:
        """See how things stand. What begins to be wrong, and that all is well again, is logged once."""
        now = self.clock.now()
        data = [folder for folder in (self.database.folder, self.spool.folder) if folder is not None]
        months = await self.reports.months(now.date())
        has_keys = all(_has_key(ring, now) for ring in self.rings)
        in_run, in_data = self.room(self.run), min(map(self.room, data))
        checks = {
            "database_writes": await _writes(self.database, facts),
            "live_rows_write": await _writes(self.live, transfers),
            "keys_can_be_written": has_keys and await to_thread(_can_write, self.rings[0], now),
            "run_folder_has_room": in_run >= RUN_ROOM,
            "data_folder_has_room": in_data >= DATA_ROOM,
            "reports_can_be_sealed": months is not None,
        }
        warnings = {
            "months_are_made_ahead": months is not None and months > 1,
            "run_folder_has_reserve": in_run >= RUN_RESERVE,
            "data_folder_has_reserve": in_data >= DATA_RESERVE,
            "carrier_takes_requests": not self.breaker.is_open,
            "somebody_is_on_call": bool(self.rota.last_known(now)),
        }
        before, self.last = self.last, Result(now, checks, warnings)
        _tell(before.failing if before is not None else (), self.last.failing)


async def _writes(database: Database, table: Table) -> bool:
    """Whether a write is taken: one that needs all that a write needs, and changes nothing."""

    def write(connection: Connection) -> None:
        connection.execute(delete(table).where(false()))

    try:
        await database.write(write)
    except StoreUnavailable:
        return False
    return True


def _has_key(ring: AnyKeyRing, now: datetime) -> bool:
    """Whether this period has its key, which is made here where no call has needed it yet: that there is one tells
    nothing of calls."""
    try:
        ring.current(now)
    except KeysUnavailable:
        return False
    return True


def _can_write(ring: AnyKeyRing, now: datetime) -> bool:
    """Whether a key of a later period could be written. In a thread: a disk may be slow."""
    try:
        ring.try_out(now)
    except KeysUnavailable:
        return False
    return True


def _tell(before: tuple[str, ...], now: tuple[str, ...]) -> None:
    if now and now != before:
        log.warning("the line is not ready", checks=", ".join(now))
    elif before and not now:
        log.warning("the line is ready again")


def told(of: Readiness) -> Iterator[tuple[str, object]]:
    """For everybody: whether it is ready, and how many seconds ago that was seen."""
    age = of.age()
    yield "status", "ready" if of.is_ready() else "not ready"
    yield "age", None if age is None else int(age.total_seconds())


def told_to_operator(of: Readiness) -> Iterator[tuple[str, object]]:
    """The same, with each check and warning."""
    yield from told(of)
    if of.last is not None:
        yield "checks", dict(of.last.checks)
        yield "warnings", dict(of.last.warnings)
