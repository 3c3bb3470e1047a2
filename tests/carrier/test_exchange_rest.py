"""What the exchange's REST interface answers, what it does then, and everything that can be wrong with it."""

import json
import socket

import httpx2
import pytest
import uvicorn

from ivr.carrier import exchange_behaviours as b
from ivr.carrier.phones import Answers, NeverAnswers
from ivr.carrier.rest import Order, Outcome, Placed, PlivoRest, Refused, Unclear
from ivr.carrier.rest_api import Asked, Fault, NotImitated, garbage, hangs, refuses, unreachable
from ivr.carrier.transport import Message
from tests.carrier.scripted import HOST, TOKEN
from tests.carrier.shows import shows
from tests.carrier.switchboard import ACCOUNT, ANA, BEA, CLEO, HOLD, LINE, ROSA, WHISPER, Board, played
from tests.founded import UNHURRIED

CALL = f"/v1/Account/{ACCOUNT}/Call/"
WANTED = {"from": LINE, "to": ANA, "answer_url": f"{HOST}/offer"}
PAGES = {"/answer": HOLD, "/hold": HOLD, "/offer": WHISPER}


@shows(b.REQUESTED)
def test_a_request_is_answered_before_anything_rings() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, NeverAnswers())
        answer = await board.ask("POST", CALL, json=WANTED)
        assert answer.status_code == 201
        assert answer.json()["message"] == "call fired"
        assert answer.json()["request_uuid"] == board.exchange.leg(ANA).uuid
        assert board.exchange.leg(ANA).state == "queued"
        await board.exchange.run(121)
        assert board.passed == 121
        [over] = board.told("/offer")
        assert (over["Event"], over["CallStatus"]) == ("Hangup", "no-answer"), "without a hangup URL the answer URL"
        assert board.exchange.rest.requests == [Asked("POST", CALL, WANTED, 201)]

    played(scene, PAGES)


@shows(b.CREDENTIALS)
@pytest.mark.parametrize(("path", "token"), [(CALL, "wrong"), (CALL.replace(ACCOUNT, "MAOTHER"), TOKEN)])
def test_strangers_are_not_let_in(path: str, token: str) -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask("POST", path, token=token, json=WANTED)).status_code == 401
        assert (await board.ask("DELETE", path, token=token)).status_code == 401
        assert board.exchange.legs == ()

    played(scene, PAGES)


@shows(b.NUMBER_REFUSED)
@pytest.mark.parametrize(
    "body",
    [
        json.dumps(WANTED | {"to": "911"}),
        json.dumps(WANTED | {"to": "sip:ana@example.org"}),
        json.dumps(WANTED | {"from": "the line"}),
        json.dumps({"to": ANA, "from": LINE}),
        json.dumps([ANA]),
        "",
        "{",
    ],
)
def test_what_is_no_request_is_refused(body: str) -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask("POST", CALL, content=body)).status_code == 400
        assert board.exchange.legs == ()

    played(scene, PAGES)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (WANTED | {"machine_detection": "true"}, "machine_detection"),
        (WANTED | {"to": f"{ANA}<{BEA}"}, "several numbers"),
        (WANTED | {"answer_method": "GET"}, "not signed POSTs"),
        (WANTED | {"ring_volume": "11"}, "ring_volume"),
    ],
)
def test_what_is_not_imitated_fails_the_test_loudly(body: dict[str, str], reason: str) -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask("POST", CALL, json=body)).status_code == 400
        with pytest.raises(NotImitated, match=reason):
            await board.exchange.run(1)
        assert board.exchange.legs == ()

    played(scene, PAGES)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CALL, 405),
        ("POST", CALL + "x/", 405),
        ("DELETE", CALL.replace("Call", "Request"), 404),
        ("DELETE", CALL.replace("Call", "Request") + "x/", 404),
        ("DELETE", CALL + "x/", 404),
        ("DELETE", CALL + "x", 404),
        ("POST", "/v1/Account/", 404),
        ("POST", f"/v1/Account/{ACCOUNT}/Conference/room/Member/1/Kick/", 404),
    ],
)
def test_what_is_not_there_is_not_found(method: str, path: str, status: int) -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask(method, path)).status_code == status

    played(scene, PAGES)


@shows(b.CANCELLED)
def test_a_phone_is_let_be_while_it_is_queued_or_rings_but_not_after() -> None:
    async def scene(board: Board) -> None:
        for number in (ANA, BEA, CLEO):
            board.exchange.phone(number, Answers(after=4))
            await board.order(number)
        await board.exchange.run(0.5)
        ana, bea, cleo = board.exchange.legs
        for leg in (bea, cleo):
            assert (await board.ask("DELETE", CALL.replace("Call", "Request") + f"{leg.uuid}/")).status_code == 204
        await board.exchange.run(4)
        assert [(leg.state, leg.status) for leg in (ana, bea, cleo)] == [
            *(("listening", None), ("over", "cancel"), ("over", "cancel")),
        ]
        assert cleo.rang_from is None
        assert (bea.ended_at, bea.rang_until) == (bea.rang_until, bea.ended_at)
        for leg in (ana, bea):
            assert (await board.ask("DELETE", CALL.replace("Call", "Request") + f"{leg.uuid}/")).status_code == 404
        assert ana.state == "listening"
        assert [over["HangupSource"] for over in board.told("/over")] == ["API Request", "API Request"]

    played(scene, PAGES)


