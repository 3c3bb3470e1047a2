"""The door of texts: what the carrier hears, and that nothing of a text stands in a log whatever goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ivr.carrier.signature import Verifier
from ivr.channels.message import message_xml
from ivr.channels.texted import Texted, TextReply
from ivr.line.text_door import TextDoor
from ivr.line.text_edge import TextEdge
from tests.line.test_text_edge import GENUINE
from tests.promises.house import AUTH_TOKEN, HOTLINE, PUBLIC_URL, logs_captured
from tests.promises.requests import FORM, Got, Request, send

ROSA = "+12125550100"
NO_STORE = (b"cache-control", b"no-store")


def text(**changes: str) -> Request:
    bare = Request(b"/text", ((b"content-type", FORM),), ())
    return bare.with_fields(*{**GENUINE, "Text": "he took my phone", **changes}.items()).signed(nonce="1")


def answered(answers: Callable[[Texted], Awaitable[TextReply]], request: Request | None = None) -> Got:
    door = TextDoor(TextEdge(Verifier([AUTH_TOKEN], PUBLIC_URL), HOTLINE), answers)
    return asyncio.run(send(door, request or text()))


def always(reply: TextReply) -> Callable[[Texted], Awaitable[TextReply]]:
    async def answer(_texted: Texted) -> TextReply:
        return reply

    return answer


def test_who_answers_hears_who_wrote_what_and_which_text_it_is() -> None:
    heard: list[Texted] = []

    async def answer(texted: Texted) -> TextReply:
        heard.append(texted)
        return TextReply()

    got = answered(answer)
    assert heard == [Texted(ROSA, "he took my phone", GENUINE["MessageUUID"])]
    assert (got.status, got.body) == (200, b"<Response/>")
    assert dict(got.headers) == {
        b"content-type": b"application/xml",
        b"content-length": b"11",
        b"cache-control": b"no-store",
    }


def test_an_answer_may_go_with_the_answer_to_the_webhook() -> None:
    document = message_xml(HOTLINE, ROSA, "1 for violence")
    assert answered(always(TextReply(document))).body == document


def test_what_could_not_be_sent_is_delivered_again_in_a_minute() -> None:
    got = answered(always(TextReply(is_unsent=True)))
    assert got.status == 503
    assert (b"retry-after", b"60") in got.headers
    assert NO_STORE in got.headers


def test_whatever_raises_is_delivered_again_and_told_without_her_words_or_number() -> None:
    async def fails(texted: Texted) -> TextReply:
        raise RuntimeError(f"{texted.sender} wrote {texted.words} in {texted.message_id}")

    with logs_captured() as written:
        got = answered(fails)
        told = written()
    assert got.status == 503
    assert b"text failed" in told
    assert b"RuntimeError" in told
    for hidden in (b"2125550100", b"phone", b"97ceeb52"):
        assert hidden not in told
        assert hidden not in got.body


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(text().with_body(b""), id="empty"),
        pytest.param(text().with_fields(*{**GENUINE, "Text": "2"}.items()), id="altered"),
        pytest.param(text(From="12125550100MessageIntent"), id="misshapen"),
    ],
)
def test_nobody_else_is_heard(request_: Request) -> None:
    async def unheard(_texted: Texted) -> TextReply:
        raise AssertionError("nobody wrote")

    assert answered(unheard, request_) == Got(
        403, ((b"content-type", b"text/plain"), (b"content-length", b"9"), NO_STORE), b"Forbidden"
    )
