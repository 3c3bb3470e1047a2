"""The world as those meet it who answer callers: a call is taken or passed on, shifts are told and changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from ivr.engine.asks import (
    About,
    Answer,
    Ask,
    AskShift,
    CallerLeft,
    Connecting,
    CountOutcome,
    Duty,
    HearMore,
    Late,
    Meeting,
    Moment,
    NextIs,
    Noted,
    OnDuty,
    PassOffer,
    ShiftIs,
    SignedIn,
    SignIn,
    TakeOffer,
    Unknown,
)
from ivr.engine.call import Call
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.oncall.duty import ComesNext, OwnDuty
from ivr.oncall.people import Person, PersonId
from ivr.services import offering
from ivr.services.offering import Details, ForLeg, Meet, Whisper
from ivr.services.outcomes import Outcome
from ivr.services.pins import PINS
from ivr.services.rate_limit import Attempt, RateLimits
from ivr.services.telling import Envelopes
from ivr.services.transfers import Roster, Transfers


class Desk(Protocol):
    """What those who answer ask of their own duty; see services.duty. Raises StoreUnavailable."""

    async def by_pin(self, pin: str) -> PersonId | None: ...

    async def person(self, person: PersonId) -> Person | None: ...

    async def duty_of(self, person: PersonId, now: datetime) -> OwnDuty: ...

    async def next_on(self, now: datetime) -> ComesNext | None: ...

    async def switch_off(self, person: PersonId, now: datetime) -> OwnDuty: ...

    async def switch_on(self, person: PersonId, now: datetime) -> OwnDuty: ...

    async def hour_more(self, person: PersonId, *, told: datetime | None, now: datetime) -> OwnDuty: ...


class Tally(Protocol):
    """Counts how talks went. Never raises."""

    async def __call__(self, what: Outcome, today: date) -> None: ...


@dataclass(frozen=True, slots=True)
class StaffWorld:
    """`call.about` is the offer of whoever's phone rang, or who has signed in; `leg` is Plivo's name of the call that
    we placed to her."""

    transfers: Transfers
    rota: Roster
    desk: Desk
    count: Tally
    envelopes: Envelopes
    clock: Clock
    flow: Flow
    limits: RateLimits

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        """Raises StoreUnavailable: whoever answers is told that something went wrong, and others are rung."""
        match ask:
            case TakeOffer():
                return _taken(await self.transfers.take(call.about, leg.decode()))
            case PassOffer():
                await self.transfers.passed(call.about, leg.decode())
                return Noted()
            case HearMore():
                details = await self.transfers.details(call.about, leg.decode())
                return self._about(details) if isinstance(details, Details) else _taken(details)
            case CountOutcome():
                if await self.transfers.outcome(call.about, ask.outcome):
                    today = self.clock.now().astimezone(ZoneInfo(self.flow.zone)).date()
                    await self.count(Outcome(ask.outcome), today)
                return Noted()
            case SignIn():
                return await self._signed_in(ask.pin, call)
            case AskShift():
                return await self._shift(ask, call)
            case OnDuty():
                return Duty(bool(await self.rota.on_duty(self.clock.now())))
            case _:
                raise AssertionError("callers have a world of their own")

    def _about(self, details: Details) -> About:
        told = self.envelopes.open(details.transfer, details.told)
        return About(details.language, int(details.waited.total_seconds()), told)

    async def _signed_in(self, pin: str, call: Call) -> Answer:
        now = self.clock.now()
        attempt = Attempt.of(call.seed, call.turn, limit=PINS, is_first=not call.tries)
        if await self.limits.take(PINS, attempt, now) is None:
            return Unknown(is_closed=True)
        person = await self.desk.by_pin(pin)
        known = None if person is None else await self.desk.person(person)
        if person is None or known is None:
            return Unknown()
        self.limits.give_back(PINS, attempt, now)
        language = next((one for one in self.flow.languages if known.speaks(one)), self.flow.languages[0])
        return SignedIn(person, language, _told(await self.desk.duty_of(person, now), known.zone))

    async def _shift(self, ask: AskShift, call: Call) -> Answer:
        """Her wish, from what she heard last. A webhook that comes twice, or late, only tells how she stands."""
        person, now = PersonId(call.about), self.clock.now()
        known = await self.desk.person(person)
        zone = known.zone if known else self.flow.zone
        if ask.what == "next":
            following = await self.desk.next_on(now)
            return NextIs(following.person.name, _moment(following.at, zone)) if following else NextIs()
        is_wish = ask.what in ("switch", "hour") and await self.transfers.is_newest(call.seed, call.turn)
        return _told(await (self._wished(ask, person, now) if is_wish else self.desk.duty_of(person, now)), zone)

    async def _wished(self, ask: AskShift, person: PersonId, now: datetime) -> OwnDuty:
        if ask.what == "switch":
            return await (self.desk.switch_on(person, now) if ask.told < 0 else self.desk.switch_off(person, now))
        if ask.told == 0:  # on, without an end: an hour more is nothing more
            return await self.desk.duty_of(person, now)
        told = datetime.fromtimestamp(ask.told, UTC) if ask.told > 0 else None
        return await self.desk.hour_more(person, told=told, now=now)


def _told(duty: OwnDuty, zone: str) -> ShiftIs:
    """By her own clock."""
    changes_at = duty.until_at if duty.is_on else duty.next_at
    remembered = -1 if not duty.is_on else int(duty.until_at.timestamp()) if duty.until_at else 0
    return ShiftIs(duty.is_on, _moment(changes_at, zone) if changes_at else None, remembered)


def _moment(at: datetime, zone: str) -> Moment:
    here = at.astimezone(ZoneInfo(zone))
    return Moment(here.weekday(), here.hour, here.minute)


def _taken(heard: ForLeg) -> Answer:
    match heard:
        case Meet():
            return Meeting(heard.room)
        case offering.Connecting():
            return Connecting()
        case offering.CallerLeft():
            return CallerLeft()
        case offering.Late() | Whisper():
            return Late()
