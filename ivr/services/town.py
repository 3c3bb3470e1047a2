"""The people of a talk and their phones, in memory: whom the line rings, who answers, what they press and hear. The
line's side is the real one; only the phone company, the rota and the disk are played."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from ivr.carrier.rest import Order, Outcome, Placed
from ivr.engine.call import SEED_BYTES, Call, begin, pack, unpack
from ivr.engine.effects import HangUp, Hold, Meet, Turn, WaitForKey
from ivr.engine.inputs import Began, FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.flow.speech import timeline
from ivr.kit.clock import VirtualClock
from ivr.oncall.duty import ComesNext, OwnDuty
from ivr.oncall.people import Person, PersonId, Tier
from ivr.services.offering import Whisper
from ivr.services.outcomes import Outcome as Word
from ivr.services.rate_limit import RateLimits
from ivr.services.shelf import Shelf
from ivr.services.staff import StaffWorld
from ivr.services.telling import Envelopes
from ivr.services.transfers import Transfers
from ivr.services.turns import take_turn
from ivr.services.world import LiveWorld
from ivr.store import live
from ivr.store.database import Database
from ivr.vault.tokens import token_keys

PATIENT = 60
"""Seconds: a talk tells nothing of a busy machine."""

FIRST_PIN = 10_000_001


@dataclass(slots=True)
class Roster:
    """Those who are on call in a talk, all the time."""

    people: tuple[Person, ...]

    async def on_duty(self, at: datetime) -> tuple[Person, ...]:
        return self.last_known(at)

    def last_known(self, _at: datetime) -> tuple[Person, ...]:
        return self.people

    async def reached(self, person: bytes, *, is_failing: bool) -> None:
        del person, is_failing


@dataclass(slots=True)
class Desk:
    """The shifts of a talk: whoever is on call is so all the time, unless she switches herself off. The PINs are
    10000001, 10000002, ... in the order of the talk."""

    roster: Roster
    everybody: tuple[Person, ...]

    async def by_pin(self, pin: str) -> PersonId | None:
        place = int(pin) - FIRST_PIN
        return self.everybody[place].id if 0 <= place < len(self.everybody) else None

    async def person(self, person: PersonId) -> Person | None:
        return next((one for one in self.everybody if one.id == person), None)

    async def duty_of(self, person: PersonId, now: datetime) -> OwnDuty:
        return OwnDuty(any(one.id == person for one in self.roster.last_known(now)))

    async def next_on(self, now: datetime) -> ComesNext | None:
        del now
        return None

    async def switch_off(self, person: PersonId, now: datetime) -> OwnDuty:
        self.roster.people = tuple(one for one in self.roster.people if one.id != person)
        return await self.duty_of(person, now)

    async def switch_on(self, person: PersonId, now: datetime) -> OwnDuty:
        on = {one.id for one in self.roster.people} | {person}
        self.roster.people = tuple(one for one in self.everybody if one.id in on)
        return await self.duty_of(person, now)

    async def hour_more(self, person: PersonId, *, told: datetime | None, now: datetime) -> OwnDuty:
        del told
        return await self.switch_on(person, now)


async def _counted(what: Word, today: date) -> None:
    """Talks count nothing."""
    del what, today


@dataclass(slots=True)
class Phone:
    """One person's. `offer`: for which it rings or rang last; `turn`: where she is once she has answered."""

    person: Person
    offer: bytes | None = None
    rings_until: datetime | None = None
    leg: str = ""
    turn: Turn | None = None
    heard: Turn | None = None
    talks: bool = False
    sleeps: bool = False

    @property
    def is_answered(self) -> bool:
        return self.turn is not None


