"""The database: SQLite in a file, or PostgreSQL; the same statements and migrations for both.
One transaction is one function of a connection. Knows how transactions run, never what is in them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, StaticPool, Table, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from ivr.kit.told import Told
from ivr.store.failures import POSTGRESQL_CURES, SQLITE_CURES, Reason, reason_of
from ivr.store.migrations import HEAD
from ivr.store.sqlite import Sqlite
from ivr.store.tables import metadata

if TYPE_CHECKING:
    from ivr.store.postgresql import Postgresql

WAIT_SECONDS = 1.0
"""How long a transaction waits for others to let it begin: shorter than the time limit of a save."""
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}

LOCK_SECONDS = 5.0
"""How long a command waits for somebody else's lock before it says so."""
PATIENT_SECONDS = 60.0
"""How long work waits that nobody waits for."""
MIGRATION_SECONDS = 20.0
"""How long a process waits for another one that makes or changes the tables at the same moment."""

T = TypeVar("T")


class StoreUnavailable(Told):
    """The database cannot be used now; the message says which, why and what to do. Holds no value of any row."""

    def __init__(self, message: str, reason: Reason = Reason.OTHER) -> None:
        super().__init__(message)
        self.reason = reason


class FileDamaged(StoreUnavailable):
    """SQLite says that its file is no database, or malformed."""


class Database:
    """One per process and event loop. `name` is what messages call it, `cures` are told instead of the usual ones.
    Raises ValueError for a URL that is neither SQLite's (a file) nor PostgreSQL's.

    `wait_seconds`: how long a transaction waits for others to let it begin; then it fails.

    A `work` is one transaction. It is run once, returns values (no open cursor), neither commits nor rolls back
    itself, and does nothing slow: on SQLite others wait for it. What it returns is returned after the commit, what it
    raises is raised after the rollback; whatever the database fails at is StoreUnavailable. A caller that gives up
    waiting may find it committed all the same.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "the database",
        cures: Mapping[Reason, str] | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._url = _parsed(url)
        is_file = self._url.get_backend_name() == "sqlite"
        backend = Sqlite if is_file else _postgresql()
        self._backend = backend(self._url, wait_seconds=wait_seconds)
        self._wait_seconds = wait_seconds
        self._name = name
        self._cures = {**(SQLITE_CURES if is_file else POSTGRESQL_CURES), **(cures or {})}

    @property
    def folder(self) -> Path | None:
        """Where SQLite's file lies; None of PostgreSQL."""
        return Path(self._url.database or "").parent if self._url.get_backend_name() == "sqlite" else None

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        """Run a transaction that only reads. `snapshot`: all its statements see the database of one moment."""
        with self._failures_named():
            return await self._backend.read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that writes; when this returns it has been committed, and only then is anything saved."""
        with self._failures_named():
            return await self._backend.write(work)

    async def alone(self, work: Callable[[Connection], T], *, wait_seconds: float = LOCK_SECONDS) -> T:
        """`write`, but no other `alone` of any process runs beside it. `wait_seconds`: how long it waits to begin."""
        with self._failures_named():
            return await self._backend.alone(work, wait_seconds=max(wait_seconds, self._wait_seconds))

    async def migrate(self) -> None:
        """Bring the tables up to date; processes that start together do it once. Where they are, no lock is needed.
        Raises StoreUnavailable."""
        with self._failures_named():
            await self._backend.prepare()
        if not await self.read(_is_up_to_date):
            await self.alone(_upgrade, wait_seconds=MIGRATION_SECONDS)

    async def furnish(self, make: Callable[[Connection], T]) -> T:
        """Make tables some other way than by migrations, alone. Raises StoreUnavailable."""
        with self._failures_named():
            await self._backend.prepare()
        return await self.alone(make, wait_seconds=MIGRATION_SECONDS)

    async def limit(self) -> None:
        """Of what is worth nothing later: SQLite's file takes no more than a share of its folder from now on, see Room.
        Empties its log. Call it every so often: others may have filled the folder. Raises StoreUnavailable."""
        with self._failures_named():
            await self._backend.limit()

    def room_for_rows(self) -> int | None:
        """Bytes that may be used for rows at this moment; None where nothing is limited. Raises StoreUnavailable."""
        with self._failures_named():
            return self._backend.room_for_rows()

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
            reason = reason_of(error)
            cure = self._cures.get(reason, self._cures[Reason.OTHER])
            failed = f"{self._name} {where} cannot be used ({type(error).__name__}): {cure}"
            raise (FileDamaged if reason is Reason.DAMAGED else StoreUnavailable)(failed, reason) from error


def in_memory(work: Callable[[Connection], T]) -> T:
    """Run a transaction in a new SQLite database that nobody else sees and that is gone afterwards."""
    engine = create_engine("sqlite://", hide_parameters=True, poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            return work(connection)
    finally:
        engine.dispose()


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


def _is_up_to_date(connection: Connection) -> bool:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        return False
    if connection.execute(text("SELECT version_num FROM alembic_version")).scalar() != HEAD:
        return False
    if not tables.issuperset(metadata.tables):
        raise StoreUnavailable(
            "this database has only some of its tables, as one file of a backup has: move it away, and bring the line "
            "back from both with `ivr restore FOLDER`"
        )
    return True


def _upgrade(connection: Connection) -> None:
    if not _is_up_to_date(connection):  # another process may have done it meanwhile
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision, in the transaction of its caller. Raises StoreUnavailable for one that this
    version does not know."""
    from alembic import command  # a fifth of a second that only a database which is behind needs
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "ivr.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:  # a revision that this version does not have
        raise StoreUnavailable(
            f"this database was made by another version of Porchlight ({error}): "
            "use that version, or name another with IVR_DATA_DIR or IVR_DATABASE_URL"
        ) from error
