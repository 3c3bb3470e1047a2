"""Live rows: what is true of calls in progress, for as long as they are, and for ten minutes after it. In a database of
its own under IVR_RUN_DIR, never backed up; on PostgreSQL in tables that its log does not hold.

Moments are milliseconds since 1970. What a row becomes is decided by conditional updates: whoever comes late, or twice,
changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
    case,
    delete,
    inspect,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.schema import CreateColumn, CreateTable

from ivr.store.database import Database
from ivr.store.failures import Reason
from ivr.store.kinds import Bytes, Text, YesNo, column

live = MetaData()

NAME = "the database of calls in progress"
CURES = {
    Reason.DAMAGED: "the file is damaged. It holds calls in progress only: stop the line, delete it, start anew",
    Reason.MISSING: "there is no such file: check that its directory exists (IVR_RUN_DIR)",
}

STAYS = timedelta(minutes=10)
"""At most so long after its end a row is still there: webhooks come late."""
SWEPT_EVERY = timedelta(minutes=1)
ONE_TRY = 24 * 60 * 60 * 1000
"""A try, in the unit in which a budget counts: so many a day fill it by as many units a millisecond."""

_INSERT = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}


transfers = Table(
    "live_transfers",
    live,
    column("id", Bytes(16), primary_key=True, why="derived from the call's seed: a repeated webhook is one transfer"),
    column("caller", Bytes(16), index=True, why="a keyed hash of the call's id: her hang-up tells no more"),
    column("room", Text(32), why="the name of the conference in which the two meet"),
    column("language", Text(16), why="hers, for the advocate who asks what it is about"),
    column("told", Text(1024), nullable=True, why="sealed, what she keyed in this call, for the same; none once taken"),
    column("state", Text(16), why="ringing, taken, joined, dialled or over"),
    column("turn", BigInteger(), why="how often she has asked: what comes late changes nothing"),
    column("taken_by", Bytes(16), nullable=True, why="the offer that was taken"),
    column("began_at", BigInteger(), why="when the caller asked: whoever takes the call hears how long they waited"),
    column("rings_from", BigInteger(), nullable=True, why="phones ring from then on: the promised wait counts from it"),
    column("polled_at", BigInteger(), why="a caller who has not asked for 15 seconds has gone"),
    column("taken_at", BigInteger(), nullable=True, why="an advocate waits for her so long at most"),
    column("ended_at", BigInteger(), nullable=True, why="ten minutes after it the row is deleted"),
    column("hung_up_at", BigInteger(), nullable=True, why="webhooks that come after the caller hung up ring nobody"),
    column("emptied_at", BigInteger(), nullable=True, why="until nobody is left in the room, that is asked for again"),
    info={
        "lasting": False,
        "by_calls": True,
        "what": "a caller who waits for a person, or talks with one",
        "kept": "until ten minutes after its end",
    },
)

offers = Table(
    "live_offers",
    live,
    column("id", Bytes(16), primary_key=True, why="derived from the transfer and the person: nobody is asked twice"),
    column(
        "transfer",
        Bytes(16),
        ForeignKey("live_transfers.id", ondelete="CASCADE"),
        index=True,
        why="whom she is asked to take",
    ),
    column("person", Bytes(16), why="who is asked"),
    column("engaged", Bytes(16), nullable=True, why="the same while she rings or talks: nobody is rung twice at once"),
    column("language", Text(16), why="in which she is asked"),
    column("state", Text(16), why="whether her phone rings, and what she decided"),
    column("rung_at", BigInteger(), nullable=True, why="no phone rings twice a minute for one call, nor too often"),
    column("ends_at", BigInteger(), why="then it counts as missed, whatever her phone does"),
    column("request", Text(64), nullable=True, why="Plivo's name of the ringing: it is cancelled by it"),
    column("leg", Text(64), nullable=True, why="Plivo's name of the call that we placed: nobody else answers for it"),
    column("outcome", Text(16), nullable=True, why="a word for how it went: a doubled key counts it once"),
    UniqueConstraint("engaged", name="uq_live_offers_engaged"),
    info={
        "lasting": False,
        "by_calls": True,
        "what": "a call offered to somebody",
        "kept": "as long as the transfer",
    },
)


staff_calls = Table(
    "live_staff_calls",
    live,
    column("id", Bytes(16), primary_key=True, why="derived from the call's seed, or from a trial ring's token"),
    column("turn", BigInteger(), why="how far the call is: a wish that comes late undoes none that came after it"),
    column("at", BigInteger(), why="ten minutes after the last wish the row is deleted"),
    info={
        "lasting": False,
        "by_calls": False,
        "what": "somebody who changes their shifts by phone, or whose phone was tried",
        "kept": "until ten minutes after the last wish, or after the trial",
    },
)


conversations = Table(
    "live_conversations",
    live,
    column("id", Bytes(16), primary_key=True, why="drawn from the number that texts, under a key that dies within 2 h"),
    column("body", Bytes(4008), nullable=True, why="the conversation, sealed under a key drawn from the same number"),
    column("claimed", BigInteger(), why="until then one worker answers: two texts of one caller are never mixed up"),
    column("until", BigInteger(), why="the row is deleted then"),
    info={
        "lasting": False,
        "by_calls": True,
        "what": "a conversation by text, which opens only when she texts again",
        "kept": "at most two hours from its first text; until ten minutes after its end, but then nothing she said",
    },
)


budgets = Table(
    "live_budgets",
    live,
    column(
        "name", Text(16), primary_key=True, why="what is limited for everybody together: receipts or PINs that fail"
    ),
    column("left", BigInteger(), why="how many more may be tried now; below zero, some are owed. A try is 86,400,000"),
    column("a_day", BigInteger(), why="how many tries fill it in a day, evenly"),
    column("burst", BigInteger(), why="how many tries it holds"),
    column("at", BigInteger(), why="until when it was filled; ten minutes later, the time of a sweep in its place"),
    info={
        "lasting": False,
        "by_calls": True,
        "what": "how many more tries of all callers together may fail, and nothing of who tried",
        "kept": "as long as the run folder",
    },
)

attempts = Table(
    "live_attempts",
    live,
    column(
        "id", Bytes(16), primary_key=True, why="derived from the call's seed and turn: a repeated webhook is one try"
    ),
    column("wait", BigInteger(), why="how long it was told to wait, in seconds: a repeated webhook is told the same"),
    column("is_returned", YesNo(), why="it was right, and has cost nothing: it is given back once"),
    column("at", BigInteger(), why="the row is deleted within ten minutes of it"),
    info={
        "lasting": False,
        "by_calls": True,
        "what": "one try at a receipt or a PIN, not what was tried",
        "kept": "ten minutes at most",
    },
)


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A row of `live_transfers`."""

    id: bytes
    caller: bytes
    room: str
    language: str
    state: str
    taken_by: bytes | None
    began_at: int
    rings_from: int | None
    polled_at: int
    taken_at: int | None = None
    ended_at: int | None = None
    turn: int = 0
    told: str | None = None
    hung_up_at: int | None = None
    emptied_at: int | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A row of `live_offers`."""

    id: bytes
    transfer: bytes
    person: bytes
    engaged: bytes | None
    language: str
    state: str
    rung_at: int | None
    ends_at: int
    request: str | None = None
    leg: str | None = None
    outcome: str | None = None


def live_file(url: str) -> Database:
    """Where live rows lie, in a file of their own, with cures of its own."""
    return Database(url, name=NAME, cures=CURES)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def create(connection: Connection) -> None:
    """Make the tables, or add what is missing in them: during an upgrade processes of two versions share them, and
    calls in progress go on. Columns that only another version knows stay, and are empty in rows of this one. The tables
    are made anew, without rows, only where a row of one version would be none for the other."""
    found = inspect(connection)
    there = {
        table.name: {column["name"]: column for column in found.get_columns(table.name)}
        for table in live.sorted_tables
        if found.has_table(table.name)
    }
    if any(_excludes(table, there[table.name]) for table in live.sorted_tables if table.name in there):
        live.drop_all(connection)
        there = {}
    for table in live.sorted_tables:
        if table.name in there:
            _add_missing(connection, table, frozenset(there[table.name]))
        else:
            _create(connection, table)


def _excludes(table: Table, there: Mapping[str, ReflectedColumn]) -> bool:
    """Whether a column must not be empty that only this version has, or only the other."""
    ours = any(not column.nullable for column in table.columns if column.name not in there)
    theirs = (column for name, column in there.items() if name not in table.columns)
    return ours or any(not column["nullable"] and column["default"] is None for column in theirs)


def _add_missing(connection: Connection, table: Table, there: frozenset[str]) -> None:
    missing = [column for column in table.columns if column.name not in there]
    for column_ in missing:
        made = CreateColumn(column_).compile(dialect=connection.dialect)
        connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {made}"))
    for index in table.indexes:
        if set(index.columns) & set(missing):
            index.create(connection)


def _create(connection: Connection, table: Table) -> None:
    made = str(CreateTable(table).compile(dialect=connection.dialect)).strip()
    if connection.dialect.name == "postgresql":
        made = made.replace("CREATE TABLE", "CREATE UNLOGGED TABLE", 1)
    connection.execute(text(made))
    for index in table.indexes:
        index.create(connection)


# ---- transfers ----


def begin(connection: Connection, row: TransferRow) -> bool:
    """A new transfer. False where it has begun already."""
    return _inserted(connection, transfers, asdict(row))


def transfer(connection: Connection, transfer_id: bytes) -> TransferRow | None:
    """One transfer, nobody else's to change until this transaction ends; or None."""
    row = connection.execute(select(transfers).where(transfers.c.id == transfer_id).with_for_update()).first()
    return None if row is None else TransferRow(**row._asdict())


