"""What is asked of Plivo's REST interface, byte by byte, and what its answers mean."""

import asyncio
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import respx

from ivr.carrier.breaker import PROBES_EVERY, REFUSALS, Breaker
from ivr.carrier.rest import (
    MOST_CHARACTERS,
    NoRest,
    Order,
    Outcome,
    Placed,
    PlivoRest,
    Refused,
    Rest,
    Sending,
    Unclear,
)
from ivr.channels.sent import ASKED
from ivr.kit.time_limits import TimeLimits

API = "https://api.plivo.example"
ACCOUNT = f"{API}/v1/Account/MATESTTESTTESTTEST00"
REQUEST = "9834029e-58b6-11e1-b8b7-a5bd0e4e126f"
ORDER = Order("+12125550143", "https://line.example.org/a#ct=1000", "https://line.example.org/h", 20, 13_500)


def asked(use: Callable[[PlivoRest], Awaitable[object]], transport: httpx2.AsyncBaseTransport | None = None) -> object:
    async def main() -> object:
        rest = PlivoRest(
            api_url=API,
            auth_id="MATESTTESTTESTTEST00",
            token="secret",
            number="+15005550006",
            name="Porchlight",
            transport=transport,
        )
        try:
            return await use(rest)
        finally:
            await rest.aclose()

    return asyncio.run(main())


def test_a_phone_is_rung_with_the_hotline_s_number_and_name_and_without_machine_detection(
    httpx2_mock: respx.Router,
) -> None:
    route = httpx2_mock.post(f"{ACCOUNT}/Call/").respond(
        201, json={"api_id": "x", "message": "call fired", "request_uuid": REQUEST}
    )
    assert asked(lambda rest: rest.place(ORDER)) == Placed(REQUEST)
    [call] = route.calls
    assert json.loads(call.request.content) == {
        "from": "+15005550006",
        "to": "+12125550143",
        "answer_url": "https://line.example.org/a#ct=1000",
        "answer_method": "POST",
        "hangup_url": "https://line.example.org/h",
        "hangup_method": "POST",
        "ring_timeout": 20,
        "time_limit": 13_500,
        "caller_name": "Porchlight",
    }
    headers = {
        name: value for name, value in call.request.headers.items() if name not in ("user-agent", "accept-encoding")
    }
    assert headers == {
        "host": "api.plivo.example",
        "accept": "*/*",
        "connection": "keep-alive",
        "authorization": "Basic TUFURVNUVEVTVFRFU1RURVNUMDA6c2VjcmV0",
        "content-type": "application/json",
        "content-length": str(len(call.request.content)),
    }


def requests_of(of: type[PlivoRest], api: respx.Router) -> set[str]:
    """What it sends when all is asked of it that can be: methods with paths, ids as `*`, and fields of bodies."""
    api.route().respond(404)

    async def everything(_: PlivoRest) -> None:
        rest = of(api_url=API, auth_id="MATESTTESTTESTTEST00", token="secret", number="+15005550006", name="Porchlight")
        for name, use in USES.items():
            await getattr(rest, name)(*use)
        await rest.aclose()

    asked(everything)
    found = set()
    for call in api.calls:
        path = re.sub(f"{REQUEST}|{ROOM}", "*", str(call.request.url).removeprefix(f"{ACCOUNT}/")).rstrip("/")
        found |= {f"{call.request.method} {path}", *json.loads(call.request.content or "{}")}
    return found


ROOM = "c0ffee0123456789c0ffee01"
USES: dict[str, tuple[object, ...]] = {
    "place": (ORDER,),
    "cancel": (REQUEST,),
    "hang_up": (REQUEST,),
    "empty": (ROOM,),
    "text": ("+12125550100", "1 for violence"),
}
DECLARED = {place for asked in ASKED for place in asked.places}


def test_every_request_and_every_field_of_it_is_declared_and_no_other(httpx2_mock: respx.Router) -> None:
    asks = {name for name, _ in inspect.getmembers(Rest, inspect.isfunction) if not name.startswith("_")}
    assert asks - {"aclose"} == set(USES)
    assert requests_of(PlivoRest, httpx2_mock) == DECLARED


