"""What becomes of a transfer and its offers: one function of a connection for each thing that can happen, and each may
come late, or twice. Knows no phone company."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ivr.carrier.rest import Outcome, Placed, Refused
from ivr.oncall.ladder import ACTIVE, ASKS_EVERY, RINGS_FOR, Offer, Rung, State, Waiting
from ivr.oncall.people import Person, PersonId
from ivr.store import live as stored
from ivr.store.live import OfferRow, TransferRow, milliseconds, moment
from ivr.vault.derivation import derive

GONE_AFTER = timedelta(seconds=15)
"""A caller who has not asked for so long has gone; an advocate who took her call waits so long for her."""

WHISPER_LASTS = timedelta(seconds=25)
"""So long somebody who answered may think about it before the next one is rung."""

LATEST_WORD = timedelta(seconds=30)
"""So long after a phone should have stopped ringing its end may still be told; then she can be rung for others. So long
after a talk ended, somebody may still come into its room."""

RINGING, TAKEN, JOINED, DIALLED, OVER = "ringing", "taken", "joined", "dialled", "over"
_UNANSWERED = (State.RESERVED, State.RINGING)
_ROOM_SIZE = 12
_OFFER_SIZE = 16


# ---- what a caller's asking is answered with ----


@dataclass(frozen=True, slots=True)
class Hold:
    """Phones ring, or what else the caller waits for: say so, and ask again. `left`: at most so long until the caller
    knows; if it `is_paused`, until phones ring again."""

    left: timedelta
    why: Waiting = Waiting.RINGING
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Meet:
    """Somebody has taken the call: both go into this conference."""

    room: str


@dataclass(frozen=True, slots=True)
class NobodyCan:
    """Nobody is left to ring, or the promised time is over."""


@dataclass(frozen=True, slots=True)
class DialNow:
    """The phone company rings nobody for us: let it dial these itself, all at once."""

    people: tuple[Person, ...]


# ---- what an advocate's leg is answered with ----


@dataclass(frozen=True, slots=True)
class Whisper:
    """She may take it, and is asked in this language. `person`: whose phone it is."""

    language: str
    person: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Details:
    """The caller's language, how long she has waited so far, and what she keyed, sealed for this transfer."""

    transfer: bytes
    language: str
    waited: timedelta
    told: str | None


