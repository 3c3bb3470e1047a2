"""A caller on the engine itself: presses, falls silent, and remembers what she was told. Every call goes through its
serialised form between any two turns."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ivr.engine.asks import Answer, Ask, SaveReport
from ivr.engine.call import Call, begin, pack, unpack
from ivr.engine.effects import Turn
from ivr.engine.inputs import Began, FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.services.rehearsal import Memory
from ivr.services.turns import World, take_turn
from tests.shipped import flow as shipped

NOON = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York
SEED = bytes(range(16))


@dataclass
class Refusing:
    """A world whose disk is gone."""

    inner: Memory = field(default_factory=Memory)
    refuses: bool = True

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        from ivr.engine.asks import NotSaved

        if isinstance(ask, SaveReport) and self.refuses:
            return NotSaved()
        return await self.inner.answer(ask, call, leg)


class Caller:
    """`rosa.presses("2 1")`, then what she `heard`, as names of prompts, and at which step she is."""

    def __init__(self, flow: Flow | None = None, world: World | None = None) -> None:
        self.flow = flow or shipped()
        self.world = world if world is not None else Memory()
        self.now = NOON
        self.turn: Turn
        self._take(begin(self.flow, seed=SEED, at=self.now), Began())

    def presses(self, keys: str) -> "Caller":
        """Keys with blanks between; a word of several digits is typed in one go."""
        for word in keys.split():
            self._take(self.turn.call, Pressed(word))
        return self

    def says_nothing(self, times: int = 1) -> "Caller":
        for _ in range(times):
            self._take(self.turn.call, FellSilent())
        return self

    def comes_back(self, *, talked: bool) -> "Caller":
        self._take(self.turn.call, Returned(talked))
        return self

    def waits(self, span: timedelta) -> "Caller":
        self.now += span
        return self

    @property
    def heard(self) -> list[str]:
        return [said.prompt for said in self.turn.said]

    @property
    def text(self) -> str:
        """Everything said in this turn, as one text."""
        catalogues, language = self.flow.catalogues, self.turn.call.language
        return " ".join(catalogues[said.language or language].says(said) for said in self.turn.said)

    @property
    def at(self) -> str:
        return self.turn.call.step

    @property
    def report(self) -> SaveReport | None:
        """The newest save, as the world has it."""
        world = self.world.inner if isinstance(self.world, Refusing) else self.world
        assert isinstance(world, Memory)
        return list(world.reports.values())[-1] if world.reports else None

    @property
    def answers(self) -> dict[str, tuple[str, ...]]:
        return dict(self.report.answers) if self.report else {}

    def _take(self, call: Call, received: Input) -> None:
        kept = unpack(pack(call, self.flow), self.flow)
        assert kept == call, "a call survives its serialised form"
        self.turn = asyncio.run(take_turn(self.flow, kept, received, now=self.now, world=self.world))
