"""A1, where somebody asks to be called: the number that she types is inside its seal and nowhere else, and nothing here
ever dials it. (It is read back to her, so documents that she hears are not searched.)"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.carrier.rest import Order, Outcome, Placed
from ivr.engine.asks import Answer, Ask, SaveReport
from ivr.engine.call import Call
from ivr.flow.line import REQUEST
from ivr.kit.clock import VirtualClock
from ivr.services.turns import World
from tests.promises.canary import Canary, Scanner
from tests.promises.evidence import Evidence, gathered
from tests.promises.house import BEGINNING, House, house
from tests.promises.ledger import Record
from tests.promises.pacing import Metronome
from tests.promises.paths import HERS, Move, press
from tests.promises.scenes import asks_to_be_called, nobody
from tests.promises.test_a1_identifiers import kept, leaks, sent, wanted
from tests.promises.test_a1_warm_transfers import wanted as wanted_of
from tests.promises.warm import Warm, played, saying
from tests.shipped import flow

CANARY = Canary("a number to be called", HERS, "number")
ASKS: list[Move] = [
    *map(press, ("1", "0", "5")),
    Move("dial", outcome="no-answer"),
    *map(press, ("2", f"{HERS}#", "1", "3", "2", "2", "1", "9")),
]


def seen(evidence: Evidence) -> list[str]:
    """Where the number is that should be nowhere but under its seal."""
    places = {**kept(evidence), **sent(evidence)}
    del places["documents"]
    return leaks(Scanner(wanted(evidence, [CANARY])), places)


def sealed(evidence: Evidence) -> list[str]:
    """What an advocate reads there."""
    return [dict(one.answers or ())["phone"][0] for one in evidence.reports if one.listed.consent == REQUEST]


def test_the_number_is_under_its_seal_and_nowhere_else(evidence: Evidence, record: Record) -> None:
    numbers = sealed(evidence)
    record(len(numbers), "requests to be called whose number was searched for in all that was kept and sent")
    assert numbers.count(HERS) > 5
    assert seen(evidence) == []


def test_the_number_is_on_no_advocate_s_phone_and_in_no_request_to_the_phone_company(warm: Warm) -> None:
    assert ordered(warm) == []
    that_she_asked = flow().catalogues["en"].label("line.about_request").encode()
    assert any(that_she_asked in hop.reply for hop in warm.of_advocates())


def ordered(warm: Warm) -> list[str]:
    """Where the phone company, or a phone that we rang, was told of the number."""
    scanner = Scanner(wanted_of(warm, [CANARY]))
    places = {
        "REST": b"\n".join(one.bytes() for one in warm.asked),
        "phones that were rung": b"\n".join(hop.reply for hop in warm.of_advocates()),
        "displays": "\n".join(warm.shown).encode(),
        "what is dialled": b"\n".join(hop.reply for hop in warm.hops if b"<Dial" in hop.reply),
        **warm.files,
        "the log": warm.log,
    }
    return leaks(scanner, places)


# ---- and as long as it is kept, nothing is rung for it ----


@dataclass(slots=True)
class Phones:
    """A phone company that rings whom it is told to."""

    asked: list[str] = field(default_factory=list)

    async def place(self, order: Order) -> Outcome:
        self.asked.append(repr(order))
        return Placed(f"{len(self.asked):08}")

    async def cancel(self, request_uuid: str) -> bool:
        del request_uuid
        return True

    async def hang_up(self, call_uuid: str) -> bool:
        del call_uuid
        return True

    async def empty(self, room: str) -> bool:
        del room
        return True

    async def aclose(self) -> None:
        pass


@dataclass
class Kept:
    """What was rung while a request was kept. `mornings`: how many requests there were after each night."""

    rung: list[str]
    mornings: list[int]


async def over_its_nights(folder: Path, blank: Path, *, phones: Phones | None = None, **parts: Any) -> Kept:
    """A line whose own chores run, over four nights, an afternoon and an evening: somebody asks to be called on the
    first day. What it orders once she has hung up."""
    clock, phones = VirtualClock(BEGINNING), phones or Phones()
    pacing = Metronome(clock)

    def built(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
        return build(parts, clock, world, pause=pacing.pause)

    @asynccontextmanager
    async def line() -> AsyncIterator[House]:
        settings: dict[str, Any] = {"builder": built, "clock": clock, "rest": phones, "on_duty": ()}
        async with house(folder, blank=blank, **(settings | parts)) as of, pacing.at_work(of.router):
            yield of

    async with line() as of:
        call = await of.line().call()
        for keys in ("1", "0", "2", f"{HERS}#", "1", "4", "1", "3", "1", "9"):
            await call.press(keys)
        assert HERS in [dict(one.answers or ())["phone"][0] for one in await of.reports()]
        mornings = []
        for moment in _moments(clock.now()):
            clock.at = moment
            await pacing.until(moment + timedelta(minutes=2))
            if moment.astimezone(ZoneInfo(flow().zone)).hour == 3:
                mornings.append(len(await of.reports()))
    return Kept(phones.asked, mornings)


def _moments(now: datetime) -> Sequence[datetime]:
    """When she said that a call is safe, and each night."""
    zone = ZoneInfo(flow().zone)
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=n) for n in range(5)]
    every = [datetime.combine(day, time(hour), zone) for day in days for hour in (3, 9, 14, 19)]
    return [one.astimezone(now.tzinfo) for one in every if one > now]


def test_nothing_is_rung_for_a_request_as_long_as_it_is_kept(tmp_path: Path, blank: Path, record: Record) -> None:
    found = asyncio.run(over_its_nights(tmp_path / "line", blank))
    record(len(found.mornings), "nights after which nothing had been rung for somebody who asked to be called")
    assert found.rung == []
    assert found.mornings == [1, 1, 0, 0]


# ---- mutants: each must be caught ----


@dataclass(slots=True)
class Doing:
    """A world that does something more with a number when it saves a request."""

    inner: World
    does: Callable[[str], object]

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport) and ask.nights:
            said = self.does(dict(ask.answers)["phone"][0])
            if asyncio.iscoroutine(said):
                await said
        return await self.inner.answer(ask, call, leg)


@dataclass(slots=True)
class Consenting:
    """A world that keeps a request as a report that may be passed on."""

    inner: World

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport) and ask.nights:
            ask = SaveReport(ask.form, ask.visit, ask.answers, "pass_on", ask.ending)
        return await self.inner.answer(ask, call, leg)


def gathered_from(folder: Path, blank: Path, **parts: Any) -> Evidence:
    evidence = asyncio.run(gathered(folder, blank, [ASKS, ASKS], faults=(), **parts))
    assert evidence.mismatches == []
    return evidence


def test_the_same_two_calls_without_a_mutant_leave_nothing(tmp_path: Path, blank: Path) -> None:
    evidence = gathered_from(tmp_path, blank)
    assert sealed(evidence) == [HERS, HERS]
    assert seen(evidence) == []


REMEMBERS: dict[str, Callable[[str, Path], object]] = {
    "logs it": lambda number, _: structlog.get_logger().info(f"call {number}"),
    "keeps its last seven digits": lambda number, folder: (folder / "to-call").write_text(f"...{number[-7:]}"),
    "keeps a hash, to know who asked before": lambda number, folder: (folder / "asked").write_bytes(
        hashlib.sha256(number.encode()).digest()
    ),
}


@pytest.mark.parametrize("how", REMEMBERS)
def test_mutant_a_line_that_remembers_the_number_is_seen(how: str, tmp_path: Path, blank: Path) -> None:
    def remembering(world: World) -> World:
        return Doing(world, lambda number: REMEMBERS[how](number, tmp_path / "line"))

    assert seen(gathered_from(tmp_path, blank, world_of=remembering))


def test_mutant_a_request_that_is_kept_like_a_report_is_handed_on_and_seen(tmp_path: Path, blank: Path) -> None:
    assert any("an export" in one for one in seen(gathered_from(tmp_path, blank, world_of=Consenting)))


def test_mutant_a_line_that_dials_the_number_is_seen(tmp_path: Path, blank: Path) -> None:
    phones = Phones()

    def dialling(world: World) -> World:
        return Doing(world, lambda number: phones.place(Order(f"+1{number}", "", "", 30, 600)))

    found = asyncio.run(over_its_nights(tmp_path / "line", blank, phones=phones, world_of=dialling))
    assert any(HERS in order for order in found.rung)


def test_mutant_an_order_to_her_number_is_seen(tmp_path: Path, blank: Path) -> None:
    """Whoever rings an advocate rings her instead."""
    warm = asyncio.run(played(tmp_path, blank, nobody, bend=lambda request: saying(request, to=f"+1{HERS}")))
    assert any("in REST" in one for one in ordered(warm))


def test_the_scene_alone_tells_the_phone_company_nothing(tmp_path: Path, blank: Path) -> None:
    warm = asyncio.run(played(tmp_path, blank, asks_to_be_called))
    assert len(warm.asked) > 2
    assert ordered(warm) == []
