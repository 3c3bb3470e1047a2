"""Talks, played: the same engine, a clock that moves only when something is said, and a town whose people follow the
script. What differs from the script is a diagnostic, with the place in the talk."""

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from ivr.engine.asks import (
    Answer,
    Ask,
    AskStatus,
    ChangeConsent,
    Dialling,
    Duty,
    Nobody,
    OnDuty,
    OpenReceipt,
    Ring,
    SaveReport,
    Withdraw,
)
from ivr.engine.call import SEED_BYTES, Call, begin, pack, unpack
from ivr.engine.effects import Connect, HandOver, Hold, Meet, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import Began, FellSilent, Input, Pressed, Returned
from ivr.flow.diagnostics import Diagnostic, Place, listed
from ivr.flow.graph import Flow
from ivr.flow.line import HOLDING
from ivr.flow.speech import timeline
from ivr.flow.talk import RECEIPT, Act, Advocate, HangsUp, Hears, Partner, Press, Silence, Talk, Text, TypeDigits
from ivr.kit.clock import VirtualClock
from ivr.oncall.people import Tier
from ivr.services.comparing import Differs, before, compare, heard, prompts_of
from ivr.services.rehearsing_texts import TextRehearsal
from ivr.services.shelf import Shelf
from ivr.services.town import Phone, Town, person, settled
from ivr.services.turns import World, take_turn
from ivr.services.world import LiveWorld, by_receipt

RINGS_SECONDS = 20
MOST_PIECES = 60
"""More hold pieces than any wait has."""

_LEG = b"the caller"


@dataclass(slots=True)
class Memory:
    """A world without disk and phones: keeps the newest save of each report, rings whoever is on call."""

    on_call: tuple[str, ...] = ()
    shelf: Shelf = field(default_factory=Shelf)
    rung: int = 0

    @property
    def reports(self) -> dict[tuple[str, int], SaveReport]:
        return self.shelf.reports

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        del leg
        match ask:
            case SaveReport():
                return await self.shelf.keep(ask, seed=call.seed, turn=call.turn, today=call.began_at.date())
            case OpenReceipt() | AskStatus() | ChangeConsent() | Withdraw():
                return await by_receipt(self.shelf, ask, call)
            case Ring():
                self.rung += 1
                return Dialling(self.on_call, RINGS_SECONDS) if self.on_call else Nobody()
            case OnDuty():
                return Duty(bool(self.on_call))
            case _:
                raise AssertionError("nobody holds here, and those who answer have a world of their own")


async def rehearse(flow: Flow, staff: Flow, talk: Talk) -> Diagnostic | None:
    """Play one talk; the first thing that went otherwise, or None."""
    tiers = ((Tier.ON_CALL, talk.on_call), (Tier.BACKUP, talk.backup))
    everybody = [(tier, one) for tier, people in tiers for one in people]
    people = [
        person(one.name, number, (one.language,) if one.language else flow.languages, tier)
        for number, (tier, one) in enumerate(everybody, start=1)
    ]
    clock = VirtualClock(talk.at.replace(tzinfo=ZoneInfo(flow.zone)).astimezone(UTC))
    async with settled(flow, staff, people, clock) as (world, town, shelf):
        if talk.before is not None:
            made = talk.before.made
            shelf.give(*before(talk.before), made=made.day if made is not None else talk.at.date())
        if talk.channel == "text":
            return await TextRehearsal(flow, talk, world, shelf, clock).play()
        return await _Rehearsal(flow, staff, talk, world, town, shelf, clock).play()


