"""What the log says of a phone company that refuses: that it begins and that it ends, and nothing of anybody."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from ivr.carrier.refusals import SAID_EVERY, Refusals
from ivr.carrier.rest import Order, PlivoRest
from ivr.kit.clock import VirtualClock
from tests.promises.house import logs_captured

NUMBER = "+12125550143"
ORDER = Order(NUMBER, "https://line.example.org/a", "https://line.example.org/h", 20, 13_500)
REQUEST = "9834029e-58b6-11e1-b8b7-a5bd0e4e126f"
Outcome = int | Exception


@dataclass
class Answering(httpx2.AsyncBaseTransport):
    """A phone company that answers everything as it is told to."""

    so: Outcome = 201

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if isinstance(self.so, Exception):
            raise self.so
        return httpx2.Response(self.so, json={"request_uuid": REQUEST, "message_uuid": [REQUEST]}, request=request)


async def asked(rest: PlivoRest, kind: str) -> None:
    match kind:
        case "ring a phone":
            await rest.place(ORDER)
        case "end a call":
            await rest.hang_up(REQUEST)
        case "kick":
            await rest.empty("a" * 24)
        case _:
            await rest.text(NUMBER, "words of a caller")


def said(*story: tuple[Outcome, str], apart: timedelta = timedelta(seconds=1)) -> list[tuple[str, str, str]]:
    """What is in the log after these requests: event, what was asked, status."""

    async def main() -> None:
        clock = VirtualClock(datetime(2027, 3, 10, 17, tzinfo=UTC))
        way = Answering()
        rest = PlivoRest(
            api_url="https://api.plivo.example",
            auth_id="MATESTTESTTESTTEST00",
            token="secret",
            number="+15005550006",
            name="Porchlight",
            transport=way,
            refusals=Refusals(clock),
        )
        for outcome, kind in story:
            way.so = outcome
            await asked(rest, kind)
            clock.advance(apart)
        await rest.aclose()

    with logs_captured() as log:
        asyncio.run(main())
    assert b"2125550143" not in log()
    assert b"caller" not in log()
    lines: Sequence[dict[str, str]] = [json.loads(line) for line in log().splitlines()]
    assert all(line["level"] == "warning" for line in lines)
    return [(line["event"].rpartition("company ")[2], line["request"], line.get("status", "")) for line in lines]


REFUSES, TAKES = "refuses requests", "takes requests again"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (401, "401"),
        (429, "429"),
        (503, "503"),
        (httpx2.ConnectError("plivo.example"), "no connection"),
        (httpx2.ReadTimeout("after 1 s"), "no answer"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["ring a phone", "end a call", "send a text"])
def test_it_is_said_once_when_it_begins_and_once_when_it_ends(outcome: Outcome, status: str, kind: str) -> None:
    story = [(201, kind), *[(outcome, kind)] * 5, *[(201, kind)] * 3]
    assert said(*story) == [(REFUSES, kind, status), (TAKES, kind, "")]


def test_the_room_that_cannot_be_emptied_counts_as_a_call_that_cannot_be_ended() -> None:
    assert said((500, "kick"), (500, "end a call"), (204, "kick")) == [
        (REFUSES, "end a call", "500"),
        (TAKES, "end a call", ""),
    ]


def test_what_is_about_one_number_says_nothing_of_the_rest() -> None:
    assert said((400, "ring a phone"), (422, "send a text"), (404, "end a call")) == []
    assert said((401, "send a text"), (400, "send a text")) == [(REFUSES, "send a text", "401")]


def test_each_kind_is_told_by_itself() -> None:
    """An account that may ring and not write."""
    story = [(403, "send a text"), (201, "ring a phone")] * 3
    assert said(*story) == [(REFUSES, "send a text", "403")]


def test_where_it_refuses_now_and_then_it_is_said_once_a_minute_at_most() -> None:
    flapping = [(503, "ring a phone"), (201, "ring a phone")] * 60
    assert len(said(*flapping)) == 2 * len(flapping) * timedelta(seconds=1) // SAID_EVERY
    assert len(said(*flapping, apart=SAID_EVERY)) == len(flapping), "each stands by itself"