def test_mutant_a_request_that_nobody_declared_is_seen(httpx2_mock: respx.Router) -> None:
    class Nosy(PlivoRest):
        async def hang_up(self, call_uuid: str) -> bool:
            await self._client.get(f"/Call/{call_uuid}/")
            return await super().hang_up(call_uuid)

    assert requests_of(Nosy, httpx2_mock) - DECLARED == {"GET Call/*"}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, {"error": "to is not a valid number"}, Refused(is_about_number=True)),
        (422, {}, Refused(is_about_number=True)),
        (401, {}, Refused()),
        (429, {}, Refused()),
        (500, {}, Refused()),
        (503, {}, Refused()),
        (302, {}, Refused()),
        (201, {}, Unclear()),
        (201, {"request_uuid": ""}, Unclear()),
        (201, {"request_uuid": ["a", "b"]}, Unclear()),
        (201, {"request_uuid": "../../Call"}, Unclear()),
        (200, {"request_uuid": REQUEST}, Placed(REQUEST)),
    ],
)
def test_what_an_answer_means(
    httpx2_mock: respx.Router, status: int, body: dict[str, object], outcome: Outcome
) -> None:
    route = httpx2_mock.post(f"{ACCOUNT}/Call/").respond(status, json=body)
    assert asked(lambda rest: rest.place(ORDER)) == outcome
    assert route.call_count == 1, "nothing is asked twice"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx2.ConnectError("refused"), Refused()),
        (httpx2.ConnectTimeout("late"), Refused()),
        (httpx2.ReadTimeout("late"), Unclear()),
        (httpx2.WriteError("gone"), Unclear()),
        (httpx2.RemoteProtocolError("half"), Unclear()),
    ],
)
def test_without_an_answer_a_phone_may_ring_unless_nobody_was_reached(
    httpx2_mock: respx.Router, error: Exception, outcome: Outcome
) -> None:
    route = httpx2_mock.post(f"{ACCOUNT}/Call/").mock(side_effect=error)
    assert asked(lambda rest: rest.place(ORDER)) == outcome
    assert route.call_count == 1