@shows(b.HUNG_UP, b.EVERY_CALL)
def test_a_call_is_hung_up_and_without_an_id_every_call() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=1))
        board.exchange.phone(BEA, NeverAnswers())
        board.exchange.phone(CLEO, Answers(after=1))
        rosa = await board.exchange.call(ROSA)
        for number in (ANA, BEA, CLEO):
            await board.order(number)
        await board.exchange.run(2.5)
        ana, bea, cleo = board.exchange.legs[1:]
        assert await board.rest.hang_up(ana.uuid)
        await board.exchange.run(0)
        assert [leg.is_over for leg in (rosa, ana, bea, cleo)] == [False, True, False, False]
        assert (await board.ask("DELETE", f"{CALL}{ana.uuid}/")).status_code == 404
        assert (await board.ask("DELETE", CALL)).status_code == 204
        await board.exchange.run(0)
        assert [(leg.is_over, leg.status) for leg in (rosa, bea, cleo)] == [
            *((True, "completed"), (True, "cancel"), (True, "completed")),
        ]
        assert board.exchange.rest.requests[-1] == Asked("DELETE", CALL, None, 204)

    played(scene, PAGES)


@pytest.mark.parametrize(
    ("fault", "outcome", "rings"),
    [
        (hangs(), Unclear(), False),
        (hangs(is_done=True), Unclear(), True),
        (unreachable(), Refused(), False),
        (refuses(429), Refused(), False),
        (refuses(401), Refused(), False),
        (refuses(500), Refused(), False),
        (refuses(503, is_done=True), Refused(), True),
        (refuses(400), Refused(is_about_number=True), False),
        (garbage(), Unclear(), True),
        (garbage(is_done=False), Unclear(), False),
        (refuses(503, only="DELETE"), None, True),
    ],
)
def test_whatever_is_wrong_with_it_our_client_knows_whether_a_phone_may_ring(
    fault: Fault, outcome: Outcome | None, rings: bool
) -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, NeverAnswers())
        board.exchange.phone(BEA, NeverAnswers())
        board.exchange.rest.fails(fault)
        placed = await board.order(ANA)
        assert isinstance(placed, Placed) if outcome is None else placed == outcome
        assert [leg.number for leg in board.exchange.legs] == [ANA] * rings
        board.exchange.rest.recovers()
        assert isinstance(await board.order(BEA), Placed)
        assert board.passed == 0

    played(scene, PAGES)


def test_something_can_be_wrong_with_one_number_only_and_with_letting_it_be() -> None:
    async def scene(board: Board) -> None:
        for number in (ANA, BEA):
            board.exchange.phone(number, NeverAnswers())
        board.exchange.rest.fails(hangs(only="DELETE"), number=BEA)
        placed = [await board.order(number) for number in (ANA, BEA)]
        requests = [one.request_uuid for one in placed if isinstance(one, Placed)]
        assert [await board.rest.cancel(request) for request in requests] == [True, False]
        await board.exchange.run(1)
        assert [leg.state for leg in board.exchange.legs] == ["over", "ringing"]
        assert [asked.status for asked in board.exchange.rest.requests] == [201, 201, 204, None]

    played(scene, PAGES)


def test_it_is_an_application_that_hangs_until_its_client_has_had_enough() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, NeverAnswers())
        sent: list[Message] = []
        told: list[Message] = [
            {"type": "http.request", "body": json.dumps(WANTED).encode()},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return told.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        transport = httpx2.ASGITransport(board.exchange.rest)
        async with httpx2.AsyncClient(transport=transport, base_url="http://a", auth=(ACCOUNT, TOKEN)) as client:
            assert (await client.post(CALL, json=WANTED)).status_code == 201
        board.exchange.rest.fails(hangs(is_done=True))
        scope = {"type": "http", "method": "POST", "path": CALL, "headers": []}
        await board.exchange.rest(scope, receive, send)
        assert (sent, told) == ([], [])
        board.exchange.rest.fails(unreachable())
        told[:] = [{"type": "http.request", "body": b""}]
        with pytest.raises(ConnectionError):
            await board.exchange.rest(scope, receive, send)
        await board.exchange.rest({"type": "lifespan"}, receive, send)

    played(scene, PAGES)


def test_our_client_reaches_it_over_http() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2))
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            config = uvicorn.Config(board.exchange.rest, lifespan="off", log_config=None)
            config.load()
            server = uvicorn.Server(config)
            server.lifespan = config.lifespan_class(config)
            await server.startup(sockets=[door])
            url = f"http://127.0.0.1:{door.getsockname()[1]}"
            rest = PlivoRest(api_url=url, auth_id=ACCOUNT, token=TOKEN, number=LINE, name="Line", limits=UNHURRIED)
            placed = await rest.place(Order(ANA, f"{HOST}/offer", f"{HOST}/over", 20, 60))
            assert isinstance(placed, Placed)
            await board.exchange.run(3)
            assert board.exchange.leg(ANA).state == "listening"
            assert await rest.hang_up(placed.request_uuid)
            await board.exchange.run(0)
            assert board.exchange.leg(ANA).is_over
            await rest.aclose()
            await server.shutdown(sockets=[door])

    played(scene, PAGES)
