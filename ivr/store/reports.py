"""The statements of reports and their keys: sealed bytes in, sealed bytes out.
An equal or lower turn writes nothing, so late and doubled saves never undo or double anything."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from ivr.store.tables import report_keys, reports

MAX_TURN = 2**31 - 1
"""The turn of a report that no save may change any more."""

MOST_ENDINGS = 100


def turn_of_ending(ending: int) -> int:
    """The turn of a report whose form has ended with the `ending`-th try (from 1): above every turn of a call and above
    the tries before, which may have reached the disk unseen. It tells nothing of how long she called."""
    return MAX_TURN - MOST_ENDINGS + min(ending, MOST_ENDINGS)


def _newer(into: sqlite.Insert | postgresql.Insert) -> ReturningInsert[tuple[bytes]]:
    """The two databases spell ON CONFLICT alike, SQLAlchemy has one class for each."""
    return into.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: into.excluded[column.name] for column in reports.columns if column.name != "id"},
        where=reports.c.turn < into.excluded.turn,
    ).returning(reports.c.id)


# What a save needs is made once: to make these statements for every save costs six times as much as to run them.
_NEWER = {"sqlite": _newer(sqlite.insert(reports)), "postgresql": _newer(postgresql.insert(reports))}
_FORGET_KEY = delete(report_keys).where(report_keys.c.report_id == bindparam("of"))
_KEEP_KEY = insert(report_keys)
_TURN = select(reports.c.turn).where(reports.c.id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row of `reports`, as it lies there; see ivr.store.tables for each column."""

    id: bytes
    form: str
    epoch: str
    week: str
    turn: int
    consent: str
    state: str
    receipt_tag: bytes | None
    body: bytes
    signer: bytes
    signature: bytes


def upsert(connection: Connection, row: ReportRow, *, sealed_key: bytes) -> bool:
    """Write the report and its key over any older turn of it. False if what lies there is as new or newer."""
    if connection.execute(_NEWER[connection.dialect.name], asdict(row)).first() is None:
        return False
    connection.execute(_FORGET_KEY, {"of": row.id})
    connection.execute(_KEEP_KEY, {"report_id": row.id, "sealed_key": sealed_key})
    return True


def turn_of(connection: Connection, report_id: bytes) -> int | None:
    """The turn that a report was last saved at, or None if it was not."""
    return connection.execute(_TURN, {"of": report_id}).scalar()


def find(connection: Connection, report_id: bytes) -> ReportRow | None:
    """One report, or None."""
    row = connection.execute(select(reports).where(reports.c.id == report_id)).first()
    return None if row is None else _row(row)


def sealed_key(connection: Connection, report_id: bytes) -> bytes | None:
    """A report's sealed data key, or None once it was forgotten."""
    statement = select(report_keys.c.sealed_key).where(report_keys.c.report_id == report_id)
    return connection.execute(statement).scalar()


def page(connection: Connection, after: bytes = b"", *, limit: int = 100) -> Sequence[ReportRow]:
    """The next reports in the order of their random ids, which is no order of arrival."""
    statement = select(reports).where(reports.c.id > after).order_by(reports.c.id).limit(limit)
    return [_row(row) for row in connection.execute(statement)]


def _row(row: Row[Any]) -> ReportRow:
    return ReportRow(**row._asdict())
