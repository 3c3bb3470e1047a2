"""R4: the line may be replaced between any two webhooks of any talk. Each talk that ships is played through the door
three times: with one line, with two lines beside each other that take turns, and with a new one for each webhook. They
share one folder, as an upgrade does. What the caller is answered is the same, byte for byte.

Between two webhooks of a transfer: tests/transfers/test_killed.py. Real processes: tests/cli/test_restarts.py."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count as count_up
from itertools import cycle, zip_longest
from pathlib import Path
from typing import Literal

import pytest
from starlette.routing import Router

from ivr.app import Parts, Rings, WorldOf, build
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.loopback import PhoneCall
from ivr.carrier.states import Over, Ringing
from ivr.carrier.transport import AsgiTransport, Reply, Transport
from ivr.engine.asks import Answer, Ask, Saved
from ivr.engine.call import Call
from ivr.flow.talk import RECEIPT, HangsUp, Partner, Press, Silence, Talk, Text, TypeDigits
from ivr.kit.clock import VirtualClock
from ivr.services.comparing import before as given_before
from ivr.services.turns import World
from tests.promises.house import AUTH_TOKEN, BEGINNING, HOTLINE, PROVE, PUBLIC_URL, House, house
from tests.promises.ledger import Record
from tests.shipped import content

How = Literal["alone", "beside", "after"]


def by_document(parts: Parts, clock: VirtualClock, world: WorldOf, *, rings: Callable[[Path], Rings]) -> Router:
    """A line that answers texts in the answer to their webhooks."""
    return build(replace(parts, text_replies="xml"), clock, world, rings=rings)


RECEIPT_TEXTED = re.compile(rb"\d{4} \d{4} \d{4}")
"""A conversation by text draws its receipt from a secret of its own: no two plays have the same."""


@dataclass
class Noting:
    """A world that notes the receipts it gave."""

    inner: World
    receipts: list[str]

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        answer = await self.inner.answer(ask, call, leg)
        if isinstance(answer, Saved) and answer.receipt is not None:
            self.receipts.append(answer.receipt)
        return answer


@dataclass
class Lives:
    """A way to lines that are there for some webhooks each. `serve`: whoever has the next one."""

    serve: Callable[[], AbstractAsyncContextManager[House]]
    replies: list[Reply] = field(default_factory=list)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        async with self.serve() as line:
            reply = await AsgiTransport(line.app).post(url, headers=headers, body=body)
        self.replies.append(replace(reply, body=RECEIPT_TEXTED.sub(b"RECEIPT", reply.body)))
        return reply


async def played(talk: Talk, of: House, way: Transport, receipts: Sequence[str]) -> None:
    """What the caller does in a talk, whatever the line says. `receipts`: those that were given so far."""
    if talk.channel == "text":
        return await _written(talk, of, way, receipts)
    call = await of.line(transport=way, seed=talk.name).call()
    for act in talk.acts:
        if isinstance(call.state, Over):
            return None
        await _does(call, act, receipts)
    if not isinstance(call.state, Over):
        await call.hang_up()
    return None


async def _does(call: PhoneCall, act: object, receipts: Sequence[str]) -> None:
    match act:
        case Press():
            keys = act.keys
        case TypeDigits():
            typed = receipts[-1] if act.keys == RECEIPT else act.keys
            keys = (typed if typed.endswith(("*", "#")) else f"{typed}#",)
        case Silence():
            keys = ("",) * act.times
        case Partner():
            keys = ("",)
        case HangsUp():
            return await call.hang_up()
        case _:
            return None
    for key in keys:
        if isinstance(call.state, Over):
            return None
        if isinstance(call.state, Ringing):
            await call.dial_ends("no-answer")
        elif key:
            await call.press(key)
        else:
            await call.silence()
    return None


async def _written(talk: Talk, of: House, way: Transport, receipts: Sequence[str]) -> None:
    number = Number(HOTLINE, f"{PUBLIC_URL}/voice/answer", message_url=f"{PUBLIC_URL}/text")
    exchange = Exchange(number, clock=of.clock, token=AUTH_TOKEN, transport=way, seed=talk.name)
    try:
        for act in talk.acts:
            if isinstance(act, Text):
                await exchange.text("+12125550177", receipts[-1] if act.words == RECEIPT else act.words)
    finally:
        await exchange.close()


@asynccontextmanager
async def line(
    folder: Path,
    clock: VirtualClock,
    rings: Callable[[Path], Rings],
    receipts: list[str],
    *,
    blank: Path | None = None,
) -> AsyncIterator[House]:
    builder = partial(by_document, rings=rings)
    noting = partial(Noting, receipts=receipts)
    async with house(folder, blank=blank, builder=builder, clock=clock, world_of=noting) as of:
        yield of


async def reported(talk: Talk, of: House) -> list[str]:
    """The report of an earlier call, where the talk has one; its receipt."""
    if talk.before is None:
        return []
    ask, _, _ = given_before(talk.before)
    kept = of.kept.reports(save_seconds=60)
    saved = await kept.keep(ask, seed=b"before" + bytes(10), turn=9, today=of.clock.now().date())
    await kept.close()
    assert isinstance(saved, Saved)
    assert saved.receipt is not None
    return [saved.receipt]


async def story(
    talk: Talk,
    folder: Path,
    blank: Path,
    how: How,
    *,
    run: Path | None = None,
    rings: Callable[[Path], Rings] = Rings.of,
) -> list[Reply]:
    """What the caller is answered. `run`: the keys of an earlier story; with them the same call has the same bytes."""
    clock, receipts = VirtualClock(BEGINNING), list[str]()
    another = partial(line, folder, clock, rings, receipts)
    async with AsyncExitStack() as stack:
        async with AsyncExitStack() as of_first:
            first = await of_first.enter_async_context(another(blank=blank))
            if run is not None:
                shutil.copytree(run, folder / "run")
            receipts += await reported(talk, first)
            if how != "after":
                stack.push_async_exit(of_first.pop_all())
        lines = cycle([first])
        if how == "beside":
            lines = cycle([first, await stack.enter_async_context(another())])
        way = Lives(another if how == "after" else lambda: nullcontext(next(lines)))
        await played(talk, first, way, receipts)
        return way.replies


def otherwise(
    talks: Iterable[Talk], folder: Path, blank: Path, how: How, *, rings: Callable[[Path], Rings] = Rings.of
) -> tuple[int, dict[str, str]]:
    """How many webhooks there were, and for each talk that went otherwise than with one line, where."""

    async def main() -> tuple[int, dict[str, str]]:
        count, found = 0, dict[str, str]()
        for number, talk in enumerate(talks):
            alone, other = folder / f"{number} alone", folder / f"{number} {how}"
            expected = await story(talk, alone, blank, "alone")
            came = await story(talk, other, blank, how, run=alone / "run", rings=rings)
            count += len(expected)
            if came != expected:
                pairs = enumerate(zip_longest(expected, came), start=1)
                found[talk.name] = next(f"webhook {n}: {b}, not {a}" for n, (a, b) in pairs if a != b)
            shutil.rmtree(alone)
            shutil.rmtree(other)
        return count, found

    return asyncio.run(main())


TALKS = content().talks
SOME = TALKS if PROVE > 1 else TALKS[::4]


@pytest.mark.timeout(600)
def test_two_lines_beside_each_other_answer_every_talk_as_one_does(tmp_path: Path, blank: Path, record: Record) -> None:
    count, found = otherwise(TALKS, tmp_path, blank, "beside")
    assert found == {}
    assert count > 5 * len(TALKS)
    record(count, "webhooks answered by two lines in turn")


@pytest.mark.timeout(600)
def test_a_new_line_for_each_webhook_answers_as_one_does(tmp_path: Path, blank: Path, record: Record) -> None:
    count, found = otherwise(SOME, tmp_path, blank, "after")
    assert found == {}
    record(count, "webhooks answered by a new line each")


@pytest.mark.parametrize("how", ["beside", "after"])
def test_mutant_a_line_that_keeps_its_keys_to_itself_is_found(tmp_path: Path, blank: Path, how: How) -> None:
    many = count_up()

    def own(folder: Path) -> Rings:
        return Rings.of(folder / str(next(many)))

    talks = TALKS[:3]
    _, found = otherwise(talks, tmp_path, blank, how, rings=own)
    assert found.keys() == {talk.name for talk in talks}
