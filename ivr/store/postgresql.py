"""PostgreSQL: an asynchronous pool whose transactions are functions of a connection, as everywhere in the store."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Table, event, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import sort_tables

from ivr.store.tables import metadata

CONNECT_WAIT_SECONDS = 2
DEAF_SERVER_MS = 10_000
"""After this long without an acknowledgement, a connection is given up."""
LOCK_WAIT_MS = 5_000
"""For a lock that somebody else has on a table; whoever waits shorter or longer says so."""
REWRITE_WAIT_MS = 200
"""For each table's lock; everybody who comes later queues behind it meanwhile."""

_SIZE = text("SELECT pg_relation_size(CAST(:table AS regclass))")
_LOCKED = "55P03"
"""SQLSTATE lock_not_available."""

_ALONE = 0x506F726368  # "Porch": the name of our one advisory lock

T = TypeVar("T")


class Postgresql:
    """One database, and schema, of a server. Raises DBAPIError, OSError, and SQLAlchemy's TimeoutError."""

    def __init__(self, url: URL, *, wait_seconds: float) -> None:
        """`wait_seconds`: how long a transaction waits for a connection."""
        self._engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_timeout=wait_seconds,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_WAIT_SECONDS, "tcp_user_timeout": DEAF_SERVER_MS},
        )
        event.listen(self._engine.sync_engine, "connect", _set_lock_wait)
        self._reading = self._engine.execution_options(postgresql_readonly=True)

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool) -> T:
        async with self._reading.begin() as connection:
            return await connection.run_sync(partial(_of_one_moment, work) if snapshot else work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def alone(self, work: Callable[[Connection], T], *, wait_seconds: float) -> T:
        return await self.write(partial(_alone, work, int(wait_seconds * 1000)))

    async def prepare(self) -> None:
        """Databases and users are made by whoever runs the server."""

    async def limit(self) -> None:
        """Its disk is the server's."""

    def room_for_rows(self) -> None:
        """As much as the server has."""

    async def forget_deleted(self, tables: Sequence[Table]) -> bool:
        """What was deleted, or written over, lies in dead space until its table is written anew; VACUUM leaves it there
        until something else needs the room. A table without any space has none."""
        try:
            await self.write(partial(_rewrite_if_used, sort_tables(tables)))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCKED:
                raise
            return False
        return True

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        await self.write(partial(_rewrite, sort_tables(tables)))
        return True

    async def settle(self) -> None:
        """Its files are the server's, which writes them all the time."""

    async def set_aside(self) -> None:
        """Its files are the server's."""

    async def close(self) -> None:
        await self._engine.dispose()


def _of_one_moment(work: Callable[[Connection], T], connection: Connection) -> T:
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    # Before the first SELECT, which takes the snapshot: a table that is rewritten after it would be seen as empty.
    connection.execute(text(f"LOCK TABLE {_names(connection, metadata.sorted_tables)} IN ACCESS SHARE MODE"))
    return work(connection)


def _set_lock_wait(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {LOCK_WAIT_MS}")
    cursor.close()
    connection.commit()


def _alone(work: Callable[[Connection], T], wait_ms: int, connection: Connection) -> T:
    connection.execute(text(f"SET LOCAL lock_timeout = {wait_ms}"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ALONE})
    return work(connection)


def _rewrite_if_used(tables: list[Table], connection: Connection) -> None:
    sizes = (connection.execute(_SIZE, {"table": _names(connection, [table])}).scalar_one() for table in tables)
    if any(sizes):
        _rewrite(tables, connection)


def _rewrite(tables: list[Table], connection: Connection) -> None:
    """Out and in again, in the order of the keys: CLUSTER would keep each row's xmin, which tells when it was written.

    `tables` are parents first. PostgreSQL refuses if a table that is not among them refers to one that is.
    """
    connection.execute(text(f"SET LOCAL lock_timeout = {REWRITE_WAIT_MS}"))
    every = _names(connection, tables)
    connection.execute(text(f"LOCK TABLE {every} IN ACCESS EXCLUSIVE MODE"))
    # LIKE and *: a column that this version does not know of is kept too.
    for table in tables:
        name, copy = _names(connection, [table]), f"rewritten_{table.name}"
        connection.execute(text(f"CREATE TEMPORARY TABLE {copy} (LIKE {name}) ON COMMIT DROP"))
        connection.execute(text(f"INSERT INTO {copy} SELECT * FROM {name}"))  # noqa: S608 our own tables' names
    connection.execute(text(f"TRUNCATE {every}"))
    for table in tables:
        name, copy = _names(connection, [table]), f"rewritten_{table.name}"
        key = ", ".join(column.name for column in table.primary_key)
        connection.execute(text(f"INSERT INTO {name} SELECT * FROM {copy} ORDER BY {key}"))  # noqa: S608 as above


def _names(connection: Connection, tables: Sequence[Table]) -> str:
    return ", ".join(connection.dialect.identifier_preparer.format_table(table) for table in tables)
