"""Copies of tables in a fresh SQLite file, whatever database they come from: sorted, whole, and the same bytes for the
same rows. Never a copy of pages, which would keep what was deleted and the order in which rows came."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    NullPool,
    Select,
    String,
    Table,
    create_engine,
    insert,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable, sort_tables

ROWS_AT_ONCE = 500

REVISION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own: which version of the tables this is. Every copy has it."""

# All that a build of SQLite may choose for itself, and that would show in the bytes. No log: a file that is not
# finished is thrown away. No fsync: whoever wants the file does that.
_LAYOUT = (
    "PRAGMA page_size=4096",
    "PRAGMA auto_vacuum=NONE",
    "PRAGMA encoding='UTF-8'",
    "PRAGMA secure_delete=ON",
    "PRAGMA journal_mode=MEMORY",
    "PRAGMA synchronous=OFF",
)
_MAGIC = b"SQLite format 3\0"
_MARK = slice(68, 72)


class CopyFailed(Exception):
    """The file cannot be written; the message says why, in SQLite's words. Holds no value of any row."""


def copy(connection: Connection, tables: Sequence[Table], file: Path, *, mark: int, day: date) -> Mapping[str, int]:
    """Every row of `tables`, in the order of their keys, into an empty file; a page of rows at a time. How many by
    table. `mark` (31 bits) is what `mark_of` finds in it; the day stands in it too. One transaction, not yet synced;
    after a failure the file is worth nothing. Indexes are left out: a copy is read once, as a whole.

    Raises CopyFailed for the file; what reading fails at, it raises as it is.
    """
    with _fresh(file, mark, day) as target:
        return {table.name: _copy(connection, table, target, tables) for table in (*sort_tables(tables), REVISION)}


def mark_of(file: Path) -> int | None:
    """What a copy was marked with; None if this is no SQLite file. Raises OSError."""
    with file.open("rb") as opened:
        header = opened.read(_MARK.stop)
    return int.from_bytes(header[_MARK]) if header.startswith(_MAGIC) else None


@contextmanager
def _fresh(file: Path, mark: int, day: date) -> Iterator[Connection]:
    url = URL.create("sqlite+pysqlite", database=str(file))
    engine = create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args={"isolation_level": None})
    with _failures_named():
        target = engine.connect()
    try:
        with _failures_named():
            for pragma in _LAYOUT:
                target.exec_driver_sql(pragma)
            target.exec_driver_sql("BEGIN")
            target.exec_driver_sql(f"PRAGMA application_id={mark}")
            target.exec_driver_sql(f"PRAGMA user_version={day.toordinal()}")
        yield target
        with _failures_named():
            target.exec_driver_sql("COMMIT")
    finally:
        with _failures_named():
            target.close()


def _copy(source: Connection, table: Table, target: Connection, tables: Sequence[Table]) -> int:
    # What refers to a table of another file cannot be checked here, and SQLite would refuse to try.
    held = [key for key in table.foreign_key_constraints if key.referred_table in tables]
    with _failures_named():
        target.execute(CreateTable(table, include_foreign_key_constraints=held))
    into, count = insert(table), 0
    found = source.execute(_in_order(table, source.dialect.name), execution_options={"yield_per": ROWS_AT_ONCE})
    for page in found.partitions():
        with _failures_named():
            target.execute(into, [row._asdict() for row in page])
        count += len(page)
    return count


def _in_order(table: Table, dialect: str) -> Select[Any]:
    def bytewise(column: Column[Any]) -> ColumnElement[Any]:
        """SQLite compares text by its bytes, PostgreSQL as its locale does."""
        is_text = dialect == "postgresql" and isinstance(column.type, String)
        return column.collate("C") if is_text else column

    return select(table).order_by(*map(bytewise, table.primary_key))


@contextmanager
def _failures_named() -> Iterator[None]:
    """What the file fails at, told apart from what the source does: whoever reads it takes the latter for its own."""
    try:
        yield
    except DBAPIError as error:
        raise CopyFailed(str(error.orig)) from error
