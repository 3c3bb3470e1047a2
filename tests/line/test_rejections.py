"""Refused webhooks that carry a signature are counted, and told in one line a minute: an operator whose token or public
URL is wrong sees why nobody is answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ivr.app import build
from ivr.carrier.signature import MAIN_SIGNATURE, SIGNATURE
from ivr.carrier.transport import AsgiTransport
from ivr.kit.clock import VirtualClock
from tests.promises.house import BEGINNING, House, house, initialised, logs_captured
from tests.promises.pacing import Metronome
from tests.promises.requests import Interposed, Request, send

MINUTE = timedelta(minutes=1)
Story = Callable[[House, Request, Metronome], Awaitable[None]]


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blank")
    asyncio.run(initialised(folder))
    return folder


def told(folder: Path, blank: Path, story: Story) -> list[dict[str, object]]:
    """What the log says of rejections while this happens at a line; `story` is given a genuine webhook."""

    async def main() -> list[dict[str, object]]:
        clock = VirtualClock(BEGINNING)
        metronome = Metronome(clock)
        async with house(
            folder / "line", blank=blank, clock=clock, builder=partial(build, pause=metronome.pause)
        ) as of:
            seen: list[Request] = []

            async def note(request: Request) -> None:
                seen.append(request)

            await of.line(transport=Interposed(AsgiTransport(of.app), note)).call()
            with logs_captured() as log:
                async with metronome.at_work(of.router):
                    await story(of, seen[0], metronome)
                lines = [json.loads(line) for line in log().splitlines()]
            identifiers = [value.encode() for name, value in seen[0].fields if name in ("CallUUID", "From", "To")]
            assert not any(value in log() for value in identifiers)
            return [line for line in lines if line["event"] == "signed webhooks refused"]

    return asyncio.run(main())


def bent(of_answer: Request) -> dict[str, Request]:
    fields = dict(of_answer.fields)
    return {
        "another token": of_answer.signed("another-token"),
        "another public URL": of_answer.signed(url="http://line.example.org/voice/answer"),
        "a slash behind": replace(of_answer, path=of_answer.path + b"/"),
        "a prefix": replace(of_answer, path=b"/line" + of_answer.path),
        "by GET": replace(of_answer, method="GET"),
        "a query": replace(of_answer, query=b"a=b"),
        "no call": of_answer.with_fields(*((n, v) for n, v in fields.items() if n != "CallUUID")).signed(),
    }


def test_each_reason_is_counted_and_told_once_a_minute(tmp_path: Path, blank: Path) -> None:
    async def story(of: House, answer: Request, metronome: Metronome) -> None:
        for request in bent(answer).values():
            assert (await send(of.app, request)).status in (403, 404)
        assert (await send(of.app, answer)).status == 200
        now = metronome.clock.now()
        await metronome.until(now + MINUTE)
        await metronome.until(now + 5 * MINUTE)
        await send(of.app, bent(answer)["another token"])
        await metronome.until(now + 6 * MINUTE)

    first, second = told(tmp_path, blank, story)
    assert first["refused"] == {"address unknown": 2, "not a form": 2, "shape": 1, "signature": 2}
    assert second["refused"] == {"signature": 1}
    assert set(first) == {"event", "level", "timestamp", "refused"}


def test_texts_are_counted_too(tmp_path: Path, blank: Path) -> None:
    async def story(of: House, answer: Request, metronome: Metronome) -> None:
        text = replace(answer, path=b"/text")
        for request in (text, text.signed()):  # signed for another address; no text
            assert (await send(of.app, request)).status == 403
        await metronome.until(metronome.clock.now() + MINUTE)

    [line] = told(tmp_path, blank, story)
    assert line["refused"] == {"shape": 1, "signature": 1}


def test_ten_thousand_strangers_write_one_line_and_who_has_no_signature_none(tmp_path: Path, blank: Path) -> None:
    async def story(of: House, answer: Request, metronome: Metronome) -> None:
        bare = answer.with_header(SIGNATURE, None).with_header(MAIN_SIGNATURE, None)
        for path in (b"/voice/answer", b"/text", b"/nowhere", b"/voice/audio/en/x.mp3"):
            for _ in range(50):
                await send(of.app, replace(bare, path=path))
        await metronome.until(metronome.clock.now() + MINUTE)
        forged = answer.with_header(SIGNATURE, b"AAAA")
        for number in range(10_000):
            await send(of.app, replace(forged, path=b"/voice/%d" % number))
        await metronome.until(metronome.clock.now() + MINUTE)

    [line] = told(tmp_path, blank, story)
    assert line["refused"] == {"address unknown": 10_000}
