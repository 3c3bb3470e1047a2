"""The statements of reports and their keys: sealed bytes in, sealed bytes out.
An equal or lower turn writes nothing, so late and doubled saves never undo or double anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, false, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

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


def find(connection: Connection, report_id: bytes) -> ReportRow | None:
    """One report, or None."""
    row = connection.execute(select(reports).where(reports.c.id == report_id)).first()
    return None if row is None else _row(row)


def tagged(connection: Connection, tags: Mapping[str, bytes]) -> Sequence[ReportRow]:
    """Every report that answers to a receipt: its tag in each epoch (YYYY-MM) is given. One, or none, unless somebody
    wrote more of them into the database."""
    answers = [and_(reports.c.epoch == epoch, reports.c.receipt_tag == tag) for epoch, tag in tags.items()]
    statement = select(reports).where(or_(false(), *answers)).order_by(reports.c.id)
    return [_row(row) for row in connection.execute(statement)]


def sealed_key(connection: Connection, report_id: bytes) -> bytes | None:
    """A report's sealed data key, or None once it was forgotten."""
    return connection.execute(select(report_keys.c.sealed_key).where(report_keys.c.report_id == report_id)).scalar()


def page(connection: Connection, after: bytes = b"", *, limit: int = 100) -> Sequence[ReportRow]:
    """The next reports in the order of their random ids, which is no order of arrival."""
    statement = select(reports).where(reports.c.id > after).order_by(reports.c.id).limit(limit)
    return [_row(row) for row in connection.execute(statement)]


def signed_by(connection: Connection, signer: bytes) -> Sequence[ReportRow]:
    """Every report with this signer's signature."""
    return [_row(row) for row in connection.execute(select(reports).where(reports.c.signer == signer))]


def of_week(connection: Connection, form: str, *, until: str) -> Sequence[bytes]:
    """The ids of a form's reports of this ISO week (YYYY-Www) and of every week before."""
    statement = select(reports.c.id).where(reports.c.form == form, reports.c.week <= until).order_by(reports.c.id)
    return connection.execute(statement).scalars().all()


def forms(connection: Connection) -> Sequence[str]:
    """Every form that there are reports of."""
    return connection.execute(select(reports.c.form).distinct().order_by(reports.c.form)).scalars().all()


def of_epochs_after(connection: Connection, epoch: str) -> Sequence[ReportRow]:
    """Every report of an epoch (YYYY-MM) that has not begun. There are some only if a clock was wrong."""
    statement = select(reports).where(reports.c.epoch > epoch).order_by(reports.c.id)
    return [_row(row) for row in connection.execute(statement)]


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
    """The reports whose form has not ended, each with its `nights_left`."""
    statement = (
        select(reports, report_keys.c.nights_left)
        .join(report_keys, report_keys.c.report_id == reports.c.id)
        .where(reports.c.turn <= ENDED)
        .order_by(reports.c.id)
    )
    found = [row._asdict() for row in connection.execute(statement)]
    return [(ReportRow(**{name: row[name] for name in ReportRow.__slots__}), row["nights_left"]) for row in found]


def set_nights_left(connection: Connection, report_id: bytes, nights: int | None) -> None:
    """Nights until something happens to a report; a newer save of it knows of none."""
    connection.execute(update(report_keys).where(report_keys.c.report_id == report_id).values(nights_left=nights))


def _row(row: Row[Any]) -> ReportRow:
    return ReportRow(**row._asdict())
