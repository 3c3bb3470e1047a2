"""What is reachable by phone is reachable by text, or it is said here why not."""

import asyncio
from collections.abc import Iterator

from ivr.channels.text import Says, Starts
from ivr.engine.asks import Answer, Ask, Duty, NotSaved, OnDuty, SaveReport
from ivr.engine.call import Call, begin
from ivr.flow.graph import WAITS, Collect
from ivr.services.rehearsal import Memory
from ivr.services.shelf import Shelf
from ivr.services.texts import TextWorld, take_text
from tests.engine.caller import NOON, SEED
from tests.shipped import flow

NOT_BY_TEXT = {
    "after_talk": "nobody is put through to somebody who texts: she calls the number that 0 tells her",
}
CODE = "482001234567"


class Moody:
    """Nobody is on call; the disk takes what is saved, or not."""

    def __init__(self, *, saves: bool) -> None:
        self.memory = Memory(shelf=Shelf())
        self.memory.shelf.give(_report(), CODE)
        self.saves = saves
        self.was_asked = False

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport):
            self.was_asked = True
            return await self.memory.answer(ask, call, leg) if self.saves else NotSaved()
        return Duty(anyone=False) if isinstance(ask, OnDuty) else await self.memory.answer(ask, call, leg)


def reached() -> Iterator[str]:
    """Every wait that somebody comes to who texts, whatever she writes."""
    fresh = begin(flow(), seed=SEED, at=NOON)
    seen: set[tuple[object, ...]] = set()
    waiting = [fresh, *after(None, Starts("en"), fresh)]
    while waiting:
        call = waiting.pop()
        here = call.drafts[-1] if call.drafts else None
        place = (call.step, here and (here.form, here.adds, here.confirmed, here.saved), bool(call.tries))
        if place in seen:
            continue
        seen.add(place)
        yield call.step
        is_number = isinstance(flow().steps[call.step], Collect)
        for words in ("212555", "2125550143", CODE, "111111111111", "#") if is_number else "01234*#":
            waiting += after(call, Says((words,)), fresh)


def _report() -> SaveReport:
    return SaveReport("bad_date", 1, (("what", ("taken",)),), "count_only", ending=1)


def after(call: Call | None, message: Says | Starts, fresh: Call) -> Iterator[Call]:
    """What becomes of it; where something is to be saved, also when that fails."""
    for saves in (True, False):
        world = Moody(saves=saves)
        met = TextWorld(world, "+15005550006")
        reply = asyncio.run(take_text(flow(), call, message, fresh=fresh, now=NOON, world=met))
        assert reply.said, "nobody is left without an answer"
        yield reply.call or fresh
        if not world.was_asked:
            return


def test_every_wait_of_a_call_is_reached_by_text_or_says_why_not() -> None:
    by_text = set(reached())
    waits = {name for name, step in flow().steps.items() if isinstance(step, WAITS)}
    assert waits - by_text == set(NOT_BY_TEXT)
