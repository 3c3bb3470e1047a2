"""A reply in one piece: what leaves a connection, and when."""

import asyncio
from typing import Any

import uvloop
from uvicorn.server import ServerState

from ivr.cli.serving import configured
from ivr.line.replies import OnePiece
from tests.line.wire import connected, echo, settled

REQUEST = b"POST /%b HTTP/1.1\r\nhost: line\r\ncontent-length: 2\r\n\r\nhi"


def test_head_and_body_leave_together() -> None:
    async def main() -> None:
        connection, wire = connected(echo)
        connection.data_received(REQUEST % b"one")
        await settled()
        assert wire.pieces == [b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n/one hi"]
        connection.data_received(REQUEST % b"two")
        await settled()
        assert wire.pieces[1:] == [b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n/two hi"]

    asyncio.run(main())


def test_a_line_is_served_so() -> None:
    async def main() -> None:
        assert isinstance(connected(echo)[0], OnePiece)

    asyncio.run(main())


def test_two_requests_at_once_have_their_replies_in_order() -> None:
    async def main() -> None:
        connection, wire = connected(echo)
        connection.data_received(REQUEST % b"one" + REQUEST % b"two")
        await settled()
        sent = b"".join(wire.pieces)
        assert sent.index(b"/one hi") < sent.index(b"/two hi")

    asyncio.run(main())


def test_who_waits_to_be_asked_for_the_body_is_asked() -> None:
    async def main() -> None:
        connection, wire = connected(echo)
        head, body = (REQUEST % b"one").split(b"\r\n\r\n")
        connection.data_received(head + b"\r\nexpect: 100-continue\r\n\r\n")
        await settled()
        assert wire.pieces == [b"HTTP/1.1 100 Continue\r\n\r\n"]
        connection.data_received(body)
        await settled()
        assert wire.pieces[1].endswith(b"/one hi")

    asyncio.run(main())


def test_what_is_written_before_a_pause_does_not_wait_for_what_comes_after() -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        async def slow(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            await go_on.wait()
            await send({"type": "http.response.body", "body": b"two"})

        connection, wire = connected(slow)
        connection.data_received(REQUEST % b"one")
        await settled()
        assert wire.pieces == [b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none"]
        go_on.set()
        await settled()
        assert wire.pieces[1:] == [b"two"]

    asyncio.run(main())


def test_a_connection_that_closes_after_its_reply_has_sent_it() -> None:
    async def main() -> None:
        connection, wire = connected(echo)
        connection.data_received((REQUEST % b"one").replace(b"host:", b"connection: close\r\nhost:"))
        await settled()
        assert b"".join(wire.pieces).endswith(b"/one hi")
        assert wire.is_closing()

    asyncio.run(main())


def test_a_caller_who_is_gone_is_sent_nothing_more() -> None:
    async def main() -> None:
        async def gone(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
            wire.abort()
            await send({"type": "http.response.body", "body": b"one"})

        connection, wire = connected(gone)
        connection.data_received(REQUEST % b"one")
        await settled()
        assert wire.pieces == []

    asyncio.run(main())


def test_who_closes_her_side_after_asking_still_hears_the_answer() -> None:
    """Over a real connection: it is the transport that closes itself."""

    async def asked(loop_seconds: float) -> bytes:
        config = configured(echo)
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: OnePiece(config, ServerState(), {}, loop), "127.0.0.1", 0)
        async with server, asyncio.timeout(loop_seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
            writer.write(REQUEST % b"one")
            writer.write_eof()
            reply = await reader.read()
            writer.close()
            return reply

    for runner in (asyncio.Runner(), asyncio.Runner(loop_factory=uvloop.new_event_loop)):
        with runner:
            assert [runner.run(asked(10)).endswith(b"/one hi") for _ in range(20)] == [True] * 20
