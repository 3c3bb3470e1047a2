"""Where reports wait while the database is away: a second file, with the same tables, on this host.
Everything in it is sealed already; it is brought home before anything else is done with reports."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ivr.store import reports as stored
from ivr.store.database import Database
from ivr.store.reports import ReportRow

AT_ONCE = 100

CURE = (
    "what waits in it for the database is not reached. Check that its folder belongs to this user and has room. If "
    "SQLite calls it damaged, `ivr serve` sets it aside; else move it away yourself, and keep it: no backup has it"
)

Waiting = tuple[ReportRow, bytes]
"""A row and its sealed data key."""


def spool_file(url: str) -> Database:
    """Where a spool lies, with a cure of its own."""
    return Database(url, cure=CURE)


class Spool:
    """The waiting reports of one host, shared by its workers. Every method raises StoreUnavailable."""

    def __init__(self, file: Database) -> None:
        self._file = file

    async def open(self) -> None:
        """Make the file, if there is none."""
        await self._file.migrate()

    async def put(self, row: ReportRow, sealed_key: bytes) -> None:
        """One report; a newer turn of it replaces the older."""
        await self._file.write(lambda connection: stored.upsert(connection, row, sealed_key=sealed_key))

    async def is_empty(self) -> bool:
        """Whether nothing waits, of this worker's or of another's."""
        return not await self._file.read(_waiting)

    async def bring_home(self, database: Database, *, vouch: Callable[[ReportRow], ReportRow]) -> int:
        """Everything that waits, into the database, and only then out of here. How many reports there were.

        `vouch` gives a row the signature that counts today. What the database has in a newer turn, or as a tombstone,
        stays as it is there.
        """
        count = 0
        while waiting := await self._file.read(_waiting):
            home = [(vouch(row), key) for row, key in waiting]
            await database.write(partial(_put_all, home))
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
    rows = stored.page(connection, limit=AT_ONCE)
    keys = ((row, stored.sealed_key(connection, row.id)) for row in rows)
    return [(row, key) for row, key in keys if key is not None]


def _put_all(waiting: Sequence[Waiting], connection: Connection) -> None:
    for row, sealed_key in waiting:
        stored.upsert(connection, row, sealed_key=sealed_key)


def _take_out(waiting: Sequence[Waiting], connection: Connection) -> None:
    """But not a newer turn that came in meanwhile."""
    for row, _ in waiting:
        stored.remove_turn(connection, row.id, turn=row.turn)