@dataclass(frozen=True, slots=True)
class Connecting:
    """It is hers; the caller has not heard yet."""


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody else has taken it, or it is over."""


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """There is nobody to talk with any more."""


ForCaller = Hold | Meet | NobodyCan | DialNow
ForLeg = Whisper | Connecting | Meet | Late | CallerLeft


@dataclass(frozen=True, slots=True)
class Wish:
    """A caller's wish for a person. `id`: derived from her call's seed; `caller`: the keyed hash of her call's id;
    `turn`: of her call, so that what comes late is known; `told`: sealed, what she keyed; `visit` and `is_silent`: see
    ivr.engine.asks.Ring."""

    id: bytes
    caller: bytes
    language: str
    rungs: tuple[Rung, ...]
    turn: int = 0
    told: str | None = None
    visit: int = 1
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Reserved:
    """Somebody who is about to be rung."""

    id: bytes
    person: Person
    until_at: datetime

    @classmethod
    def of(cls, transfer: bytes, person: Person, until_at: datetime) -> "Reserved":
        return cls(derive(transfer, person.id, purpose="offer", size=_OFFER_SIZE), person, until_at)

    def row(self, transfer: bytes, languages: tuple[str, ...], *, now: datetime) -> OfferRow:
        """`languages`: those in which she can be asked."""
        language = next((one for one in languages if self.person.speaks(one)), languages[0])
        at, ends_at = milliseconds(now), milliseconds(self.until_at)
        return OfferRow(self.id, transfer, self.person.id, self.person.id, language, State.RESERVED, at, ends_at)


# ---- the caller ----


def begun(connection: Connection, wish: Wish, now: datetime, *, rings_from: datetime) -> TransferRow:
    """Her transfer, new or as it is; that she asked is written down, unless she has asked again since. `rings_from`: of
    a new one."""
    at, rings = milliseconds(now), milliseconds(rings_from)
    room = derive(wish.id, b"", purpose="room", size=_ROOM_SIZE).hex()
    new = TransferRow(wish.id, wish.caller, room, wish.language, RINGING, None, at, rings, at)
    stored.begin(connection, replace(new, turn=wish.turn, told=wish.told))
    row = stored.transfer(connection, wish.id)
    assert row is not None, "it was written, and is ours until this transaction ends"
    if row.turn <= wish.turn:
        stored.change_transfer(connection, wish.id, if_in=(RINGING, TAKEN), polled_at=at, turn=wish.turn)
        stored.change_transfer(connection, wish.id, if_in=(RINGING,), told=wish.told)
    return row


def forgotten(connection: Connection, wish: Wish, now: datetime) -> list[OfferRow]:
    """A caller has one wish at a time: an earlier one, whose end nobody could write, is over. The offers that nobody
    needs any more."""
    others = [row for row in stored.transfers_of(connection, wish.caller) if row.id != wish.id]
    lost = [row for row in others if row.ended_at is None and row.turn < wish.turn]
    return [offer for row in lost for offer in ended(connection, row.id, now)]


def offers(connection: Connection, transfer: bytes) -> list[Offer]:
    """As the ladder knows them."""
    rows = stored.offers_of(connection, transfer)
    return [Offer(PersonId(row.person), State(row.state), moment(row.ends_at)) for row in rows]


def noted(connection: Connection, outcomes: Mapping[Reserved, Outcome]) -> list[OfferRow]:
    """What the phone company said. The offers that nobody needs any more: the transfer was over meanwhile."""
    over: list[OfferRow] = []
    for one, outcome in outcomes.items():
        if outcome == Refused():
            # No phone rang, and it says nothing about hers: she is still to be asked.
            stored.withdraw(connection, one.id, if_in=_UNANSWERED)
            continue
        if isinstance(outcome, Refused):
            stored.change_offer(connection, one.id, if_in=_UNANSWERED, state=State.FAILED, engaged=None)
            continue
        request = outcome.request_uuid if isinstance(outcome, Placed) else None
        # She may have answered before the phone company told us that it rings.
        stored.change_offer(connection, one.id, if_in=(State.RESERVED,), state=State.RINGING, request=request)
        row = stored.offer(connection, one.id)
        if row is not None and row.state == State.CANCELLED and request is not None:
            over.append(replace(row, request=request))
    return over


def dialled(connection: Connection, transfer: bytes, people: tuple[Person, ...], now: datetime) -> None:
    """The phone company dials these itself, once the caller has heard so: it is over for us, and their phones have rung
    for this call."""
    rung_at = now + ASKS_EVERY
    for person in people:
        offer = Reserved.of(transfer, person, rung_at + RINGS_FOR).row(transfer, person.languages, now=rung_at)
        stored.reserve(connection, replace(offer, engaged=None, state=State.DIALLED))
    ended(connection, transfer, now, state=DIALLED)


def ended(connection: Connection, transfer: bytes, now: datetime, *, state: str = OVER) -> list[OfferRow]:
    """It is over. The offers that were active, as they were: their phones need not ring any more."""
    stored.transfer(connection, transfer)
    at = milliseconds(now)
    stored.change_transfer(connection, transfer, if_in=(RINGING, TAKEN, JOINED), state=state, ended_at=at, told=None)
    return _cancelled(connection, transfer)


# ---- a leg ----


def answered(connection: Connection, offer_id: bytes, leg: str, now: datetime) -> tuple[ForLeg, list[OfferRow]]:
    """What she hears, and the offers that nobody needs any more: nobody is asked to take the call of a caller who has
    gone without a word."""
    row, transfer = _of(connection, offer_id, leg)
    if row is None or transfer is None:
        return Late(), []
    if transfer.state == RINGING and now - moment(transfer.polled_at) > GONE_AFTER:
        return CallerLeft(), ended(connection, transfer.id, now)
    return _asked_to_take(connection, row, transfer, leg, now), []


def _asked_to_take(connection: Connection, row: OfferRow, transfer: TransferRow, leg: str, now: datetime) -> ForLeg:
    if row.state in _UNANSWERED and transfer.state == RINGING:
        ends_at = milliseconds(now + WHISPER_LASTS)
        stored.change_offer(connection, row.id, if_in=_UNANSWERED, state=State.ANSWERED, leg=leg, ends_at=ends_at)
        return Whisper(row.language, row.person)
    if row.state == State.ANSWERED and transfer.state == RINGING:
        return Whisper(row.language, row.person)
    return _hers(connection, row, transfer, now)


def details(connection: Connection, offer_id: bytes, leg: str, now: datetime) -> Details | Late | CallerLeft:
    """What somebody may know whose phone was answered: by her key, so by no mailbox."""
    row, transfer = _of(connection, offer_id, leg)
    if row is None or transfer is None or row.leg is None or transfer.state != RINGING:
        return _missed(transfer)
    return Details(transfer.id, transfer.language, now - moment(transfer.began_at), transfer.told)


def taken(connection: Connection, offer_id: bytes, leg: str, now: datetime) -> tuple[ForLeg, list[OfferRow]]:
    """She takes it, if she is the first. What she hears, and the offers that nobody needs any more."""
    row, transfer = _of(connection, offer_id, leg)
    if row is None or transfer is None or row.leg is None:
        return _missed(transfer), []
    if row.state == State.ANSWERED and transfer.state == RINGING:
        at, since = milliseconds(now), milliseconds(now - GONE_AFTER)
        if stored.change_transfer(
            connection,
            transfer.id,
            if_in=(RINGING,),
            seen_since=since,
            state=TAKEN,
            taken_by=row.id,
            taken_at=at,
            told=None,
        ):
            stored.change_offer(connection, row.id, if_in=(State.ANSWERED,), state=State.TAKEN)
            return Connecting(), _cancelled(connection, transfer.id)
        return CallerLeft(), ended(connection, transfer.id, now)
    return _hers(connection, row, transfer, now), []


def passed(connection: Connection, offer_id: bytes, leg: str) -> None:
    row, _ = _of(connection, offer_id, leg)
    if row is not None and row.leg is not None:
        stored.change_offer(connection, row.id, if_in=(State.ANSWERED,), state=State.PASSED, engaged=None)


@dataclass(frozen=True, slots=True)
class LegOver:
    """`person`: whose phone it was, where nobody answered it: this says whether it can be reached. `talk`: where the
    caller may be left alone."""

    person: bytes | None = None
    talk: TransferRow | None = None


def leg_over(connection: Connection, offer_id: bytes, leg: str, now: datetime, *, is_failing: bool) -> LegOver:
    row, transfer = _of(connection, offer_id, leg)
    if row is None:
        return LegOver()
    state = State.FAILED if is_failing else State.MISSED
    if stored.change_offer(connection, row.id, if_in=_UNANSWERED, state=state, engaged=None):
        return LegOver(row.person)
    talk = None
    stored.change_offer(connection, row.id, if_in=(State.ANSWERED,), state=State.PASSED)
    stored.change_offer(connection, row.id, if_in=tuple(State), engaged=None)
    if transfer is not None and transfer.taken_by == row.id:
        # She is gone before they met: the caller waits on, and others are rung. After it: their talk is over.
        stored.change_transfer(connection, transfer.id, if_in=(TAKEN,), state=RINGING, taken_by=None, taken_at=None)
        talk = talk_over(connection, transfer, now)
    return LegOver(talk=talk)


def talk_over(connection: Connection, transfer: TransferRow, now: datetime) -> TransferRow | None:
    """One of the two has left the room: their talk is over. The transfer, where it was not before: the other one must
    not be left in that room."""
    is_new = stored.change_transfer(connection, transfer.id, if_in=(JOINED,), state=OVER, ended_at=milliseconds(now))
    return transfer if is_new else None


def talk_of(connection: Connection, leg: str) -> tuple[OfferRow, TransferRow] | None:
    """The offer that was taken on this leg, and its transfer."""
    row = stored.offer_of(connection, leg)
    transfer = None if row is None else stored.transfer(connection, row.transfer)
    return None if row is None or transfer is None or transfer.taken_by != row.id else (row, transfer)


def is_just_over(row: TransferRow, now: datetime) -> bool:
    """Whoever comes into its room now was on the way there when it ended. Later nobody comes: it is an old message."""
    return row.state == OVER and row.ended_at is not None and now - moment(row.ended_at) <= LATEST_WORD


def _of(connection: Connection, offer_id: bytes, leg: str) -> tuple[OfferRow | None, TransferRow | None]:
    """An offer and its transfer, nobody else's to change meanwhile; nothing for another leg than the one it is bound
    to."""
    row = stored.offer(connection, offer_id)
    transfer = None if row is None else stored.transfer(connection, row.transfer)
    row = stored.offer(connection, offer_id)  # as it is now that nobody else changes it
    return (row, transfer) if row is not None and row.leg in (None, leg) else (None, None)


def _hers(connection: Connection, row: OfferRow, transfer: TransferRow, now: datetime) -> ForLeg:
    """What whoever took the call hears; whoever did not, that it is taken."""
    if row.state != State.TAKEN or row.leg is None:
        return _missed(transfer)
    if transfer.state == JOINED:
        return Meet(transfer.room)
    if transfer.state == TAKEN and now - moment(transfer.taken_at or 0) <= GONE_AFTER:
        return Connecting()
    if transfer.taken_by != row.id:  # they left before they met, and others are rung since
        return _missed(transfer)
    ended(connection, transfer.id, now)
    return CallerLeft()


def _missed(transfer: TransferRow | None) -> Late | CallerLeft:
    """Why a call is not to be had any more."""
    is_nobody_s = transfer is not None and transfer.state in (OVER, DIALLED) and transfer.taken_by is None
    return CallerLeft() if is_nobody_s else Late()


def _cancelled(connection: Connection, transfer: bytes) -> list[OfferRow]:
    active = [row for row in stored.offers_of(connection, transfer) if row.state in ACTIVE]
    for row in active:
        stored.change_offer(connection, row.id, if_in=tuple(ACTIVE), state=State.CANCELLED, engaged=None)
    return active