def transfers_of(connection: Connection, caller: bytes) -> Sequence[TransferRow]:
    """Every transfer of a call."""
    statement = select(transfers).where(transfers.c.caller == caller).order_by(transfers.c.id).with_for_update()
    return [TransferRow(**row._asdict()) for row in connection.execute(statement)]


def change_transfer(
    connection: Connection, transfer_id: bytes, *, if_in: Sequence[str], seen_since: int | None = None, **values: Any
) -> bool:
    """Write these columns (Any: of several kinds) of a transfer that is in one of these states, and whose caller asked
    since that moment. False where it is not so."""
    where = [transfers.c.id == transfer_id, transfers.c.state.in_(if_in)]
    if seen_since is not None:
        where.append(transfers.c.polled_at >= seen_since)
    return bool(connection.execute(update(transfers).where(*where).values(values)).rowcount)


def sweep(connection: Connection, *, ended: int, asked: int, joined: int, ahead: int) -> int:
    """Delete the transfers that ended before that moment, those whose caller has not asked since, and those who talk
    since longer than anybody can; and what is later than `ahead`, which a clock that was wrong wrote: whoever is
    engaged there would never be rung again. How many."""
    over = or_(transfers.c.ended_at < ended, transfers.c.ended_at > ahead, transfers.c.polled_at > ahead)
    lost = and_(
        transfers.c.ended_at.is_(None),
        or_(
            and_(transfers.c.state != "joined", transfers.c.polled_at < asked),
            transfers.c.polled_at < joined,
        ),
    )
    connection.execute(delete(staff_calls).where(or_(staff_calls.c.at < ended, staff_calls.c.at > ahead)))
    connection.execute(delete(attempts).where(or_(attempts.c.at < ended, attempts.c.at > ahead)))
    filled, full = budgets.c.left + (ended - budgets.c.at) * budgets.c.a_day, budgets.c.burst * ONE_TRY
    left = case((filled < full, filled), else_=full)
    connection.execute(update(budgets).where(budgets.c.at < ended).values(left=left, at=ended))
    return connection.execute(delete(transfers).where(or_(over, lost))).rowcount


