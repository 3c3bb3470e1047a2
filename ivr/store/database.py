"""The database: SQLite in a file, or PostgreSQL; the same statements and migrations for both.
One transaction is one function of a connection. Knows how transactions run, never what is in them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from ivr.kit.told import Told
from ivr.store.aside import says_damaged
from ivr.store.migrations import HEAD
from ivr.store.sqlite import Sqlite

if TYPE_CHECKING:
    from ivr.store.postgresql import Postgresql

WAIT_SECONDS = 1.0
"""How long a transaction waits for others to let it begin: shorter than the time limit of a save."""
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}

T = TypeVar("T")


class StoreUnavailable(Told):
    """The database cannot be used now; the message says which and what to do. Holds no value of any row."""


class FileDamaged(StoreUnavailable):
    """SQLite says that its file is no database, or malformed."""


class Database:
    """One per process and event loop. `cure`: what is told where it cannot be used, if it is not the database itself.
    Raises ValueError for a URL that is neither SQLite's (a file) nor PostgreSQL's.

    `wait_seconds`: how long a transaction waits for others to let it begin; then it fails.

    A `work` is one transaction. It is run once, returns values (no open cursor), neither commits nor rolls back
    itself, and does nothing slow: on SQLite others wait for it. What it returns is returned after the commit, what it
    raises is raised after the rollback; whatever the database fails at is StoreUnavailable. A caller that gives up
    waiting may find it committed all the same.
    """

    def __init__(self, url: str, *, cure: str = "", wait_seconds: float = WAIT_SECONDS) -> None:
        self._url = _parsed(url)
        backend = Sqlite if self._url.get_backend_name() == "sqlite" else _postgresql()
        self._backend = backend(self._url, wait_seconds=wait_seconds)
        self._cure = cure or self._backend.cure

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        """Run a transaction that only reads. `snapshot`: all its statements see the database of one moment."""
        with self._failures_named():
            return await self._backend.read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that writes; when this returns it has been committed, and only then is anything saved."""
        with self._failures_named():
            return await self._backend.write(work)

    async def alone(self, work: Callable[[Connection], T]) -> T:
        """`write`, but no other `alone` of any process runs beside it; it waits up to a minute to begin."""
        with self._failures_named():
            return await self._backend.alone(work)

    async def migrate(self) -> None:
        """Bring the tables up to date; processes that start together do it once. Raises StoreUnavailable."""
        with self._failures_named():
            await self._backend.prepare()
        await self.alone(_upgrade)

    async def furnish(self, make: Callable[[Connection], None]) -> None:
        """Make tables that have no history: what is in them is worth nothing later. Raises StoreUnavailable."""
        with self._failures_named():
            await self._backend.prepare()
        await self.alone(make)

    async def forget_deleted(self, tables: Sequence[Table] = ()) -> bool:
        """Wipe what was deleted from SQLite's log, where a copy of it still lies; on PostgreSQL from these tables: they
        must be small. Others keep their dead rows until `rewrite`. False if somebody is in the way: try again. Raises
        StoreUnavailable."""
        with self._failures_named():
            return await self._backend.forget_deleted(tables)

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        """Write every row anew, in the order of its key: nothing on disk then tells when each of them came.

        `tables` are those of PostgreSQL to rewrite, with all that refer to them; SQLite's file is rewritten as a whole.
        True once the old rows are gone from SQLite's log too; if not, `forget_deleted` finishes it. Everybody else's
        writes wait meanwhile. Raises StoreUnavailable, also if somebody is in the way.
        """
        with self._failures_named():
            return await self._backend.rewrite(tables)

    async def settle(self) -> None:
        """Move what SQLite's log holds into its file, beside whoever reads and writes, and set the files' times to now:
        done every so often, no caller waits for it, and the times tell when the line was last up and not when somebody
        last called. Raises StoreUnavailable."""
        with self._failures_named():
            await self._backend.settle()

    async def set_aside(self) -> Path | None:
        """Put SQLite's file out of the way, if it is no database or malformed, before anything was done with it here:
        `migrate` makes a new one. Where it lies now; None where nothing was done. Raises StoreUnavailable."""
        with self._failures_named():
            return await self._backend.set_aside()

    async def close(self) -> None:
        """End what is queued, then every thread and connection."""
        await self._backend.close()

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, NoConnectionInTime, OSError) as error:
            where = self._url.set(query={}).render_as_string(hide_password=True)  # a query may hold a password too
            failed = f"the database {where} cannot be used ({type(error).__name__}): {self._cure}"
            is_damaged = says_damaged(getattr(error, "orig", None))
            raise (FileDamaged if is_damaged else StoreUnavailable)(failed) from error


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


def _postgresql() -> "type[Postgresql]":
    from ivr.store.postgresql import Postgresql  # a fifth of a second and 8 MB that SQLite has no use for

    return Postgresql


def _upgrade(connection: Connection) -> None:
    if inspect(connection).has_table("alembic_version"):
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if version == HEAD:
            return
    from alembic import command  # a fifth of a second that only a database which is behind needs
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "ivr.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # a revision that this version does not have
        raise StoreUnavailable(
            f"this database was made by another version of Porchlight ({error}): "
            "use that version, or name another with IVR_DATA_DIR or IVR_DATABASE_URL"
        ) from error
