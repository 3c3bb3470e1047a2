"""R2: a duplicate, late, reordered, replayed or concurrent webhook does no harm; and every report says exactly what was
pressed, once for each pass through a form."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.carrier.transport import AsgiApp, Message
from ivr.engine.asks import Answer, Ask, Saved, SaveReport
from ivr.engine.call import Call
from ivr.services.archive import Seal
from ivr.services.turns import World
from tests.promises.house import PROVE, House, Moody, house
from tests.promises.ledger import Record
from tests.promises.shaken import Caller, Shaken

CALLS = 100


@pytest.mark.parametrize("seed", range(3 * PROVE if PROVE > 1 else 2))
def test_whatever_the_carrier_does_each_pass_is_one_report_that_says_what_was_pressed(
    seed: int, tmp_path: Path, blank: Path, record: Record
) -> None:
    found = harm(tmp_path / "line", blank, Random(seed), CALLS)
    record(CALLS, "calls whose webhooks came twice, late and in no order")
    record(found.reports, "reports compared with what was pressed")
    assert found.said == []
    assert found.reports > CALLS / 4
    assert found.ended


@dataclass
class Harm:
    """What went wrong, in words; and how much there was to go wrong."""

    said: list[str] = field(default_factory=list)
    reports: int = 0
    ended: int = 0


def harm(folder: Path, blank: Path, chance: Random, calls: int, **parts: Any) -> Harm:
    """Calls on two workers with a carrier that delivers twice, late and out of order; then more of it."""

    async def main() -> Harm:
        async with (
            house(folder, blank=blank, **parts) as one,
            house(folder, clock=one.clock, **parts) as other,
        ):
            carrier = Shaken((one, other), chance)
            callers = await many_calls((one, other), carrier, chance, calls)
            for delivery in chance.choices(carrier.deliveries, k=3 * calls):
                await carrier.again(delivery)
            return await compared(one, callers, carrier)

    return asyncio.run(main())


async def many_calls(workers: tuple[House, ...], carrier: Shaken, chance: Random, calls: int) -> list[Caller]:
    """Three at a time, turn by turn in no order, with old webhooks in between."""
    callers: list[Caller] = []
    while len(callers) < calls or not all(caller.is_over for caller in callers):
        on_line = [caller for caller in callers if not caller.is_over]
        if len(on_line) < 3 and len(callers) < calls:
            callers.append(await Caller.begin(workers, carrier, chance, f"call {len(callers)}"))
            continue
        await chance.choice(on_line).goes_on()
        if chance.random() < 0.25:
            late = carrier.deliveries[-chance.randrange(1, 120) :]
            await carrier.again(late[0])
    return callers


async def compared(of: House, callers: list[Caller], carrier: Shaken) -> Harm:
    """What was kept beside what was pressed."""
    pressed = Counter(report for caller in callers for report in caller.notebook.reports())
    found = await of.reports()
    kept = Counter((one.listed.form, one.listed.consent, one.answers or ()) for one in found)
    said = [f"not opened or not ours: {one}" for one in found if one.seal is not Seal.OPENED or not one.trusted]
    said += [f"kept and not pressed: {one}" for one in (kept - pressed).elements()]
    said += [f"pressed and not kept: {one}" for one in (pressed - kept).elements()]
    ended = sum(one.ended and one.kept is not None for caller in callers for one in caller.notebook.passes)
    return Harm(said + carrier.wrong, len(found), ended)


# ---- mutants: each must be caught ----


@dataclass(slots=True)
class TwiceKept:
    """Keeps every save as a report of its own."""

    inner: World
    saves: "count[int]" = field(default_factory=lambda: count(1))

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport):
            call = replace(call, seed=next(self.saves).to_bytes(16))
        return await self.inner.answer(ask, call, leg)


@dataclass(slots=True)
class LatestWins:
    """Takes what comes last for the newest."""

    inner: World
    turns: "count[int]" = field(default_factory=lambda: count(1000))

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        return await self.inner.answer(ask, replace(call, turn=next(self.turns)), leg)


@dataclass(slots=True)
class OnlySays:
    """Says that it saved."""

    inner: World

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        assert isinstance(self.inner, Moody)
        if isinstance(ask, SaveReport) and not self.inner.disk_fails:
            return Saved("123456789012" if ask.has_receipt else None)
        return await self.inner.answer(ask, call, leg)


@dataclass(slots=True)
class Forgetful:
    """Loses one answer of each report."""

    inner: World

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport):
            ask = SaveReport(ask.form, ask.visit, ask.answers[1:], ask.consent, ask.ending)
        return await self.inner.answer(ask, call, leg)


def never_the_same(app: AsgiApp) -> AsgiApp:
    """Answers in bytes of its own every time."""
    drawn = count(1)

    async def asgi(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] += b"<!-- %d -->" % next(drawn)
            await send(message)

        await app(scope, receive, tell)

    return asgi


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"world_of": TwiceKept}, id="keeps every save"),
        pytest.param({"world_of": LatestWins}, id="lets late webhooks undo newer answers"),
        pytest.param({"world_of": OnlySays}, id="only says that it saved"),
        pytest.param({"world_of": Forgetful}, id="loses an answer"),
        pytest.param({"wrapped": never_the_same}, id="never answers alike"),
    ],
)
def test_mutant_a_line_that_takes_harm_is_seen(parts: dict[str, Any], tmp_path: Path, blank: Path) -> None:
    assert harm(tmp_path / "line", blank, Random(7), 12, **parts).said


def test_the_same_few_calls_without_a_mutant_take_no_harm(tmp_path: Path, blank: Path) -> None:
    assert harm(tmp_path / "line", blank, Random(7), 12).said == []
