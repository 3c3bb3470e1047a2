"""The world as a caller meets it: reports are kept, phones are rung. Answers every ask; failing is an answer too."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Protocol
from zoneinfo import ZoneInfo

from ivr.engine.asks import (
    Answer,
    Ask,
    AskStatus,
    Busy,
    ChangeConsent,
    Crowded,
    Dialling,
    Duty,
    Gone,
    Holding,
    Meeting,
    Nobody,
    Noted,
    NotNow,
    NotSaved,
    OnDuty,
    Opened,
    OpenReceipt,
    Ring,
    Saved,
    SaveReport,
    StatusIs,
    Stopped,
    StopRinging,
    Unsure,
    Withdraw,
)
from ivr.engine.call import Call
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.oncall.ladder import ASKS_EVERY, RINGS_FOR, Ladder, Rung, at_once
from ivr.oncall.people import Person, Tier
from ivr.oncall.ring_limits import SAME_PHONE_AFTER
from ivr.services.offering import DialNow, Hold, Meet, NobodyCan, Wish
from ivr.services.telling import Envelopes, told_in
from ivr.services.transfers import Roster, Transfers
from ivr.services.turns import World
from ivr.store.database import StoreUnavailable
from ivr.vault.derivation import derive
from ivr.vault.receipts import derive_id

RING_SECONDS = int(RINGS_FOR.total_seconds())
_ID_SIZE = 16


class Keeps(Protocol):
    """Keeps reports. Never raises."""

    async def keep(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved: ...


class Opens(Protocol):
    """Does what callers ask with their receipts. Never raises for the disk. See ivr.services.by_receipt."""

    async def open(self, code: str) -> Opened | Gone | NotNow: ...

    async def status(self, receipt: bytes) -> StatusIs | Gone | NotNow: ...

    async def change_consent(
        self, receipt: bytes, consent: str, *, change_id: bytes
    ) -> Noted | Gone | NotNow | Unsure: ...

    async def withdraw(self, receipt: bytes) -> Noted | Gone | NotNow | Unsure: ...


class Tries(Protocol):
    """Says whether a receipt may be tried now. Never raises. See ivr.services.receipt_limit."""

    async def take(self, call: Call, now: datetime, *, has_waited: bool) -> Busy | Crowded | NotNow | None: ...

    def give_back(self, call: Call, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class LiveWorld:
    """`flow` says where the day of a report is counted, and which languages there are."""

    reports: Keeps
    receipts: Opens
    tries: Tries
    rota: Roster
    transfers: Transfers
    envelopes: Envelopes
    clock: Clock
    flow: Flow

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        now = self.clock.now()
        match ask:
            case SaveReport():
                today = now.astimezone(ZoneInfo(self.flow.zone)).date()
                return await self.reports.keep(ask, seed=call.seed, turn=call.turn, today=today)
            case OpenReceipt():
                return await self._opened(ask, call, now)
            case AskStatus() | ChangeConsent() | Withdraw():
                return await by_receipt(self.receipts, ask, call)
            case Ring():
                return await self._ring(ask, call, leg, now)
            case StopRinging():
                with suppress(StoreUnavailable):  # then it ends because she does not ask any more
                    await self.transfers.leave(_wish_id(call, ask.visit))
                return Stopped()
            case OnDuty():
                return Duty(bool(await self.rota.on_duty(now)))
            case _:
                raise AssertionError("those who answer callers have a world of their own")

    async def gone(self, legs: Iterable[bytes]) -> None:
        """The caller hung up. `legs`: what their call may be known by."""
        with suppress(StoreUnavailable):  # as above
            await self.transfers.gone([_caller(leg) for leg in legs])

    async def has_gone(self, legs: Iterable[bytes]) -> bool:
        """Whether the caller is known to have hung up. `legs`: as above."""
        with suppress(StoreUnavailable):
            return await self.transfers.conferences.has_gone([_caller(leg) for leg in legs])
        return False

    async def entered(self, legs: Iterable[bytes]) -> None:
        """The caller is in their conference. `legs`: as above."""
        with suppress(StoreUnavailable):  # whoever took the call has most likely not left it
            await self.transfers.conferences.entered([_caller(leg) for leg in legs])

    async def left(self, legs: Iterable[bytes], room: str) -> None:
        """The caller has left this conference. `legs`: as above."""
        with suppress(StoreUnavailable):  # their hang-up, or what they hear next, tells it too
            await self.transfers.conferences.left([_caller(leg) for leg in legs], room)

    async def _opened(self, ask: OpenReceipt, call: Call, now: datetime) -> Answer:
        refused = await self.tries.take(call, now, has_waited=ask.has_waited)
        if refused is not None:
            return refused
        answer = await self.receipts.open(ask.code)
        if isinstance(answer, Opened):
            self.tries.give_back(call, now)
        return answer

    async def _ring(self, ask: Ring, call: Call, leg: bytes, now: datetime) -> Answer:
        rungs = tuple(Rung(Tier(tier), timedelta(seconds=seconds)) for tier, seconds in ask.rungs)
        wish_id = _wish_id(call, ask.visit)
        told = self.envelopes.seal(wish_id, told_in(call, self.flow))
        try:
            wish = Wish(wish_id, _caller(leg), call.language, rungs, call.turn, told, ask.visit, ask.is_silent)
            answer = await self.transfers.ask(wish)
        except StoreUnavailable:
            return self._without_rows(ask, at_once(self._ladder(rungs, call, now)))
        match answer:
            case Hold():
                return Holding(ceil(answer.left.total_seconds()), "paused" if answer.is_paused else answer.why.value)
            case Meet():
                return Meeting(answer.room)
            case DialNow(people=people) if people:
                return Dialling(tuple(person.phone for person in people), RING_SECONDS)
            case DialNow() | NobodyCan():
                return Nobody()

    @staticmethod
    def _without_rows(ask: Ring, people: tuple[Person, ...]) -> Answer:
        """Nobody knows whom she was offered to. Before a phone has rung for her, those on duty are dialled, but not
        those who were for this call within a minute; after it they ring already, and she waits to the end that she was
        promised."""
        if ask.waited is None:
            if ask.since_last is not None and ask.since_last < SAME_PHONE_AFTER.total_seconds():
                return Nobody()
            return Dialling(tuple(one.phone for one in people), RING_SECONDS) if people else Nobody()
        left = sum(seconds for _, seconds in ask.rungs) - ask.waited
        return Holding(left) if left > ASKS_EVERY.total_seconds() else Nobody()

    def _ladder(self, rungs: tuple[Rung, ...], call: Call, now: datetime) -> Ladder:
        on_duty: tuple[Person, ...] = self.rota.last_known(now)
        return Ladder(rungs, now, call.language, self.flow.languages, on_duty)


@dataclass(frozen=True, slots=True)
class RingsNobody:
    """The same world for a turn of a caller who may have left: no phone rings before they ask again, which only a call
    that goes on does."""

    world: World

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, Ring) and ask.waited is None:
            return Holding(sum(seconds for _, seconds in ask.rungs))
        return await self.world.answer(ask, call, leg)


async def by_receipt(receipts: Opens, ask: OpenReceipt | AskStatus | ChangeConsent | Withdraw, call: Call) -> Answer:
    """What a receipt's holder asked for, and what came of it."""
    match ask:
        case OpenReceipt():
            return await receipts.open(ask.code)
        case AskStatus():
            return await receipts.status(ask.receipt)
        case ChangeConsent():
            change_id = derive_id(call.seed, "change", visit=ask.change)
            return await receipts.change_consent(ask.receipt, ask.consent, change_id=change_id)
        case Withdraw():
            return await receipts.withdraw(ask.receipt)


def _wish_id(call: Call, visit: int) -> bytes:
    return derive(call.seed, visit.to_bytes(4), purpose="transfer", size=_ID_SIZE)


def _caller(leg: bytes) -> bytes:
    return derive(leg, b"", purpose="caller", size=_ID_SIZE)
