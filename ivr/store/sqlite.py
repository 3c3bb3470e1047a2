"""SQLite in a file: a thread that writes, a few that read, each with a connection of its own."""

import errno
import os
from asyncio import to_thread, wrap_future
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from ivr.store.aside import set_aside
from ivr.store.folder import FolderBusy
from ivr.store.room import Room
from ivr.store.writer import Writer, connected, submitted

READERS = 4

MAKING_WAIT_MS = 10_000
"""For others that make the same file at the same moment."""
CHECKPOINT_WAIT_MS = 100
"""For readers of the log that is to be emptied; saves wait meanwhile, and the caller tries again anyway."""

LONGEST_LOG = 20_000
"""Pages, of 4 KiB: SQLite empties its log at 1,000 in the middle of somebody's commit, who then waits a tenth of a
second longer. `settle` does it before; this is for a line that nobody tends. That of live rows is shorter: see Room."""

PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA wal_autocheckpoint={LONGEST_LOG}",
    "PRAGMA temp_store=MEMORY",  # VACUUM would leave a copy of everything in a temporary folder, deleted but not wiped
)

T = TypeVar("T")


class Sqlite:
    """One file. Raises DBAPIError and OSError."""

    def __init__(self, url: URL, *, wait_seconds: float) -> None:
        """`wait_seconds`: how long a transaction waits for another process's write."""
        pragmas = (f"PRAGMA busy_timeout={int(wait_seconds * 1000)}", *PRAGMAS)
        self._path = Path(url.database or "")
        self._reading = _engine(url, connections=READERS, pragmas=(*pragmas, "PRAGMA query_only=ON"))
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        writing = _engine(url, connections=1, pragmas=pragmas)
        event.listen(writing, "connect", self._limit_connection)
        self._writer = Writer(writing)
        self._room: Room | None = None

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool) -> T:  # noqa: ARG002 every one is
        return await wrap_future(submitted(self._readers, partial(_read, self._reading, work)))

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.write(work)

    async def alone(self, work: Callable[[Connection], T], *, wait_seconds: float) -> T:
        """On the writer's thread: beside it, each could hold what the other waits for. Other writes wait meanwhile."""
        return await self._writer.outside(partial(_alone, work, int(wait_seconds * 1000)))

    async def prepare(self) -> None:
        """The file of a new database, for this user's eyes only, in WAL mode: once, because the file remembers it."""
        await to_thread(_make_file, self._path)
        await self._writer.outside(_use_log)

    async def limit(self) -> None:
        """From now on file and log take no more than their share of the folder, as it is now; the log is emptied."""
        self._room = room = await to_thread(Room.beside, self._path)
        self._writer.most_at_once = room.pieces_at_once
        await self._writer.outside(partial(_execute, room.pragmas()))
        await self._writer.outside(_checkpoint)

    def room_for_rows(self) -> int | None:
        return None if self._room is None else Room.beside(self._path).rows

    async def forget_deleted(self, _tables: Sequence[Table]) -> bool:
        return await self._writer.outside(_checkpoint)

    async def rewrite(self, _tables: Sequence[Table]) -> bool:
        """The whole file, in the order of its keys."""
        return await self._writer.outside(_vacuum)

    async def settle(self) -> None:
        await wrap_future(submitted(self._readers, partial(connected, self._reading, _settle)))
        await to_thread(_blur_times, self._path)

    async def set_aside(self) -> Path | None:
        with suppress(FolderBusy):  # somebody else is doing it
            return await to_thread(set_aside, self._path)
        return None

    async def close(self) -> None:
        await to_thread(self._readers.shutdown)
        self._reading.dispose()
        await self._writer.close()

    def _limit_connection(self, connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        if self._room is not None:
            _set_pragmas(self._room.pragmas(), connection, entry)


def _read(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("BEGIN")
        return work(connection)


def _alone(work: Callable[[Connection], T], wait_ms: int, connection: Connection) -> T:
    with connection.begin():
        with _waiting(connection, wait_ms):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        return work(connection)


def _use_log(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal":
        return
    with _waiting(connection, MAKING_WAIT_MS):
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _checkpoint(connection: Connection) -> bool:
    with _waiting(connection, CHECKPOINT_WAIT_MS):
        is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not is_busy


def _execute(pragmas: tuple[str, ...], connection: Connection) -> None:
    for pragma in pragmas:
        connection.exec_driver_sql(pragma).close()


def _vacuum(connection: Connection) -> bool:
    connection.exec_driver_sql("VACUUM")
    return _checkpoint(connection)


@contextmanager
def _waiting(connection: Connection, wait_ms: int) -> Iterator[None]:
    usual_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={usual_ms}")


def _settle(connection: Connection) -> None:
    """On a reader's connection: the writer goes on meanwhile. Whatever somebody still reads stays in the log."""
    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()


def _blur_times(path: Path) -> None:
    for file in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            os.utime(file)


def _make_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _engine(url: URL, *, connections: int, pragmas: tuple[str, ...]) -> Engine:
    """As many connections as threads, so that none waits for one."""
    # isolation_level None: Python's driver begins nothing by itself. Every transaction above says its BEGIN, because
    # one that reads and then writes cannot be made to wait for the lock, only to fail.
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        connect_args={"isolation_level": None},
    )
    event.listen(engine, "do_connect", _require_file)
    event.listen(engine, "connect", partial(_set_pragmas, pragmas))
    event.listen(engine, "connect", partial(_remember_file, Path(url.database or "")))
    event.listen(engine, "checkout", partial(_require_same_file, Path(url.database or "")))
    return engine


def _require_file(_dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[str], _options: object) -> None:
    """Only `migrate` makes a database. Not opened to look: closing a file drops this process's locks on it."""
    path = Path(arguments[0])
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "no database")
    # The folder too: SQLite's log is made there.
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        raise PermissionError(errno.EACCES, "no database that this user can write")


def _remember_file(path: Path, _connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    entry.info["file"] = _identity(path)


def _require_same_file(path: Path, _driver: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
    """A file that was deleted or replaced takes writes as before, and nobody would ever see them: open anew what lies
    under the path, or fail where nothing does."""
    if entry.info.get("file") != _identity(path):
        raise DisconnectionError


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_pragmas(pragmas: tuple[str, ...], connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # One row of bytes that are no text, which we never write, would keep every other from being read.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(pragma)
    cursor.close()