@dataclass(slots=True)
class Town:
    """Everybody's phones, and the phone company between them and the line."""

    staff: Flow
    clock: VirtualClock
    phones: dict[str, Phone]
    transfers: Transfers = field(init=False)
    world: StaffWorld = field(init=False)
    rung: int = 0

    # ---- the phone company, as the line asks it ----

    async def place(self, order: Order) -> Outcome:
        phone = next(phone for phone in self.phones.values() if phone.person.phone == order.to)
        self.rung += 1
        phone.offer = bytes.fromhex(order.answer_url)
        phone.rings_until = self.clock.now() + timedelta(seconds=order.ring_seconds)
        phone.leg, phone.turn, phone.heard, phone.talks, phone.sleeps = f"{self.rung:08}", None, None, False, False
        return Placed(phone.leg)

    async def cancel(self, request_uuid: str) -> bool:
        for phone in self.phones.values():
            if phone.leg == request_uuid:
                phone.rings_until = None
        return True

    async def hang_up(self, call_uuid: str) -> bool:
        for phone in self.phones.values():
            if phone.leg == call_uuid:
                phone.turn = None
        return True

    async def empty(self, room: str) -> bool:
        del room
        return True

    async def aclose(self) -> None:
        pass

    async def settle(self) -> None:
        """What the line had to tell the phone company is told."""
        await self.transfers.close()

    # ---- what people do ----

    def rings(self, phone: Phone) -> bool:
        return phone.rings_until is not None and not phone.is_answered and self.clock.now() < phone.rings_until

    async def answers(self, phone: Phone) -> None:
        assert phone.offer is not None
        heard = await self.transfers.answered(phone.offer, phone.leg)
        offered = self.staff.offered or self.staff.start
        call = begin(self.staff, seed=bytes(SEED_BYTES), at=self.clock.now())
        language = heard.language if isinstance(heard, Whisper) else call.language
        step = offered if isinstance(heard, Whisper) else f"{offered}.take"
        await self._turn(phone, replace(call, step=step, language=language, about=phone.offer), Began())

    async def presses(self, phone: Phone, key: str) -> None:
        await self._hears(phone, Pressed(key))

    async def says_nothing(self, phone: Phone) -> None:
        await self._hears(phone, FellSilent())

    async def hangs_up(self, phone: Phone, *, is_failing: bool = False) -> bool:
        """Or cannot be reached, or is busy. Whether she was talking with the caller."""
        assert phone.offer is not None
        talked, phone.talks, phone.turn, phone.rings_until = phone.talks, False, None, None
        await self.transfers.leg_over(phone.offer, phone.leg, is_failing=is_failing)
        return talked

    async def caller_comes(self) -> None:
        """The piece that an advocate hears while the caller is fetched has ended."""
        for phone in self.phones.values():
            if phone.turn is not None and isinstance(phone.turn.then, Hold):
                await self._hears(phone, FellSilent())

    async def caller_leaves(self) -> None:
        """The conversation is over for whoever talks."""
        for phone in self.phones.values():
            if phone.talks:
                phone.talks = False
                await self._hears(phone, Returned(talked=True))

    async def _hears(self, phone: Phone, received: Input) -> None:
        assert phone.turn is not None, "she has answered"
        await self._turn(phone, phone.turn.call, received)

    async def _turn(self, phone: Phone, call: Call, received: Input) -> None:
        kept = unpack(pack(call, self.staff), self.staff)
        now, leg = self.clock.now(), phone.leg.encode()
        turn = await take_turn(self.staff, kept, received, now=now, world=self.world, leg=leg)
        phone.heard = turn
        phone.turn = None if isinstance(turn.then, HangUp) else turn
        phone.talks = isinstance(turn.then, Meet)
        if isinstance(turn.then, HangUp):
            await self.hangs_up(phone)

    def whispered(self, phone: Phone) -> tuple[tuple[str, str], ...]:
        """What she heard last: prompts, each with its language."""
        if phone.heard is None:
            return ()
        heard = timeline(phone.heard.said, phone.heard.call.language, self.staff.catalogues)
        return tuple((said.phrase.prompt, said.language) for said in heard)

    def is_connecting(self, phone: Phone) -> bool:
        return phone.turn is not None and isinstance(phone.turn.then, Hold)

    def waits_for_key(self, phone: Phone) -> bool:
        return phone.turn is not None and isinstance(phone.turn.then, WaitForKey | Hold)


class _Unlimited:
    """Nobody guesses receipts here."""

    async def take(self, call: Call, now: datetime, *, has_waited: bool) -> None:
        del call, now, has_waited

    def give_back(self, call: Call, now: datetime) -> None:
        pass


class _Offers:
    """Where the phone company finds an offer: by its name."""

    def offered(self, offer: str) -> str:
        return offer

    def offer_over(self, offer: str) -> str:
        return offer


@asynccontextmanager
async def settled(
    flow: Flow, staff: Flow, people: Sequence[Person], clock: VirtualClock
) -> AsyncIterator[tuple[LiveWorld, Town, Shelf]]:
    """A town whose people are on call, and the world that a caller of its line meets."""
    with tempfile.TemporaryDirectory(prefix="porchlight-talk-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'live.db'}")
        try:
            await database.furnish(live.create)
            town = Town(staff, clock, {person.name: Phone(person) for person in people})
            roster, memory = Roster(tuple(people)), Shelf()
            envelopes = Envelopes(token_keys(Path(folder) / "keys"), clock)
            town.transfers = Transfers(database, roster, town, clock, flow.languages, _Offers(), live_seconds=PATIENT)
            desk = Desk(roster, tuple(people))
            limits = RateLimits(database, PATIENT)
            town.world = StaffWorld(town.transfers, roster, desk, _counted, envelopes, clock, staff, limits)
            yield LiveWorld(memory, memory, _Unlimited(), roster, town.transfers, envelopes, clock, flow), town, memory
            await town.transfers.close()
            await limits.close()
        finally:
            await database.close()


def person(name: str, number: int, languages: tuple[str, ...], tier: Tier) -> Person:
    """Somebody of a talk, with a number of her own."""
    return Person(PersonId(name.encode()), name, f"+1500555{number:04}", languages, tier, "UTC")
