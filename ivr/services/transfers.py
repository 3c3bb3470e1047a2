"""A warm transfer: from a caller's wish for a person to the two of them talking, or to the word that nobody can.

1. Each time the caller asks (her hold piece ends every few seconds), the ladder says whom to ring. Offers are written
   and committed first; then the phone company is asked, within a second; then she hears the next piece.
2. A phone that is answered binds its offer to that leg: nobody else answers for it.
3. Whoever presses 1 first takes the call, by a conditional update; the others stop ringing, or hear that it is taken.
4. She waits until the caller's next asking is answered with the conference, and joins it then; an advocate waits not
   for longer than 15 seconds in "connecting". Whoever of the two leaves the room, by whatever way, ends the talk: the
   other is taken out by request, at once, and again every few seconds until the phone company has confirmed it.
5. Whatever ends it, by whomever, is written once. Nothing here waits: no process needs to live between two webhooks.

Every method may be called late, twice, and by several workers at once."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from ivr.carrier.breaker import Breaker
from ivr.carrier.rest import Calls, Order, Outcome, Placed, Refused
from ivr.kit.clock import Clock
from ivr.kit.time_limits import TimeLimits
from ivr.oncall.ladder import GiveUp, Ladder, Ring, State, at_once, decide
from ivr.oncall.people import Person
from ivr.oncall.ring_limits import WAVE
from ivr.services import offering
from ivr.services.conferences import Conferences, in_time
from ivr.services.offering import (
    DIALLED,
    JOINED,
    LATEST_WORD,
    OVER,
    RINGING,
    TAKEN,
    CallerLeft,
    Details,
    DialNow,
    ForCaller,
    ForLeg,
    Hold,
    Late,
    Meet,
    NobodyCan,
    Reserved,
    Whisper,
    Wish,
)
from ivr.services.ring_state import RingState, ladder_of
from ivr.store import conferences
from ivr.store import live as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import OfferRow, TransferRow, milliseconds
from ivr.store.rings import one_at_a_time
from ivr.vault.derivation import digest

T = TypeVar("T")

_MARK_SIZE = 16

LONGEST_TALK = timedelta(hours=4)
TRIES = 3
"""So often, while she asks once, others are rung in the place of those whose numbers cannot be called."""


class Addresses(Protocol):
    """Where the phone company finds an offer."""

    def offered(self, offer: str) -> str: ...

    def offer_over(self, offer: str) -> str: ...


class Roster(Protocol):
    """Who can be rung. Never raises."""

    async def on_duty(self, at: datetime) -> tuple[Person, ...]: ...

    def last_known(self, at: datetime) -> tuple[Person, ...]: ...

    async def reached(self, person: bytes, *, is_failing: bool) -> None: ...


@dataclass(slots=True)
class Transfers:
    """Every transfer of a line. `languages` are the flow's, in its order. Raises StoreUnavailable where `live` is not
    there."""

    live: Database
    rota: Roster
    rest: Calls
    clock: Clock
    languages: tuple[str, ...]
    addresses: Addresses
    breaker: Breaker = field(default_factory=Breaker)
    live_seconds: float = TimeLimits().live
    _ends: set[asyncio.Task[bool]] = field(default_factory=set)
    """What is being told the phone company while nobody waits for it."""
    conferences: Conferences = field(init=False)

    def __post_init__(self) -> None:
        self.conferences = Conferences(self.live, self.rest, self.clock, self.live_seconds, self._tell)

    # ---- the caller ----

    async def ask(self, wish: Wish) -> ForCaller:
        """Her wish, or the end of a hold piece: what she hears next."""
        on_duty = await self.rota.on_duty(self.clock.now())
        asked, refused = _Asked(NobodyCan()), list[Person]()
        for _ in range(TRIES):
            now = self.clock.now()
            asked = await self._write(partial(self._asked, wish=wish, on_duty=on_duty, now=now))
            self._let_be(asked.over)
            if asked.answer == NobodyCan() and len(refused) > 1:
                # Rather an account that cannot call than several such numbers: it may dial all the same.
                return DialNow(tuple(refused[:WAVE]))
            if asked.answer is not None:
                return asked.answer
            if not self.breaker.lets_through(now):
                return await self._dial_instead(wish, on_duty, asked)
            outcomes = await self._ring(asked.reserved)
            if set(outcomes.values()) == {Refused()}:
                return await self._dial_instead(wish, on_duty, asked)
            refused += [one.person for one, came in outcomes.items() if came == Refused(is_about_number=True)]
            if Refused(is_about_number=True) not in outcomes.values():
                break
        return asked.hold

    async def leave(self, wish_id: bytes) -> None:
        """She pressed a key for something else instead, or came back from talking; a wish that never was, is none."""

        def end(connection: Connection) -> tuple[list[OfferRow], list[TransferRow]]:
            row, now = stored.transfer(connection, wish_id), self.clock.now()
            return offering.ended(connection, wish_id, now), [row] if row is not None and row.state == JOINED else []

        over, talks = await self._write(end)
        self._let_be(over)
        self.conferences.empty(talks)

    async def gone(self, callers: Sequence[bytes]) -> None:
        """The caller hung up. `callers`: the hashes that the call's id may have."""

        def end(connection: Connection) -> tuple[list[OfferRow], list[TransferRow]]:
            now = self.clock.now()
            rows = [row for caller in callers for row in stored.transfers_of(connection, caller)]
            for caller in callers:
                conferences.hung_up(connection, caller, at=milliseconds(now))
            over = [offer for row in rows for offer in offering.ended(connection, row.id, now)]
            return over, [row for row in rows if row.state == JOINED]

        over, talks = await self._write(end)
        self._let_be(over)
        self.conferences.empty(talks)  # whoever took the call may be there already, and wait

    # ---- a leg ----

    async def answered(self, offer_id: bytes, leg: str) -> ForLeg:
        """Somebody's phone was picked up: by her, by her voicemail, by whoever is near."""
        now = self.clock.now()
        answer, over = await self._write(lambda connection: offering.answered(connection, offer_id, leg, now))
        self._let_be([one for one in over if one.id != offer_id])
        if isinstance(answer, Whisper):
            await self.rota.reached(answer.person, is_failing=False)
        return answer

    async def take(self, offer_id: bytes, leg: str) -> ForLeg:
        """She pressed 1, or a piece of her waiting has ended. Exactly one of all who press gets the call."""
        now = self.clock.now()
        answer, losers = await self._write(lambda connection: offering.taken(connection, offer_id, leg, now))
        self._let_be(losers)
        return answer

    async def details(self, offer_id: bytes, leg: str) -> Details | Late | CallerLeft:
        """She wants to know what the call is about."""
        now = self.clock.now()
        return await self._write(lambda connection: offering.details(connection, offer_id, leg, now))

    async def passed(self, offer_id: bytes, leg: str) -> None:
        """She pressed anything but 1 and 3, or said nothing: the next one is rung when the caller asks."""
        await self._write(lambda connection: offering.passed(connection, offer_id, leg))

    async def leg_over(self, offer_id: bytes, leg: str, *, is_failing: bool) -> None:
        """Her phone stopped ringing, or the call with her is over. `is_failing`: it could not be reached at all."""
        now = self.clock.now()
        over = await self._write(
            lambda connection: offering.leg_over(connection, offer_id, leg, now, is_failing=is_failing)
        )
        self.conferences.empty([] if over.talk is None else [over.talk])
        if over.person is not None:
            await self.rota.reached(over.person, is_failing=is_failing)

    async def outcome(self, offer_id: bytes, outcome: str) -> bool:
        """How a talk went, in a word. False where it was told before, or nobody talked."""
        return await self._write(lambda connection: stored.count_once(connection, offer_id, outcome))

    async def is_newest(self, call: bytes, turn: int) -> bool:
        """Whether nothing that this call of somebody who answers wished later has been done already."""
        at = milliseconds(self.clock.now())
        return await self._write(lambda connection: stored.is_newest(connection, call, turn, at=at))

    async def is_first(self, token: str) -> bool:
        """Whether nothing has come of this token before. Known for as long as a live row is kept."""
        return await self.is_newest(digest(token.encode(), purpose="trial ring", size=_MARK_SIZE), 0)

    # ---- housekeeping ----

    async def sweep(self) -> None:
        """Delete what is over, in time, also where nobody calls: what is not due now would be late the next time."""
        now = self.clock.now()
        old = now - stored.STAYS + stored.SWEPT_EVERY
        moments = (old, old - LONGEST_TALK, now - offering.GONE_AFTER, now + stored.STAYS)
        ended, joined, gone, ahead = map(milliseconds, moments)

        def swept(connection: Connection) -> None:
            stored.sweep(connection, ended=ended, asked=ended, joined=joined, ahead=ahead)
            stored.forget_told(connection, asked=gone)

        await self.live.write(swept)
        await self.live.forget_deleted(stored.live.sorted_tables)

    async def close(self) -> None:
        """Wait until the phone company was told what it must know."""
        while self._ends:
            await asyncio.gather(*self._ends, return_exceptions=True)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await in_time(self.live.write(work), self.live_seconds)

    # ---- ringing ----

    def _asked(self, connection: Connection, *, wish: Wish, on_duty: tuple[Person, ...], now: datetime) -> "_Asked":
        if stored.transfer(connection, wish.id) is None and conferences.has_hung_up(connection, [wish.caller]):
            return _Asked(NobodyCan())  # an old message: nothing begins by it
        one_at_a_time(connection)
        stored.release(connection, before=milliseconds(now - LATEST_WORD))
        over = offering.forgotten(connection, wish, now)
        rings_from = RingState.read(connection, now).rings_from(wish, on_duty)
        row = offering.begun(connection, wish, now, rings_from=rings_from)
        came = self._came(connection, wish, row, on_duty, now)
        return replace(came, over=(*came.over, *over))

    def _came(
        self, connection: Connection, wish: Wish, row: TransferRow, on_duty: tuple[Person, ...], now: datetime
    ) -> "_Asked":
        """What came of her wish so far; while nobody has taken her call, what is to be done now."""
        if row.state == OVER:
            return _Asked(NobodyCan())
        if row.state == JOINED:
            return _Asked(Meet(row.room))
        ladder = self._ladder(connection, wish, row, on_duty)
        if row.state == DIALLED:
            people = _dialled_before(connection, row, ladder)
            return _Asked(DialNow(people) if people else NobodyCan())
        is_paused = now < ladder.began_at
        hold = Hold(max((ladder.began_at if is_paused else ladder.promised_at) - now, timedelta()), is_paused=is_paused)
        if wish.turn < row.turn:
            return _Asked(hold)
        if row.state == TAKEN:
            stored.change_transfer(connection, row.id, if_in=(TAKEN,), state=JOINED, told=None)
            return _Asked(Meet(row.room))
        if is_paused:
            return _Asked(hold)
        return self._decided(connection, wish, row, ladder, hold, now)

    def _decided(
        self, connection: Connection, wish: Wish, row: TransferRow, ladder: Ladder, hold: Hold, now: datetime
    ) -> "_Asked":
        """Nobody has taken her call yet: whom to ring, or what else."""
        for _ in range(len(ladder.on_duty) + 1):
            step = decide(ladder, offering.offers(connection, row.id), now)
            if isinstance(step, GiveUp):
                return _Asked(NobodyCan(), over=offering.ended(connection, row.id, now))
            if not isinstance(step, Ring):
                return _Asked(replace(hold, why=step.why))
            if self.breaker.is_shut(now):
                return _Asked(self._dialled(connection, row, ladder, now) or hold)
            reserved = tuple(Reserved.of(row.id, one, step.until_at) for one in step.people)
            kept = tuple(
                one for one in reserved if stored.reserve(connection, one.row(row.id, self.languages, now=now))
            )
            if kept:
                return _Asked(None, hold, reserved=kept)
            # All of them were rung for another caller this very moment: whom else?
            ladder = self._ladder(connection, wish, row, ladder.on_duty)
        return _Asked(hold)

    def _ladder(self, connection: Connection, wish: Wish, row: TransferRow, on_duty: tuple[Person, ...]) -> Ladder:
        now = self.clock.now()
        return ladder_of(connection, wish, row, languages=self.languages, on_duty=on_duty, now=now)

    async def _ring(self, reserved: Sequence[Reserved]) -> Mapping[Reserved, Outcome]:
        """Ask the phone company, all at once, and write down what it said."""
        now = self.clock.now()
        outcomes = dict(zip(reserved, await asyncio.gather(*(self._place(one, now) for one in reserved)), strict=True))
        for outcome in outcomes.values():
            if isinstance(outcome, Placed):
                self.breaker.worked()
            elif outcome == Refused():
                self.breaker.refused(now)
        with suppress(StoreUnavailable):  # what may ring counts as rung
            self._let_be(await self._write(lambda connection: offering.noted(connection, outcomes)))
        for one, outcome in outcomes.items():
            if outcome == Refused(is_about_number=True):
                await self.rota.reached(one.person.id, is_failing=True)
        return outcomes

    async def _place(self, one: Reserved, now: datetime) -> Outcome:
        name = one.id.hex()
        seconds = max(ceil((one.until_at - now).total_seconds()), 1)
        talk = int(LONGEST_TALK.total_seconds())
        return await self.rest.place(
            Order(one.person.phone, self.addresses.offered(name), self.addresses.offer_over(name), seconds, talk)
        )

    async def _dial_instead(self, wish: Wish, on_duty: tuple[Person, ...], asked: "_Asked") -> ForCaller:
        """Nobody can be rung for her one by one. While a phone may ring, nothing else rings it."""

        def end(connection: Connection) -> ForCaller:
            one_at_a_time(connection)
            row = stored.transfer(connection, wish.id)
            for one in asked.reserved:
                stored.withdraw(connection, one.id, if_in=(State.RESERVED,))
            if row is None or row.state != RINGING:
                return asked.hold
            ladder = self._ladder(connection, wish, row, on_duty)
            return self._dialled(connection, row, ladder, self.clock.now()) or asked.hold

        return await self._write(end)

    def _dialled(
        self, connection: Connection, row: TransferRow, ladder: Ladder, now: datetime
    ) -> DialNow | NobodyCan | None:
        """None while a phone may ring for her: then nothing else rings it."""
        if any(offer.is_active(now) for offer in offering.offers(connection, row.id)):
            return None
        # Whoever passed, or has not answered, is not rung again.
        people = at_once(ladder, offering.offers(connection, row.id), now=now)
        offering.dialled(connection, row.id, people, now)
        return DialNow(people) if people else NobodyCan()

    def _let_be(self, over: Iterable[OfferRow]) -> None:
        """Phones that need not ring any more. Nobody waits for it, and nobody is harmed where it fails: whoever answers
        late is told."""
        for offer in over:
            if offer.leg:
                told = self.rest.hang_up(offer.leg)
            elif offer.request:
                told = self.rest.cancel(offer.request)
            else:
                continue
            self._tell(told)

    def _tell(self, told: Coroutine[object, object, bool]) -> None:
        task = asyncio.create_task(told)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)


def _dialled_before(connection: Connection, row: TransferRow, ladder: Ladder) -> tuple[Person, ...]:
    """Whom the phone company was told to dial: a webhook that comes again is answered alike."""
    rung = {offer.person for offer in offering.offers(connection, row.id) if offer.state is State.DIALLED}
    everybody = replace(ladder, engaged=frozenset())
    return tuple(one for tier in everybody.rungs for one in everybody.in_order(tier.tier) if one.id in rung)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The answer, or who is to be rung before there is one. `over`: offers that nobody needs any more."""

    answer: ForCaller | None
    hold: Hold = field(default_factory=lambda: Hold(timedelta()))
    reserved: tuple[Reserved, ...] = ()
    over: Sequence[OfferRow] = ()
