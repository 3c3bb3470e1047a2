"""A webhook reaches an application over ASGI and over HTTP, and is told apart from one that does not."""

import asyncio
from typing import Any

import httpx2
import pytest

from ivr.carrier.transport import AsgiTransport, HttpTransport, Message, Reply, Unreachable
from tests.carrier.scripted import HOST, Script, line

MENU = f'<GetInput action="{HOST}/chosen" numDigits="1"><Speak>Press one</Speak></GetInput>'


async def echo(scope: Message, receive: Any, send: Any) -> None:  # Any: ASGI's callables
    first, second = await receive(), await receive()
    assert (first["more_body"], second["type"]) == (False, "http.disconnect")
    headers = [(b"Content-Type", b"text/xml")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": scope["method"].encode() + b" ", "more_body": True})
    await send({"type": "http.response.body", "body": scope["raw_path"] + b" " + first["body"]})


async def silent(scope: Message, receive: Any, send: Any) -> None:
    pass


def test_over_asgi_the_application_gets_what_a_server_would_tell_it() -> None:
    seen: list[Message] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        seen.append(scope)
        await echo(scope, receive, send)

    url = f"{HOST}:8443/a%20b/c?d=%31&e"
    reply = asyncio.run(AsgiTransport(app).post(url, headers={"X-Some": "Value"}, body=b"f=g"))
    assert reply == Reply(201, "text/xml", b"POST /a%20b/c f=g")
    (scope,) = seen
    assert (scope["path"], scope["query_string"], scope["scheme"]) == ("/a b/c", b"d=%31&e", "https")
    assert scope["server"] == ("line.example.org", 8443)
    assert set(scope["headers"]) == {
        (b"host", b"line.example.org:8443"),
        (b"content-length", b"3"),
        (b"x-some", b"Value"),
    }


def test_over_asgi_an_application_that_says_nothing_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        asyncio.run(AsgiTransport(silent).post(f"{HOST}/a", headers={}, body=b""))


async def post(handler: Any) -> Reply:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as client:
        return await HttpTransport(client).post(f"{HOST}/a?b=c", headers={"X-Some": "Value"}, body=b"d=e")


def test_over_http_the_same_request_is_sent_and_no_redirect_is_followed() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert (request.method, str(request.url), request.content) == ("POST", f"{HOST}/a?b=c", b"d=e")
        assert request.headers["x-some"] == "Value"
        return httpx2.Response(302, headers={"content-type": "text/xml", "location": "/b"}, content=b"x")

    assert asyncio.run(post(handler)) == Reply(302, "text/xml", b"x")


@pytest.mark.parametrize(
    ("failure", "when"),
    [
        (httpx2.ConnectError("refused"), "ct"),
        (httpx2.ConnectTimeout("late"), "ct"),
        (httpx2.ReadTimeout("late"), "rt"),
        (httpx2.RemoteProtocolError("gone"), "rt"),
    ],
)
def test_over_http_a_failure_says_when_it_happened(failure: Exception, when: str) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise failure

    with pytest.raises(Unreachable) as unreachable:
        asyncio.run(post(handler))
    assert unreachable.value.when == when


def test_a_call_is_the_same_call_over_either() -> None:
    async def over_http(script: Script) -> list[tuple[str, dict[str, str]]]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=script)) as client:
            await walk(script, transport=HttpTransport(client))
        return script.asked

    async def walk(script: Script, **changes: Any) -> list[tuple[str, dict[str, str]]]:
        call = await line(script, **changes).call()
        await call.press("1")
        await call.hang_up()
        return script.asked

    pages = {"/answer": MENU, "/chosen": MENU, "/hangup": ""}
    assert asyncio.run(over_http(Script(dict(pages)))) == asyncio.run(walk(Script(dict(pages))))
