"""The statements of reports and their keys: sealed bytes in, sealed bytes out.
An equal or lower turn writes nothing, so late and doubled saves never undo or double anything."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from ivr.flow.line import REQUEST
from ivr.store.tables import notes, report_keys, reports

MAX_TURN = 2**31 - 1
"""The turn of a report that no save may change any more."""

MOST_ENDINGS = 100
ENDED = MAX_TURN - MOST_ENDINGS
"""Every turn above this is that of a report whose form has ended."""


def turn_of_ending(ending: int) -> int:
    """The turn of a report whose form has ended with the `ending`-th try (from 1): above every turn of a call and above
    the tries before, which may have reached the disk unseen. It tells nothing of how long she called."""
    return ENDED + min(ending, MOST_ENDINGS)


def _newer(into: sqlite.Insert | postgresql.Insert) -> ReturningInsert[tuple[bytes]]:
    """The two databases spell ON CONFLICT alike, SQLAlchemy has one class for each."""
    return into.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: into.excluded[column.name] for column in reports.columns if column.name != "id"},
        where=reports.c.turn < into.excluded.turn,
    ).returning(reports.c.id)


# What a save or a look-up needs is made once: to make these statements each time costs six times as much as to run
# them.
_NEWER = {"sqlite": _newer(sqlite.insert(reports)), "postgresql": _newer(postgresql.insert(reports))}
_FORGET_KEY = delete(report_keys).where(report_keys.c.report_id == bindparam("of"))
_KEEP_KEY = insert(report_keys)
_TURN = select(reports.c.turn).where(reports.c.id == bindparam("of"))
_TAGGED = select(reports).where(reports.c.receipt_tag.in_(bindparam("tags", expanding=True))).order_by(reports.c.id)
_MEMBERS = select(reports.c.id, reports.c.epoch, reports.c.receipt_tag)
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


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


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request to be called, as the nightly work sees it. `nights_left` is None where its count is gone."""

    id: bytes
    form: str
    week: str
    nights_left: int | None


def upsert(connection: Connection, row: ReportRow, *, sealed_key: bytes, nights_left: int | None = None) -> bool:
    """Write the report and its key over any older turn of it. False if what lies there is as new or newer.
    `nights_left`: of a request to be called."""
    if connection.execute(_NEWER[connection.dialect.name], asdict(row)).first() is None:
        return False
    connection.execute(_FORGET_KEY, {"of": row.id})
    connection.execute(_KEEP_KEY, {"report_id": row.id, "sealed_key": sealed_key, "nights_left": nights_left})
    return True


def change(connection: Connection, row: ReportRow, *, was: ReportRow) -> bool:
    """Write what somebody decided about a report. False if it is no longer what she decided about."""
    same = (reports.c.id == was.id, reports.c.signature == was.signature)
    return bool(connection.execute(update(reports).where(*same).values(asdict(row))).rowcount)


def take_back(connection: Connection, row: ReportRow) -> None:
    """Leave only this row of a report: its key is gone, and every note on it."""
    connection.execute(update(reports).where(reports.c.id == row.id).values(asdict(row)))
    connection.execute(delete(report_keys).where(report_keys.c.report_id == row.id))
    connection.execute(delete(notes).where(notes.c.report_id == row.id))


def turn_of(connection: Connection, report_id: bytes) -> int | None:
    """The turn that a report was last saved at, or None if it was not."""
    return connection.execute(_TURN, {"of": report_id}).scalar()


def find(connection: Connection, report_id: bytes, *, locked: bool = False) -> ReportRow | None:
    """One report, or None. `locked`: nobody else changes it, or takes it back, until the transaction ends."""
    statement = select(reports).where(reports.c.id == report_id)
    row = connection.execute(statement.with_for_update() if locked else statement).first()
    return None if row is None else _row(row)


def tagged(connection: Connection, tags: Mapping[str, bytes], *, lock: bytes | None = None) -> Sequence[ReportRow]:
    """Every report that answers to a receipt: its tag in each epoch (YYYY-MM) is given. One, and what was added to it;
    or none, unless somebody wrote more of them into the database.

    `lock` (8 bytes, the receipt's own): until the transaction ends nobody else who names it sees these rows, adds to
    them or changes them, and nobody at all changes one.
    """
    if lock is not None:
        _hold(connection, lock)
    statement = _TAGGED if lock is None else _TAGGED.with_for_update()
    found = [_row(row) for row in connection.execute(statement, {"tags": list(tags.values())})]
    return [row for row in found if tags.get(row.epoch) == row.receipt_tag]


def _hold(connection: Connection, lock: bytes) -> None:
    """Rows that are locked do not keep others from being added; and two that add would wait for each other's. SQLite
    has one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"key": int.from_bytes(lock, signed=True)})


def sealed_key(connection: Connection, report_id: bytes) -> bytes | None:
    """A report's sealed data key, or None once it was forgotten."""
    return connection.execute(select(report_keys.c.sealed_key).where(report_keys.c.report_id == report_id)).scalar()