@dataclass(slots=True)
class _Rehearsal:
    flow: Flow
    staff: Flow
    talk: Talk
    callers: LiveWorld
    town: Town
    shelf: Shelf
    clock: VirtualClock
    turn: Turn = field(init=False)
    side: tuple[Flow, World] = field(init=False)
    """Which flow she walks through, and the world that she meets there."""
    transfers: list[str] = field(default_factory=list)
    wishes: int = 0
    left: bool = False

    async def play(self) -> Diagnostic | None:
        try:
            await self._begin(to_staff=False)
            for act in self.talk.acts:
                await self._act(act)
            self._compare()
        except Differs as differs:
            return differs.diagnostic
        return None

    async def _begin(self, *, to_staff: bool) -> None:
        self.side = (self.staff, self.town.world) if to_staff else (self.flow, self.callers)
        await self._take(begin(self.side[0], seed=bytes(SEED_BYTES), at=self.clock.now()), Began())

    async def _act(self, act: Act) -> None:
        """What advocates do and hear may follow the caller's hanging up; nothing else may."""
        match act:
            case Hears(who=str(who)):
                heard(act, self.town.whispered(self.town.phones[who]))
            case Advocate():
                await self._advocate(act)
            case _ if self.left:
                message = "The call is over here already."
                raise Differs(act.place, message, "Remove what follows, or press something else before.")
            case _:
                await self._caller(act)

    async def _caller(self, act: Act) -> None:
        match act:
            case Press():
                for key in act.keys:
                    await self._hear(Pressed(key), act.place)
            case TypeDigits():
                keys = self.shelf.code if act.keys == RECEIPT else act.keys
                await self._hear(Pressed(keys if keys.endswith(("*", "#")) else f"{keys}#"), act.place)
            case Text():
                message = "Nothing is written in a call."
                raise Differs(act.place, message, "Write `press:` instead, or `channel: text` above `call:`.")
            case Silence():
                for _ in range(act.times):
                    await self._hear(FellSilent(), act.place)
            case Hears():
                heard(act, prompts_of(self.turn.said, self.turn.call.language))
            case Partner():
                await self._put_through(act)
            case HangsUp():
                self.left = True
                await self.callers.gone([_LEG])
                await self.town.settle()
                await self.town.caller_leaves()

    async def _hear(self, received: Input, place: Place) -> None:
        then = self.turn.then
        if isinstance(then, Meet):
            raise Differs(place, "She talks with somebody here.", "End that first: `advocate: WHO hangs up`.")
        is_told = isinstance(then, Connect) and isinstance(received, Pressed)
        if not (is_told or isinstance(then, WaitForKey | WaitForDigits | Hold)):
            raise Differs(place, "No key can be pressed here: the line has hung up.", "End the talk before.")
        waited = then.seconds if isinstance(then, WaitForKey | WaitForDigits | Hold) else 0
        self.clock.advance(timedelta(seconds=waited if isinstance(received, FellSilent) else 1))
        await self._take(self.turn.call, received)

    async def _take(self, call: Call, received: Input) -> None:
        flow, world = self.side
        kept = unpack(pack(call, flow), flow)
        now = self.clock.now()
        self.shelf.forget(self.flow, now)
        self.turn = await take_turn(flow, kept, received, now=now, world=world, leg=_LEG)
        said = list(timeline(self.turn.said, self.turn.call.language, self.flow.catalogues))
        self.clock.advance(timedelta(seconds=said[-1].ends_at if said else 0))
        await self.town.settle()
        await self.town.caller_comes()
        if self.turn.call.transfers > self.wishes and not isinstance(self.turn.then, Hold):
            self.wishes = self.turn.call.transfers
            self.transfers.append(self._came_of_it())
        if isinstance(self.turn.then, HandOver):
            await self._begin(to_staff=self.turn.then.to_staff)

    def _came_of_it(self) -> str:
        taken = next((name for name, phone in self.town.phones.items() if phone.talks), None)
        return f"taken by {taken}" if isinstance(self.turn.then, Meet) and taken else "nobody"

    async def _put_through(self, act: Partner) -> None:
        """To a number outside: they talk, and hang up there; or nobody answers."""
        then = self.turn.then
        if not isinstance(then, Connect):
            raise Differs(act.place, "She is not put through to anybody here.", "Press what leads there before.")
        if not act.talks:
            self.clock.advance(timedelta(seconds=then.seconds))
        await self._take(self.turn.call, Returned(talked=act.talks))

    # ---- those who answer ----

    async def _advocate(self, act: Advocate) -> None:
        phone = self.town.phones[act.who]
        match act.does.split():
            case ["sleeps"]:
                await self._sleeps(phone, act)
            case ["takes", *_]:
                await self._answers(phone, act)
                await self.town.presses(phone, "1")
            case ["passes"]:
                await self._answers(phone, act)
                await self.town.presses(phone, "2")
            case ["answers"]:
                await self._answers(phone, act)
            case ["presses", key]:
                self._listens(phone, act)
                await self.town.presses(phone, key)
            case ["says", "nothing"]:
                self._listens(phone, act)
                await self.town.says_nothing(phone)
            case ["is", "busy"] | ["cannot", *_]:
                await self._rings(phone, act)
                await self.town.hangs_up(phone, is_failing=act.does.startswith("cannot"))
            case _:
                await self._hangs_up(phone, act)
        await self.town.settle()
        if not self.town.waits_for_key(phone) or self.town.is_connecting(phone):
            await self._asks()

    async def _answers(self, phone: Phone, act: Advocate) -> None:
        if phone.is_answered:
            return
        await self._rings(phone, act)
        await self.town.answers(phone)

    async def _sleeps(self, phone: Phone, act: Advocate) -> None:
        """Her phone rings on and on. Time passes once nobody is left who might still answer."""
        await self._rings(phone, act)
        phone.sleeps = True
        for _ in range(MOST_PIECES):
            ringing = [one for one in self.town.phones.values() if self.town.rings(one)]
            if not ringing or not all(one.sleeps for one in ringing) or not isinstance(self.turn.then, Hold):
                return
            await self._hear(FellSilent(), act.place)

    async def _hangs_up(self, phone: Phone, act: Advocate) -> None:
        if not phone.is_answered:
            await self._rings(phone, act)
        if await self.town.hangs_up(phone) and isinstance(self.turn.then, Meet):
            await self._take(self.turn.call, Returned(talked=True))

    async def _asks(self) -> None:
        """The caller's hold piece ends; she is told what came of it, whatever it was."""
        if isinstance(self.turn.then, Hold) and not self.left:
            await self._hear(FellSilent(), self.talk.place)

    async def _rings(self, phone: Phone, act: Advocate) -> None:
        """Where the caller asked again, phones ring after a while: they hold the line until then."""
        for _ in range(MOST_PIECES):
            if any(map(self.town.rings, self.town.phones.values())) or not self._is_paused():
                break
            await self._hear(FellSilent(), act.place)
        if not self.town.rings(phone):
            message = f"The phone of `{act.who}` does not ring here."
            ringing = [name for name, one in self.town.phones.items() if self.town.rings(one)]
            raise Differs(act.place, message, f"Ringing: {listed(ringing) or 'none'}. Press 0 before.")

    def _is_paused(self) -> bool:
        return not self.left and any(said.prompt == HOLDING["paused"] for said in self.turn.said)

    def _listens(self, phone: Phone, act: Advocate) -> None:
        if not self.town.waits_for_key(phone):
            message = f"`{act.who}` has no call to press a key in here."
            raise Differs(act.place, message, f"Write `advocate: {act.who} answers` before.")

    # ---- after the call ----

    def _compare(self) -> None:
        if self.left and self.turn.call.transfers > self.wishes:
            self.transfers.append("nobody")
        compare(self.talk.expected, self.shelf, tuple(self.transfers))
