"""`ivr call`: a phone in the terminal. Takes its streams as arguments, so that a test can be the caller."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ivr.channels.terminal import HELP, NotAKey, PutDown, WantsHelp, decode, encode
from ivr.cli.saving import Script
from ivr.engine.call import Call, begin, pack, unpack
from ivr.engine.effects import Connect, HandOver, Hold, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import Began, Input
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.services.turns import World, take_turn

Show = Callable[[str], None]


class Hand(Protocol):
    """Who presses: a person at the keyboard, or a script. None: she hangs up."""

    async def line(self) -> str | None: ...


@dataclass(slots=True)
class Scripted:
    """Keys from `--keys`, shown as if they were typed; when they run out she hangs up."""

    words: list[str]
    show: Show

    async def line(self) -> str | None:
        if not self.words:
            return None
        word = self.words.pop(0)
        self.show(f"> {word}")
        return word


@dataclass(slots=True)
class Keyboard:
    """A person."""

    read: Callable[[str], str] = input

    async def line(self) -> str | None:
        try:
            return await asyncio.to_thread(self.read, "> ")
        except EOFError:
            return None


class Telephone(Protocol):
    """A call under way, wherever it is answered."""

    @property
    def heard(self) -> Iterable[str]: ...

    @property
    def waits(self) -> WaitForKey | WaitForDigits | Connect | None:
        """What it waits for; None when it is over."""

    async def hears(self, received: Input) -> None: ...

    async def hang_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Side:
    """What is walked through, and the world that is met there."""

    flow: Flow
    world: World


@dataclass(slots=True)
class Here:
    """A call in this very process: the engine, and the data of this line. `staff`: where those who answer hear of their
    shifts; None in a rehearsal, which has no shifts."""

    callers: Side
    clock: Clock
    staff: Side | None = None
    turn: Turn = field(init=False)
    side: Side = field(init=False)
    script: Script | None = None

    async def begin(self, seed: bytes) -> "Here":
        await self._begin(self.callers, seed)
        return self

    @property
    def heard(self) -> Iterable[str]:
        return encode(self.turn, self.side.flow)

    @property
    def waits(self) -> WaitForKey | WaitForDigits | Connect | None:
        then = self.turn.then
        if isinstance(then, Hold):
            return WaitForKey(then.seconds)
        return then if isinstance(then, WaitForKey | WaitForDigits | Connect) else None

    async def hears(self, received: Input) -> None:
        flow = self.side.flow
        await self._take(unpack(pack(self.turn.call, flow), flow), received)
        if self.script is not None:
            self.script.note(received, self.turn)

    async def hang_up(self) -> None:
        if self.script is not None:
            self.script.note_hang_up()

    async def _begin(self, side: Side, seed: bytes) -> None:
        self.side = side
        await self._take(begin(side.flow, seed=seed, at=self.clock.now()), Began())

    async def _take(self, call: Call, received: Input) -> None:
        side = self.side
        self.turn = await take_turn(side.flow, call, received, now=self.clock.now(), world=side.world)
        then = self.turn.then
        other = self.staff if isinstance(then, HandOver) and then.to_staff else self.callers
        if isinstance(then, HandOver) and other is not None:
            await self._begin(other, call.seed)


async def place_call(telephone: Telephone, hand: Hand, show: Show) -> None:
    """One call, from the first word to the last."""
    _show(telephone, show)
    while (waits := telephone.waits) is not None:
        line = await hand.line()
        if line is None:
            break
        try:
            typed = decode(line, waits)
        except NotAKey as error:
            show(f"  {error}")
            continue
        if isinstance(typed, WantsHelp):
            show(HELP)
            continue
        if isinstance(typed, PutDown):
            break
        for received in typed:
            if telephone.waits is not None:
                await telephone.hears(received)
                _show(telephone, show)
    if telephone.waits is not None:
        await telephone.hang_up()
        show("  [you hang up]")


def _show(telephone: Telephone, show: Show) -> None:
    for line in telephone.heard:
        show(line)