def nights_left(connection: Connection, report_id: bytes) -> int | None:
    """The count of nights beside a report's key, if there is one."""
    return connection.execute(select(report_keys.c.nights_left).where(report_keys.c.report_id == report_id)).scalar()


def page(connection: Connection, after: bytes = b"", *, limit: int = 100) -> Sequence[ReportRow]:
    """The next reports in the order of their random ids, which is no order of arrival."""
    statement = select(reports).where(reports.c.id > after).order_by(reports.c.id).limit(limit)
    return [_row(row) for row in connection.execute(statement)]


def signed_by(connection: Connection, signer: bytes) -> Sequence[ReportRow]:
    """Every report with this signer's signature."""
    return [_row(row) for row in connection.execute(select(reports).where(reports.c.signer == signer))]


@dataclass(frozen=True, slots=True)
class Member:
    """A row, and what it has in common with those that the same receipt opens: epoch and tag."""

    id: bytes
    epoch: str
    receipt_tag: bytes | None


def of_week(connection: Connection, form: str, *, until: str) -> Sequence[Member]:
    """A form's reports of this ISO week (YYYY-Www) and of every week before, with what was added to them; requests
    apart."""
    those = (reports.c.form == form, reports.c.week <= until, reports.c.consent != REQUEST)
    statement = _MEMBERS.where(*those).order_by(reports.c.id)
    return [Member(**row._asdict()) for row in connection.execute(statement)]


def sharing(connection: Connection, tags: Collection[bytes]) -> Sequence[Member]:
    """Every row with one of these receipt tags."""
    statement = _MEMBERS.where(reports.c.receipt_tag.in_(tags)).order_by(reports.c.id)
    return [Member(**row._asdict()) for row in connection.execute(statement)]


def forms(connection: Connection) -> Sequence[str]:
    """Every form that there are reports of."""
    return connection.execute(select(reports.c.form).distinct().order_by(reports.c.form)).scalars().all()


def of_epochs_after(connection: Connection, epoch: str) -> Sequence[ReportRow]:
    """Every report of an epoch (YYYY-MM) that has not begun. There are some only if a clock was wrong."""
    statement = select(reports).where(reports.c.epoch > epoch).order_by(reports.c.id)
    return [_row(row) for row in connection.execute(statement)]


def newest_week(connection: Connection, *, until: str) -> str | None:
    """The newest ISO week (YYYY-Www) of any report that is no later than that one. Looks at every report."""
    return connection.execute(select(func.max(reports.c.week)).where(reports.c.week <= until)).scalar()


def epochs_in_use(connection: Connection) -> frozenset[str]:
    """Every epoch that there are reports of."""
    return frozenset(connection.execute(select(reports.c.epoch).distinct()).scalars())


def remove(connection: Connection, ids: Iterable[bytes]) -> None:
    """Reports with their keys and notes."""
    for report_id in ids:
        connection.execute(delete(reports).where(reports.c.id == report_id))


def remove_turn(connection: Connection, report_id: bytes, *, turn: int) -> None:
    """A report with its key, unless it is there in a newer turn."""
    connection.execute(delete(reports).where(reports.c.id == report_id, reports.c.turn <= turn))


def cut_off(connection: Connection) -> Sequence[tuple[ReportRow, int | None]]:
    """The reports whose form has not ended, each with its `nights_left`. A request is never one of them: it is saved
    at its end only."""
    statement = (
        select(reports, report_keys.c.nights_left)
        .join(report_keys, report_keys.c.report_id == reports.c.id)
        .where(reports.c.turn <= ENDED, reports.c.consent != REQUEST)
        .order_by(reports.c.id)
    )
    found = [row._asdict() for row in connection.execute(statement)]
    return [(ReportRow(**{name: row[name] for name in ReportRow.__slots__}), row["nights_left"]) for row in found]


def requests(connection: Connection) -> Sequence[RequestRow]:
    """Every request to be called."""
    statement = (
        select(reports.c.id, reports.c.form, reports.c.week, report_keys.c.nights_left)
        .outerjoin(report_keys, report_keys.c.report_id == reports.c.id)
        .where(reports.c.consent == REQUEST)
        .order_by(reports.c.id)
    )
    return [RequestRow(**row._asdict()) for row in connection.execute(statement)]


def set_nights_left(connection: Connection, report_id: bytes, nights: int | None) -> None:
    """Nights until a request goes, or until a report that was cut off is closed; a newer save of that knows of none."""
    connection.execute(update(report_keys).where(report_keys.c.report_id == report_id).values(nights_left=nights))


def _row(row: Row[Any]) -> ReportRow:
    return ReportRow(**row._asdict())


def count_with_receipt(connection: Connection) -> int:
    """How many rows some receipt leads to, also of what was taken back."""
    return connection.execute(select(func.count()).where(reports.c.receipt_tag.is_not(None))).scalar_one()
