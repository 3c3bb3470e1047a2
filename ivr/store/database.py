"""The database: SQLite in a file, or PostgreSQL; one engine, the same statements and migrations for both.
Knows transactions and their locks, never what is in them."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

LOCK_WAIT_MS = 1000
"""How long a turn waits for another process's write: shorter than the time in which a save must have answered."""
MIGRATION_WAIT_MS = 60_000
POOL_WAIT_SECONDS = 1.0
CONNECT_WAIT_SECONDS = 2
DEAF_SERVER_MS = 10_000
"""After this long without an acknowledgement, a connection to PostgreSQL is given up."""

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}

PRAGMAS = (
    f"PRAGMA busy_timeout={LOCK_WAIT_MS}",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
)

_ALONE = 0x506F726368  # "Porch": the name of our one advisory lock
_BEGIN = "ivr_begin"


class StoreUnavailable(Exception):
    """The database cannot be used now; the message says which and what to do. Holds no value of any row."""


class Database:
    """One per process and event loop. Raises ValueError for a URL that is neither SQLite's (a file) nor PostgreSQL's.

    Every block below is one transaction, and raises StoreUnavailable for whatever the database fails at.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _engine(self._url)
        # In one process writers queue here, in order; SQLite's own lock would have them poll and starve.
        self._turn_to_write = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads."""
        async with self._transaction("BEGIN") as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; it has committed when the block is left, and only then is anything saved."""
        async with self._one_writer(), self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction that no other `alone` of any process runs beside; it waits up to a minute to begin."""
        async with self._one_writer(), self._transaction("ALONE") as connection:
            if not self._is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ALONE})
            yield connection

    async def migrate(self) -> None:
        """Bring the tables up to date; processes that start together do it once. Raises StoreUnavailable."""
        if self._is_sqlite:
            await self._prepare_file()
        async with self.alone() as connection:
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.execution_options(**{_BEGIN: begin}).begin() as connection:
                yield connection
        except (DBAPIError, NoConnectionInTime, OSError) as error:
            raise self._unavailable(error) from error

    def _one_writer(self) -> AsyncExitStack | asyncio.Lock:
        return self._turn_to_write if self._is_sqlite else AsyncExitStack()

    async def _prepare_file(self) -> None:
        """The file of a new database, for this user's eyes only, in WAL mode: once, because the file remembers it."""
        try:
            path = Path(self._url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
            async with self._engine.connect() as connection:
                await connection.exec_driver_sql(f"PRAGMA busy_timeout={MIGRATION_WAIT_MS}")
                await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                await connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_WAIT_MS}")
        except (DBAPIError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        where = self._url.render_as_string(hide_password=True)
        if self._is_sqlite:
            cure = "check that its directory exists, belongs to this user and has room (IVR_DATABASE_URL)"
        else:
            cure = "check that PostgreSQL runs and lets this user in (IVR_DATABASE_URL)"
        return StoreUnavailable(f"the database {where} cannot be used ({type(error).__name__}): {cure}")


def _parsed(url: str) -> URL:
    cure = "write IVR_DATABASE_URL as sqlite:////path/to/porchlight.db or postgresql://user@host/database"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"this is not the URL of a database: {cure}") from error
    backend = parsed.get_backend_name()
    if backend not in DRIVERS or (backend == "sqlite" and parsed.database in (None, "", ":memory:")):
        raise ValueError(f"only SQLite in a file and PostgreSQL are known: {cure}")
    return parsed.set(drivername=DRIVERS[backend])


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        # isolation_level None: Python's driver begins nothing by itself, `_begin` does.
        engine = create_async_engine(
            url, hide_parameters=True, pool_timeout=POOL_WAIT_SECONDS, connect_args={"isolation_level": None}
        )
        event.listen(engine.sync_engine, "do_connect", _require_file)
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_WAIT_SECONDS, "tcp_user_timeout": DEAF_SERVER_MS},
    )


def _require_file(_dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[str], _options: object) -> None:
    """Only `migrate` makes a database. Looked at without opening it: closing a file drops this process's locks on it.

    It also keeps aiosqlite from failing to connect, which leaves a thread that may outlive the event loop.
    """
    path = Path(arguments[0])
    if not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
        raise FileNotFoundError(errno.ENOENT, "no database that this user can write")


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock first: a transaction that reads and then writes cannot be made to wait, only to fail."""
    begin = connection.get_execution_options().get(_BEGIN)
    if begin == "ALONE":
        connection.exec_driver_sql(f"PRAGMA busy_timeout={MIGRATION_WAIT_MS}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_WAIT_MS}")
    elif begin is not None:
        connection.exec_driver_sql(begin)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # a tenth of a second that only this function needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ivr.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