def forget_told(connection: Connection, *, asked: int) -> None:
    """Of callers who have not asked since that moment: what they keyed is nobody's to hear any more. Whoever asks again
    brings it along."""
    lost = (transfers.c.told.is_not(None), transfers.c.polled_at < asked)
    connection.execute(update(transfers).where(*lost).values(told=None))


# ---- offers ----


def reserve(connection: Connection, row: OfferRow) -> bool:
    """A new offer. False where she was asked already, or is engaged with somebody else."""
    return _inserted(connection, offers, asdict(row))


def offer(connection: Connection, offer_id: bytes) -> OfferRow | None:
    """One offer, or None."""
    row = connection.execute(select(offers).where(offers.c.id == offer_id)).first()
    return None if row is None else OfferRow(**row._asdict())


def offer_of(connection: Connection, leg: str) -> OfferRow | None:
    """The offer that is bound to this leg, or None."""
    row = connection.execute(select(offers).where(offers.c.leg == leg)).first()
    return None if row is None else OfferRow(**row._asdict())


def count_once(connection: Connection, offer_id: bytes, outcome: str) -> bool:
    """Write how a talk went. False where that was said before, or where there was none."""
    where = (offers.c.id == offer_id, offers.c.state == "taken", offers.c.outcome.is_(None))
    return bool(connection.execute(update(offers).where(*where).values(outcome=outcome)).rowcount)


def offers_of(connection: Connection, transfer_id: bytes) -> Sequence[OfferRow]:
    """Every offer of a transfer."""
    statement = select(offers).where(offers.c.transfer == transfer_id).order_by(offers.c.id)
    return [OfferRow(**row._asdict()) for row in connection.execute(statement)]


def change_offer(connection: Connection, offer_id: bytes, *, if_in: Sequence[str], **values: Any) -> bool:
    """Write these columns (Any: of several kinds) of an offer that is in one of these states. False where it is not."""
    where = (offers.c.id == offer_id, offers.c.state.in_(if_in))
    return bool(connection.execute(update(offers).where(*where).values(values)).rowcount)


def withdraw(connection: Connection, offer_id: bytes, *, if_in: Sequence[str]) -> None:
    """As if she had never been asked, if her offer is in one of these states."""
    connection.execute(delete(offers).where(offers.c.id == offer_id, offers.c.state.in_(if_in)))


def release(connection: Connection, *, before: int) -> None:
    """Those who should have stopped ringing before this moment, and of whom nobody told: they are engaged no more."""
    silent = (offers.c.engaged.is_not(None), offers.c.state != "taken", offers.c.ends_at < before)
    connection.execute(update(offers).where(*silent).values(engaged=None))


def is_newest(connection: Connection, call: bytes, turn: int, *, at: int) -> bool:
    """Is this the newest turn of somebody's call so far? Then it is written down."""
    if _inserted(connection, staff_calls, {"id": call, "turn": turn, "at": at}):
        return True
    older = (staff_calls.c.id == call, staff_calls.c.turn < turn)
    return bool(connection.execute(update(staff_calls).where(*older).values(turn=turn, at=at)).rowcount)


def _inserted(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    statement: Any = _INSERT[connection.dialect.name](table).values(values)  # each dialect has its own
    return connection.execute(statement.on_conflict_do_nothing().returning(table.c.id)).first() is not None
