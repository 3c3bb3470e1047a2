"""The two files of a backup as they are read: looked at whole before anything of them is believed, never written to.
Which rows of the two belong together is said here; what that means for anybody, `ivr.services.restore` says."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, insert, inspect

from ivr.store.migrations import HEAD

ROWS_AT_ONCE = 500
NEEDED = {"data": ("reports", "advocates", "line_keys"), "keys": ("report_keys", "epoch_wraps", "organisation_wraps")}
"""Tables by which a file is known to be this half of a backup: every version has them."""

_REVISION = "alembic_version"

# A report comes with its key, or as the trace of one that was taken back: without the key nobody can ever open it.
# Names of tables and columns, and words, are our own: nothing comes from outside.
_IS_GONE = "state IN ('taken_back', 'done')"
_HAS_KEY = "id IN (SELECT report_id FROM keys.report_keys)"
_COMES = f"({_IS_GONE} OR {_HAS_KEY})"
_REPORTS_THAT_OPEN = f"(SELECT id FROM data.reports WHERE NOT {_IS_GONE} AND {_HAS_KEY})"  # noqa: S608
_NOTES = f"report_id IN {_REPORTS_THAT_OPEN} AND id IN (SELECT note_id FROM keys.note_keys)"  # noqa: S608
_WHICH = {
    "reports": _COMES,
    "report_keys": f"report_id IN {_REPORTS_THAT_OPEN}",
    "notes": _NOTES,
    "note_keys": f"note_id IN (SELECT id FROM data.notes WHERE {_NOTES})",  # noqa: S608
}


class FileUnusable(Exception):
    """A file that nothing can be restored from: `why` says what it is, without a full stop. Holds no value of a row."""

    def __init__(self, path: Path, why: str, *, is_damaged: bool = False) -> None:
        super().__init__(f"{path} {why}")
        self.path, self.why, self.is_damaged = path, why, is_damaged


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One half: whose (see `ivr.store.copying.mark_of`), of which day (None: a version that did not say), of which
    revision of the tables, and which tables are in it."""

    path: Path
    mark: int
    day: date | None
    revision: int
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """How the halves fit together, in reports."""

    without_key: int
    """In the data half, but not to be opened any more: forgotten since, or newer than the keys."""
    without_body: int
    """Whose key is there and nothing else: saved after the data half was written, or expired before."""


def look(path: Path, half: str) -> BackupFile:
    """A file, checked from its first page to its last. `half`: data or keys. Raises FileUnusable, OSError."""
    with path.open("rb") as opened:
        is_database = opened.read(16) == b"SQLite format 3\0"
    if not is_database:
        raise FileUnusable(path, "is no SQLite file, or it is damaged", is_damaged=True)
    try:
        with closing(sqlite3.connect(_read_only(path), uri=True)) as looking:
            return _looked_at(looking, path, half)
    except sqlite3.Error as error:
        raise FileUnusable(path, "is damaged, or cut short", is_damaged=True) from error


@contextmanager
def together(data: BackupFile, keys: BackupFile) -> Iterator[sqlite3.Connection]:
    """Both halves in one connection, as `data` and `keys`."""
    with closing(sqlite3.connect("file::memory:", uri=True)) as reading:
        reading.row_factory = sqlite3.Row
        for half, file in (("data", data), ("keys", keys)):
            reading.execute(f"ATTACH ? AS {half}", (_read_only(file.path),))
        yield reading


def counts(reading: sqlite3.Connection) -> Counts:
    """How many reports do not come, and why not."""

    def count(statement: str) -> int:
        return int(reading.execute(f"SELECT count(*) FROM {statement}").fetchone()[0])  # noqa: S608

    return Counts(
        without_key=count(f"data.reports WHERE NOT {_COMES}"),
        without_body=count("keys.report_keys WHERE report_id NOT IN (SELECT id FROM data.reports)"),
    )


def load(reading: sqlite3.Connection, half: str, names: Sequence[str], into: Connection) -> None:
    """The rows of these tables of one half that come, into tables of the same revision. Parents first, whatever the
    order of the names; in the order of their keys. A row whose parent is not there is left out."""
    found, known = inspect(into), MetaData()
    known.reflect(into, only=[name for name in names if found.has_table(name)])
    for table in known.sorted_tables:
        if table.name in names:
            _load(reading, half, table, into)


def _load(reading: sqlite3.Connection, half: str, table: Table, into: Connection) -> None:
    where = [_WHICH.get(table.name, "1")]
    for key in table.foreign_keys:
        parent = key.column.table.name
        side = _side_of(reading, parent)
        if table.name not in _WHICH and side:
            where.append(f"{key.parent.name} IN (SELECT {key.column.name} FROM {side}.{parent})")  # noqa: S608
    order = ", ".join(column.name for column in table.primary_key) or "1"
    rows = reading.execute(f"SELECT * FROM {half}.{table.name} WHERE {' AND '.join(where)} ORDER BY {order}")  # noqa: S608
    statement = insert(table)
    while page := rows.fetchmany(ROWS_AT_ONCE):
        into.execute(statement, [_values(row) for row in page])


def _values(row: sqlite3.Row) -> Mapping[str, Any]:
    return dict(zip(row.keys(), row, strict=True))


def _side_of(reading: sqlite3.Connection, table: str) -> str | None:
    """The half that a table is read from: keys, where both have it."""
    for half in ("keys", "data"):
        names = f"SELECT 1 FROM {half}.sqlite_master WHERE type = 'table' AND name = ?"  # noqa: S608
        if reading.execute(names, (table,)).fetchone():
            return half
    return None


def _looked_at(looking: sqlite3.Connection, path: Path, half: str) -> BackupFile:
    if looking.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise FileUnusable(path, "is damaged", is_damaged=True)
    tables = {name for (name,) in looking.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    mark, ordinal = (looking.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if not mark or not tables.issuperset((*NEEDED[half], _REVISION)):
        raise FileUnusable(path, f"is not the {half} half of a backup")
    [(revision,)] = looking.execute("SELECT version_num FROM alembic_version").fetchall() or [("",)]
    if not (str(revision).isdecimal() and int(revision) <= int(HEAD)):
        raise FileUnusable(path, f"was written by a newer version of Porchlight ({revision}; this one knows {HEAD})")
    day = date.fromordinal(ordinal) if 0 < ordinal <= date.max.toordinal() else None
    return BackupFile(path, mark, day, int(revision), frozenset(tables - {_REVISION}))


def _read_only(path: Path) -> str:
    """Immutable: no lock is taken and no log made, also in a folder that nobody may write to."""
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"
