"""A worker may die between any two webhooks of a transfer, or in the middle of one: the story ends as it would have."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

import pytest

from ivr.carrier.transport import AsgiTransport, Reply, Unreachable
from ivr.engine.effects import Turn
from tests.promises.house import PROVE
from tests.transfers.judging import conversations
from tests.transfers.people import NAMES, RULES, Caller, Cell
from tests.transfers.town import Town, Wire, Worker, played, worker

Death = Literal["answered", "unsaid", "unheard"]
"""After its answer, with whatever it was about to do in the background; before its answer is heard; before it has heard
the question."""

STORIES: Mapping[str, Cell] = {
    "taken": Cell(("takes", "never answers")),
    "passed, then taken": Cell(("passes",), ("takes",), "es"),
    "asked, then taken": Cell(("hears more and takes",), ("takes",)),
    "nobody": Cell(("passes", "never answers")),
    "dropped out": Cell(("takes and drops out",), ("takes",)),
    "REST refused": Cell(("takes", "never answers"), rest="answers 500"),
    "hung up while it rings": Cell(("never answers",), caller=Caller("hangs up", "while it rings")),
    "another way while somebody listens": Cell(("takes late",), caller=Caller("9", "while somebody listens")),
}

FEW = ("taken", "passed, then taken", "nobody", "dropped out", "REST refused")


@dataclass
class Crew:
    """Two workers who take turns. Whoever has the webhook `dies_at`, from 1, is gone, and another one comes."""

    folder: Path
    stack: AsyncExitStack
    wire: Wire
    turns: dict[bytes, Turn] = field(default_factory=dict)
    first: Worker | None = None
    workers: list[Worker] = field(default_factory=list)
    dies_at: int = 0
    death: Death = "answered"
    seen: int = 0

    async def joins(self) -> None:
        assert self.first is not None
        clock = self.first.line.clock
        self.workers.append(
            await self.stack.enter_async_context(worker(self.folder, self.turns, self.wire, clock=clock))
        )

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        self.seen += 1
        dies = self.seen == self.dies_at
        serving = self.workers.pop(0)
        if not dies:
            self.workers.append(serving)
            return await AsgiTransport(serving.line.app).post(url, headers=headers, body=body)
        reply = None
        if self.death != "unheard":
            reply = await AsgiTransport(serving.line.app).post(url, headers=headers, body=body)
        serving.outlet.is_dead = True
        await self.joins()
        if reply is None or self.death == "unsaid":
            raise Unreachable("rt")
        return reply

    async def settled(self) -> None:
        for one in self.workers:
            await one.transfers.close()


Outcome = tuple[list[str], list[str], list[str]]


async def story(
    cell: Cell, folder: Path, blank: Path, *, rules: str, dies_at: int = 0, death: Death = "answered"
) -> tuple[Outcome, int]:
    """With whom she talked, who was rung, and where she was led; and how many webhooks it took."""
    async with AsyncExitStack() as stack:
        crew = Crew(folder, stack, Wire(), dies_at=dies_at, death=death)
        crew.first = await stack.enter_async_context(worker(folder, crew.turns, crew.wire, blank=blank))
        await crew.joins()
        await crew.joins()
        of = Town(crew.first, crew.wire, crew.turns, crew, crew.settled, rules=RULES[rules])
        try:
            await played(cell, of)
            assert all(leg.is_over for leg in of.exchange.legs)
            assert not of.waits_for_ever
            return _outcome(of), crew.seen
        finally:
            await of.exchange.close()


def _outcome(of: Town) -> Outcome:
    rosa = of.rosa
    assert rosa is not None
    turns = [told.turn for told in of.ear.told if told.fields["CallUUID"] == rosa.uuid and told.turn is not None]
    return (
        conversations(of, rosa),
        sorted(NAMES[leg.number] for leg in of.rung()),
        list(dict.fromkeys(turn.call.step for turn in turns)),
    )


def _otherwise(name: str, folder: Path, blank: Path, deaths: tuple[Death, ...]) -> dict[str, Outcome]:
    """Every death after which the story went otherwise. The rules of conferences take turns; when it is proven each
    death has them all."""
    cell, names = STORIES[name], list(RULES)

    async def main() -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        for place, rules in enumerate(names):
            expected, webhooks = await story(cell, folder / rules, blank, rules=rules)
            assert webhooks >= 5
            numbers = range(1, webhooks + 1) if PROVE > 1 else range(1 + place, webhooks + 1, len(names))
            for death, number in product(deaths, numbers):
                line = folder / f"{rules} {death} {number}"
                outcome, _ = await story(cell, line, blank, rules=rules, dies_at=number, death=death)
                if outcome != expected:
                    found[f"{rules}: {death} {number}, not {expected}"] = outcome
        return found

    return asyncio.run(main())


@pytest.mark.parametrize("name", STORIES if PROVE > 1 else FEW)
def test_a_worker_that_is_gone_after_any_webhook_changes_nothing(name: str, tmp_path: Path, blank: Path) -> None:
    assert _otherwise(name, tmp_path, blank, ("answered",)) == {}


@pytest.mark.parametrize("name", STORIES if PROVE > 1 else ("taken", "REST refused"))
def test_a_worker_that_dies_in_the_middle_of_any_webhook_changes_nothing(
    name: str, tmp_path: Path, blank: Path
) -> None:
    assert _otherwise(name, tmp_path, blank, ("unsaid", "unheard") if PROVE > 1 else ("unsaid",)) == {}
