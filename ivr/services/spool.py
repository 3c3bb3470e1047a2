"""Where reports wait while the database is away: a second file, with the same tables, on this host.
Everything in it is sealed already; it is brought home before anything else is done with reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ivr.services import nights
from ivr.store import jobs
from ivr.store import reports as stored
from ivr.store.database import Database
from ivr.store.failures import Reason
from ivr.store.reports import ReportRow

AT_ONCE = 100

Vouch = Callable[[Sequence[ReportRow], Connection], Sequence[ReportRow]]
"""Gives rows, in the transaction that puts them into the database, the signature that counts there."""

NAME = "the spool (what waits in it for the database is not reached)"
CURES = {
    Reason.FORBIDDEN: "give its folder to this user, or work as the one that the line runs as",
    Reason.DAMAGED: "SQLite calls it damaged: `ivr serve` sets it aside. Keep it: no backup has what is in it",
    Reason.MISSING: "check that its folder exists (IVR_DATA_DIR)",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row, its sealed data key, and of a request to be called how many nights it has left."""

    row: ReportRow
    sealed_key: bytes
    nights_left: int | None


def spool_file(url: str) -> Database:
    """Where a spool lies, with cures of its own."""
    return Database(url, name=NAME, cures=CURES)


class Spool:
    """The waiting reports of one host, shared by its workers. Every method raises StoreUnavailable."""

    def __init__(self, file: Database) -> None:
        self._file = file

    async def open(self) -> None:
        """Make the file, if there is none."""
        await self._file.migrate()

    async def put(self, row: ReportRow, sealed_key: bytes, nights_left: int | None = None) -> None:
        """One report; a newer turn of it replaces the older."""
        await self._file.write(
            lambda connection: stored.upsert(connection, row, sealed_key=sealed_key, nights_left=nights_left)
        )

    async def count_night(self, here: datetime) -> None:
        """Count the requests down that wait here, once a night, as the database does with its own. `here`: now, where
        the line is."""
        if await self._file.read(partial(_night_due, here=here)) is None:
            return
        if await self._file.write(partial(_count_night, here=here)):
            await self._file.forget_deleted()

    async def is_empty(self) -> bool:
        """Whether nothing waits, of this worker's or of another's."""
        return not await self._file.read(_waiting)

    async def bring_home(self, database: Database, *, vouch: Vouch) -> int:
        """Everything that waits, into the database, and only then out of here. How many reports there were.

        What the database has in a newer turn, or as a tombstone, stays as it is there.
        """
        count = 0
        while waiting := await self._file.read(_waiting):
            counted = await self._file.read(lambda connection: jobs.last_run(connection, nights.JOB))
            await database.write(partial(_put_all, waiting, counted, vouch))
            await self._file.write(partial(_take_out, waiting))
            count += len(waiting)
        if count:
            await self._file.forget_deleted()
        return count

    async def set_aside(self) -> Path | None:
        """See Database.set_aside."""
        return await self._file.set_aside()

    async def settle(self) -> None:
        """See Database.settle."""
        await self._file.settle()

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()


def _waiting(connection: Connection) -> Sequence[Waiting]:
    left = {request.id: request.nights_left for request in stored.requests(connection)}
    rows = stored.page(connection, limit=AT_ONCE)
    keys = ((row, stored.sealed_key(connection, row.id)) for row in rows)
    return [Waiting(row, key, left.get(row.id)) for row, key in keys if key is not None]


def _put_all(waiting: Sequence[Waiting], counted: str | None, vouch: Vouch, connection: Connection) -> None:
    at_home = jobs.last_run(connection, nights.JOB)
    for one, row in zip(waiting, vouch([one.row for one in waiting], connection), strict=True):
        left = one.nights_left
        if left is not None:
            left = nights.left_at_home(left, counted=counted, at_home=at_home)
        if left is None or left > 0:
            stored.upsert(connection, row, sealed_key=one.sealed_key, nights_left=left)


def _take_out(waiting: Sequence[Waiting], connection: Connection) -> None:
    """But not a newer turn that came in meanwhile."""
    for one in waiting:
        stored.remove_turn(connection, one.row.id, turn=one.row.turn)


def _night_due(connection: Connection, *, here: datetime) -> date | None:
    """The night that is still to be counted."""
    night = nights.due(here, jobs.last_run(connection, nights.JOB))
    return night if night is not None and jobs.is_due(connection, nights.JOB, day=night.isoformat()) else None


def _count_night(connection: Connection, *, here: datetime) -> bool:
    """Whether anything was deleted."""
    night, before = _night_due(connection, here=here), jobs.last_run(connection, nights.JOB)
    if night is None or not jobs.claim(connection, nights.JOB, day=night.isoformat()):
        return False
    return bool(nights.count_down(connection, nights.passed(before, night)))