def test_an_answer_that_is_no_json_may_be_a_phone_that_rings(httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(f"{ACCOUNT}/Call/").respond(200, html="<p>hello</p>")
    assert asked(lambda rest: rest.place(ORDER)) == Unclear()


@pytest.mark.parametrize("number", ["", "+1212<+1213", "+12125550143<+12125550144", "sip:a@b", "2125550143", "+1 212"])
def test_never_more_than_one_number(number: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        asked(lambda rest: rest.place(Order(number, "a", "h", 20, 60)))


def test_a_phone_that_rings_is_let_be_and_a_call_is_ended(httpx2_mock: respx.Router) -> None:
    ringing = httpx2_mock.delete(f"{ACCOUNT}/Request/{REQUEST}/").respond(204)
    talking = httpx2_mock.delete(f"{ACCOUNT}/Call/{REQUEST}/").respond(204)
    assert asked(lambda rest: rest.cancel(REQUEST)) is True
    assert asked(lambda rest: rest.hang_up(REQUEST)) is True
    assert [call.request.content for route in (ringing, talking) for call in route.calls] == [b"", b""]


@pytest.mark.parametrize(("status", "confirmed"), [(204, True), (404, True), (429, False), (500, False)])
def test_what_is_over_already_needs_no_end(httpx2_mock: respx.Router, status: int, confirmed: bool) -> None:
    httpx2_mock.delete(f"{ACCOUNT}/Request/{REQUEST}/").respond(status)
    assert asked(lambda rest: rest.cancel(REQUEST)) is confirmed


def test_an_end_that_nobody_answers_is_not_confirmed(httpx2_mock: respx.Router) -> None:
    httpx2_mock.delete(f"{ACCOUNT}/Call/{REQUEST}/").mock(side_effect=httpx2.ReadTimeout("late"))
    assert asked(lambda rest: rest.hang_up(REQUEST)) is False


@pytest.mark.parametrize("uuid", ["", "/", "all", "../Call", "0", "a b c d e f g"])
def test_never_every_call_of_the_account(uuid: str) -> None:
    for use in (lambda rest: rest.cancel(uuid), lambda rest: rest.hang_up(uuid)):
        with pytest.raises(ValueError, match="id of a call"):
            asked(use)


NOW = datetime(2027, 3, 10, 2, 10, tzinfo=UTC)


def test_after_refusals_in_a_row_one_request_now_and_then_is_let_through() -> None:
    breaker = Breaker()
    for _ in range(REFUSALS - 1):
        breaker.refused(NOW)
    assert breaker.lets_through(NOW)
    breaker.refused(NOW)
    assert not breaker.lets_through(NOW)
    later = NOW + PROBES_EVERY
    assert [breaker.lets_through(later) for _ in range(3)] == [True, False, False]
    breaker.refused(later)
    assert not breaker.lets_through(later + PROBES_EVERY - timedelta(seconds=1))
    assert breaker.lets_through(later + PROBES_EVERY)
    breaker.worked()
    assert breaker.lets_through(later + PROBES_EVERY)
    assert breaker.lets_through(later + PROBES_EVERY)


def test_one_that_works_forgives_those_before() -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker.refused(NOW)
        breaker.worked()
    assert breaker.lets_through(NOW)


def test_a_clock_that_goes_back_closes_nobody_out_for_long() -> None:
    breaker = Breaker()
    for _ in range(REFUSALS):
        breaker.refused(NOW)
    assert breaker.lets_through(NOW - timedelta(days=1))


@pytest.mark.parametrize(("status", "confirmed"), [(202, True), (204, True), (404, True), (500, False)])
def test_whoever_is_left_in_a_conference_is_sent_on(httpx2_mock: respx.Router, status: int, confirmed: bool) -> None:
    kick = httpx2_mock.post(f"{ACCOUNT}/Conference/{ROOM}/Member/all/Kick/").respond(status)
    assert asked(lambda rest: rest.empty(ROOM)) is confirmed
    assert kick.call_count == 1
    assert kick.calls.last.request.content == b""


@pytest.mark.parametrize("room", ["", "all", "../Call", "c0ffee/../..", "C0FFEE00"])
def test_no_conference_but_one_of_ours_is_emptied(room: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        asked(lambda rest: rest.empty(room))


class Slow(httpx2.AsyncBaseTransport):
    """Each of its steps is in time, all together are not."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(TimeLimits().rest + 1)
        return httpx2.Response(500, request=request)


def test_a_request_that_takes_longer_as_a_whole_may_ring() -> None:
    async def main() -> Outcome:
        rest = PlivoRest(
            api_url=API, auth_id="MATEST", token="secret", number="+15005550006", name="Here", transport=Slow()
        )
        try:
            return await rest.place(ORDER)
        finally:
            await rest.aclose()

    assert asyncio.run(main()) == Unclear()


ROSA, WORDS = "+12125550100", "Your receipt: 4820 1234 5678. ¿Qué pasó? <&>"


class InTurn(httpx2.AsyncBaseTransport):
    """A way on which each request fails as it is told, or where it is told nothing, is answered as Plivo does."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = errors
        self.count = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        error = self._errors[self.count]
        self.count += 1
        if error is not None:
            raise error
        return httpx2.Response(202, json=TEXTED, request=request)


TEXTED = {"message": "message(s) queued", "message_uuid": [REQUEST], "api_id": "x"}


def test_a_text_leaves_with_the_hotline_s_number_and_without_a_log(httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.post(f"{ACCOUNT}/Message/").respond(202, json=TEXTED)
    assert asked(lambda rest: rest.text(ROSA, WORDS)) is Sending.SENT
    [call] = route.calls
    assert json.loads(call.request.content) == {"src": "+15005550006", "dst": ROSA, "text": WORDS, "log": "false"}
    assert call.request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "body", "sending"),
    [
        (202, json.dumps(TEXTED), Sending.SENT),
        (200, json.dumps(TEXTED), Sending.SENT),
        (202, "{}", Sending.UNCLEAR),
        (202, '{"message_uuid": []}', Sending.UNCLEAR),
        (202, "[]", Sending.UNCLEAR),
        (200, "<p>hello</p>", Sending.UNCLEAR),
        (302, "", Sending.REFUSED),
        (400, '{"error": "dst is not a valid number"}', Sending.REFUSED),
        (401, "", Sending.REFUSED),
        (402, "", Sending.REFUSED),
        (429, "", Sending.REFUSED),
        (500, "", Sending.REFUSED),
        (503, "", Sending.REFUSED),
    ],
)
def test_what_an_answer_about_a_text_means(httpx2_mock: respx.Router, status: int, body: str, sending: Sending) -> None:
    route = httpx2_mock.post(f"{ACCOUNT}/Message/").respond(status, text=body)
    assert asked(lambda rest: rest.text(ROSA, WORDS)) is sending
    assert route.call_count == 1, "nothing that was answered is asked twice"


@pytest.mark.parametrize(
    ("errors", "sending", "times"),
    [
        ([httpx2.ConnectError("refused"), httpx2.ConnectError("refused")], Sending.REFUSED, 2),
        ([httpx2.ConnectTimeout("late"), httpx2.PoolTimeout("full")], Sending.REFUSED, 2),
        ([httpx2.ConnectError("refused"), None], Sending.SENT, 2),
        ([httpx2.ConnectError("refused"), httpx2.ReadTimeout("late")], Sending.UNCLEAR, 2),
        ([httpx2.ReadTimeout("late"), None], Sending.UNCLEAR, 1),
        ([httpx2.WriteError("gone"), None], Sending.UNCLEAR, 1),
        ([httpx2.RemoteProtocolError("half"), None], Sending.UNCLEAR, 1),
    ],
)
def test_a_text_is_tried_again_only_where_nobody_can_have_got_it(
    errors: list[Exception | None], sending: Sending, times: int
) -> None:
    way = InTurn(*errors)
    assert asked(lambda rest: rest.text(ROSA, WORDS), way) is sending
    assert way.count == times


@pytest.mark.parametrize(
    "number",
    ["", "+12125550100<+12125550101", "12125550100", "rosa", "+0212555010", "+1 212 555 0100", "+1234567890123456"],
)
@pytest.mark.parametrize("kind", ["Plivo's", "nobody's"])
def test_a_text_goes_to_one_number_and_whoever_asks_otherwise_is_told_without_it(number: str, kind: str) -> None:
    with pytest.raises(ValueError, match="written to") as raised:
        asked(lambda rest: (rest if kind == "Plivo's" else NoRest()).text(number, WORDS))
    told = str(raised.value)
    assert not number or number not in told
    assert WORDS not in told


@pytest.mark.parametrize("words", ["", "x" * (MOST_CHARACTERS + 1), "half \ud83d"])
def test_a_text_has_words_and_not_too_many(words: str) -> None:
    with pytest.raises(ValueError, match="1600 characters") as raised:
        asked(lambda rest: rest.text(ROSA, words))
    assert ROSA not in str(raised.value)


def test_without_a_phone_company_no_text_leaves() -> None:
    assert asked(lambda _: NoRest().text(ROSA, WORDS)) is Sending.REFUSED


def test_neither_number_nor_words_reach_a_log_or_a_description(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    seen: list[str] = []

    async def all_that_may_happen(rest: PlivoRest) -> None:
        seen.extend([repr(await rest.text(ROSA, WORDS)) for _ in range(3)])
        seen.append(repr(rest))

    asked(all_that_may_happen, InTurn(None, httpx2.ReadTimeout("late"), httpx2.WriteError("gone")))
    told = "\n".join([*seen, *(record.getMessage() for record in caplog.records)])
    assert "Message/" in told, "the log was listened to"
    assert ROSA.removeprefix("+") not in told
    assert "4820" not in told


class Dawdling(httpx2.AsyncBaseTransport):
    """Each of its steps is in time for a text, all together are not."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(TimeLimits().rest_text + 1)
        return httpx2.Response(500, request=request)


def test_a_text_whose_answer_takes_too_long_as_a_whole_may_have_been_sent() -> None:
    async def main() -> Sending:
        rest = PlivoRest(
            api_url=API, auth_id="MATEST", token="secret", number="+15005550006", name="Here", transport=Dawdling()
        )
        try:
            return await rest.text(ROSA, WORDS)
        finally:
            await rest.aclose()

    assert asyncio.run(main()) is Sending.UNCLEAR
