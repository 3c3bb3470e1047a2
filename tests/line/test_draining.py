"""A server that stops: what was asked is answered, and no connection is closed under a request."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ivr.cli.serving import configured
from ivr.line.connections import Connection, Connections, Limits
from ivr.line.wire import body_of
from tests.line.test_replies import REQUEST
from tests.line.wire import App, Wire, settled

LAST = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    told = scope["path"].encode() + b" " + (await body_of(receive) or b"")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


Served = Callable[..., HttpToolsProtocol]


def bounded(*given: Any) -> HttpToolsProtocol:
    """A connection as the line serves it."""
    return Connection(*given, among=Connections(Limits()))


class Loop:
    """The running loop, whose timers end when they are told to."""

    def __init__(self) -> None:
        self._timers: list[Callable[[], Any]] = []
        self._loop = asyncio.get_running_loop()

    def call_later(self, _seconds: float, act: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        self._timers.append(lambda: act(*arguments))
        return asyncio.TimerHandle(0, lambda: None, (), self._loop)

    async def lingers(self) -> None:
        """Until everything has happened for which there is a timer now."""
        due, self._timers = self._timers, []
        for timer in due:
            timer()
        await settled()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


def connected(app: App = echo, protocol: Served = bounded) -> tuple[HttpToolsProtocol, Wire, Loop]:
    config, wire, loop = configured(app), Wire(), Loop()
    config.load()
    connection = protocol(config, ServerState(), {}, loop)
    connection.connection_made(wire)
    return connection, wire, loop


async def sends(connection: HttpToolsProtocol, piece: bytes) -> None:
    connection.data_received(piece)
    await settled()


async def a_request_on_the_way_is_answered(protocol: Served) -> None:
    """It was sent before anybody could know that the server stops, on a connection that was kept open, or a new one."""
    for before in (REQUEST % b"one", b""):
        connection, wire, _ = connected(protocol=protocol)
        await sends(connection, before)
        connection.shutdown()
        assert not wire.is_closing()
        await sends(connection, REQUEST % b"two")
        assert wire.pieces[-1] == LAST + b"/two hi"
        assert wire.is_closing()


async def a_request_in_two_pieces_is_answered(protocol: Served) -> None:
    for cut in (10, -1):
        connection, wire, loop = connected(protocol=protocol)
        await sends(connection, (REQUEST % b"one")[:cut])
        connection.shutdown()
        await loop.lingers()
        assert not wire.is_closing()
        await sends(connection, (REQUEST % b"one")[cut:])
        assert b"connection: close" in wire.pieces[-1]
        assert wire.pieces[-1].endswith(b"/one hi")
        assert wire.is_closing()


async def what_was_asked_before_is_answered(protocol: Served) -> None:
    """Also what was pipelined; and a slow answer is waited for, however long it takes."""
    go_on = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await echo(scope, receive, send)

    connection, wire, loop = connected(slow, protocol)
    await sends(connection, REQUEST % b"one" + REQUEST % b"two")
    connection.shutdown()
    await loop.lingers()
    await loop.lingers()
    assert not wire.is_closing()
    go_on.set()
    await settled()
    sent = b"".join(wire.pieces)
    assert sent.index(b"/one hi") < sent.index(b"connection: close") < sent.index(b"/two hi")
    assert wire.is_closing()


STORIES = (a_request_on_the_way_is_answered, a_request_in_two_pieces_is_answered, what_was_asked_before_is_answered)
Story = Callable[[Served], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whatever_was_asked_is_answered(story: Story) -> None:
    asyncio.run(story(bounded))


@pytest.mark.parametrize("story", STORIES[:2], ids=lambda story: story.__name__)
def test_a_server_that_does_not_wait_is_found(story: Story) -> None:
    with pytest.raises(AssertionError):
        asyncio.run(story(HttpToolsProtocol))


def test_an_idle_connection_is_closed_in_the_end_and_one_that_begins_and_does_not_go_on_a_little_later() -> None:
    async def main() -> None:
        for begun, lingers in ((b"", 1), (REQUEST % b"one", 1), (b"POST /one HT", 2), ((REQUEST % b"one")[:-1], 2)):
            connection, wire, loop = connected()
            await sends(connection, begun)
            connection.shutdown()
            for _ in range(lingers):
                assert not wire.is_closing()
                await loop.lingers()
            assert wire.is_closing()

    asyncio.run(main())
