"""A8, of texts: every text that leaves is one to one phone, from the hotline, with the carrier's log off, and nobody is
asked to tell whether it arrived."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.app import build
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.leg import ACCOUNT
from ivr.carrier.rest import MOST_CHARACTERS, PlivoRest, Sending
from ivr.carrier.rest_api import Fault, garbage, hangs, refuses, unreachable
from ivr.carrier.transport import AsgiTransport, Transport
from ivr.channels.texted import Texted, TextReply
from ivr.kit.clock import VirtualClock
from tests.founded import UNHURRIED
from tests.promises.house import AUTH_TOKEN, BEGINNING, HOTLINE, PUBLIC_URL, house
from tests.promises.ledger import Record
from tests.promises.warm import Asked, Recorder

ROSA, LUZ = "+12125550100", "+12125550101"
Body = dict[str, Any]  # Any: JSON
Bend = Callable[[Body], Body]

FAULTS: tuple[Fault | None, ...] = (
    None,
    refuses(503),
    refuses(429),
    hangs(),
    hangs(is_done=True),
    unreachable(),
    garbage(),
)


def complaints(asked: Asked) -> Iterator[str]:
    """What is wrong with a request that sends a text."""
    if asked.method != "POST" or not re.fullmatch(r"https://[^/?]+/v1/Account/[A-Z0-9]{20}/Message/", asked.url):
        yield f"{asked.method} {asked.url}"
    body = json.loads(asked.body)
    if body.get("log") != "false":
        yield f"log is {body.get('log')!r}"
    if set(body) != {"src", "dst", "text", "log"}:
        yield f"it says {sorted(body)}"
    if body.get("src") != HOTLINE:
        yield "it does not come from the hotline"
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", str(body.get("dst"))):
        yield "it goes to no number, or to several"
    if not 0 < len(str(body.get("text"))) <= MOST_CHARACTERS:
        yield "it is empty or too long"


def bending(bend: Bend) -> Callable[[httpx2.Request], httpx2.Request]:
    def bent(request: httpx2.Request) -> httpx2.Request:
        content = json.dumps(bend(json.loads(request.content))).encode()
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return httpx2.Request(request.method, request.url, headers=headers, content=content)

    return bent


def as_it_is(body: Body) -> Body:
    return body


class Later:
    """A way to a line that is made after the exchange."""

    line: Transport | None = None

    async def post(self, url: str, **told: Any) -> Any:  # Any: whatever a transport takes and gives
        assert self.line is not None, "there is a line"
        return await self.line.post(url, **told)


def played(folder: Path, blank: Path, bend: Bend = as_it_is) -> tuple[list[Asked], Exchange]:
    """Two people write to a line that answers each with her own words, while each thing is wrong with the carrier."""

    async def main() -> tuple[list[Asked], Exchange]:
        clock, way = VirtualClock(BEGINNING), Later()
        number = Number(HOTLINE, f"{PUBLIC_URL}/voice/answer", message_url=f"{PUBLIC_URL}/text")
        exchange = Exchange(number, clock=clock, token=AUTH_TOKEN, transport=way)
        recorder = Recorder(exchange.client_transport(), bending(bend))
        rest = PlivoRest(
            api_url="https://api.plivo.example",
            auth_id=ACCOUNT,
            token=AUTH_TOKEN,
            number=HOTLINE,
            name="Porchlight",
            transport=recorder,
            limits=UNHURRIED,
        )

        async def answer(texted: Texted) -> TextReply:
            sending = await rest.text(texted.sender, f"You wrote: {texted.words}")
            return TextReply(is_unsent=sending is Sending.REFUSED)

        async with house(folder, blank=blank, clock=clock, builder=partial(build, answers_of=lambda _: answer)) as of:
            way.line = AsgiTransport(of.app)
            for fault in FAULTS:
                if fault is not None:
                    exchange.rest.fails(fault)
                for sender, words in ((ROSA, "VOICE"), (LUZ, "Sí 😀"), (ROSA, "")):
                    await exchange.text(sender, words)
                await exchange.run(30)
                exchange.rest.recovers()
                await exchange.quiet()
            await exchange.close()
        await rest.aclose()
        return recorder.asked, exchange

    return asyncio.run(main())


def test_every_text_that_leaves_is_kept_out_of_the_carrier_s_log(tmp_path: Path, blank: Path, record: Record) -> None:
    asked, exchange = played(tmp_path / "line", blank)
    record(len(asked), "requests that send a text")
    assert len(asked) >= 3 * len(FAULTS)
    assert [wrong for one in asked for wrong in complaints(one)] == []
    assert len(exchange.texts) == 3 * (len(FAULTS) - 1)
    assert {(text.log, text.sender) for text in exchange.texts} == {(False, HOTLINE)}


def test_whoever_writes_is_answered_and_nobody_else(tmp_path: Path, blank: Path) -> None:
    """Whatever was wrong meanwhile: what was refused came again, and was answered then. Only where nobody knows whether
    a text left is it not sent again, and may be lost."""
    _, exchange = played(tmp_path / "line", blank)
    hers, others = exchange.inbox(ROSA), exchange.inbox(LUZ)
    assert set(hers) == {"You wrote: VOICE", "You wrote: "}
    assert set(others) == {"You wrote: Sí 😀"}
    assert len(others) == len(FAULTS) - FAULTS.count(hangs())


@given(
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=MOST_CHARACTERS),
)
def test_whatever_is_said_to_whomever(to: str, words: str) -> None:
    asked: list[Asked] = []

    class Noting(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            asked.append(Asked(request.method, str(request.url), (), await request.aread()))
            return httpx2.Response(202, json={"message_uuid": ["x"]}, request=request)

    async def main() -> Sending:
        rest = PlivoRest(
            api_url="https://api.plivo.example",
            auth_id=ACCOUNT,
            token="t",
            number=HOTLINE,
            name="Porchlight",
            transport=Noting(),
        )
        try:
            return await rest.text(to, words)
        finally:
            await rest.aclose()

    assert asyncio.run(main()) is Sending.SENT
    [one] = asked
    assert list(complaints(one)) == []
    assert json.loads(one.body) == {"src": HOTLINE, "dst": to, "text": words, "log": "false"}


@pytest.mark.parametrize(
    ("bend", "seen"),
    [
        pytest.param(lambda body: _without(body, "log"), "log is None", id="says nothing of the log"),
        pytest.param(lambda body: {**body, "log": "true"}, "log is 'true'", id="lets it be logged"),
        pytest.param(lambda body: {**body, "log": True}, "log is True", id="lets it be logged, as JSON has it"),
        pytest.param(lambda body: {**body, "src": LUZ}, "not come from the hotline", id="from another number"),
    ],
)
def test_mutant_a_text_that_may_be_logged_is_seen(bend: Bend, seen: str, tmp_path: Path, blank: Path) -> None:
    asked, _ = played(tmp_path / "line", blank, bend)
    assert any(seen in wrong for one in asked for wrong in complaints(one))


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"log": "content_only"}, "log is 'content_only'"),
        ({"log": "number_only"}, "log is 'number_only'"),
        ({"url": f"{PUBLIC_URL}/text/status"}, "it says"),
        ({"trackable": "true"}, "it says"),
        ({"dst": f"{ROSA}<{LUZ}"}, "several"),
        ({"text": ""}, "empty"),
    ],
)
def test_mutant_what_the_exchange_does_not_even_imitate_is_seen(changes: dict[str, str], seen: str) -> None:
    body = {"src": HOTLINE, "dst": ROSA, "text": "1 for violence", "log": "false"}
    url = f"https://api.plivo.example/v1/Account/{ACCOUNT}/Message/"
    assert not list(complaints(Asked("POST", url, (), json.dumps(body).encode())))
    [wrong] = complaints(Asked("POST", url, (), json.dumps({**body, **changes}).encode()))
    assert seen in wrong


def _without(body: Body, name: str) -> Body:
    return {key: value for key, value in body.items() if key != name}
