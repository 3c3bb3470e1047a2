"""Connections are bounded in bytes, in time and in number: what a stranger sends, and what they do not send."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest

from ivr.line.connections import FILES_RESERVED, Connection, Limits
from ivr.line.edge import MAX_BODY
from ivr.line.wire import PLAIN, body_of, reply
from tests.line.wire import Served, VirtualLoop, Wire, counted, echo, in_virtual_time, settled

REQUEST = b"POST /one HTTP/1.1\r\nhost: line\r\ncontent-length: 2\r\n\r\nhi"
HALF_A_HEAD = b"POST /one HTTP/1.1\r\nhost: li"
HALF_A_BODY = REQUEST[:-1]
CHUNKED = b"POST / HTTP/1.1\r\nhost: line\r\ntransfer-encoding: chunked\r\n\r\n"
MB = 1_048_576

ENDLESS = {
    "a URL": (b"GET /", b"a" * 1_000),
    "a header's value": (b"GET / HTTP/1.1\r\nhost: ", b"a" * 1_000),
    "a header's name": (b"GET / HTTP/1.1\r\n", b"a" * 1_000),
    "headers": (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 100),
    "empty lines": (b"", b"\r\n" * 500),
    "the second request's head": (REQUEST + b"GET /", b"a" * 1_000),
    "a body in chunks of one byte": (CHUNKED, b"1\r\na\r\n" * 100),
    "a chunk's extension": (CHUNKED + b"1;", b"a" * 1_000),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n" * 100),
    "a trailer": (CHUNKED + b"0\r\na: ", b"a" * 1_000),
}


async def reader(_scope: Any, receive: Any, send: Any) -> None:
    """Reads a body as every webhook's is read."""
    body = await body_of(receive)
    await reply(send, 403 if body is None else 200, b"", PLAIN)


async def never(_scope: Any, receive: Any, _send: Any) -> None:
    """Asks for a request and never replies."""
    await receive()
    await asyncio.Event().wait()


def fed(beginning: bytes, more: bytes, limits: Limits, *, piece: int = 0) -> int:
    """Bytes that are parsed of what never ends, before the connection ends; of a megabyte at most."""
    found = 0

    async def story(_loop: VirtualLoop) -> None:
        nonlocal found
        connection, wire = Served(reader, limits).connected()
        parser = counted(connection)
        data = beginning + b"".join(repeat(more, MB // len(more)))
        for start in range(0, len(data), piece or len(data)):
            if wire.is_closing():
                break
            connection.data_received(data[start : start + (piece or len(data))])
            await settled()
        found = parser.fed

    in_virtual_time(story)
    return found


@pytest.mark.parametrize("piece", [700, 0], ids=["in small pieces", "at once"])
@pytest.mark.parametrize("what", ENDLESS)
def test_what_has_no_end_is_not_parsed_to_its_end(what: str, piece: int) -> None:
    limits = Limits()
    bound = limits.request_bytes if ENDLESS[what][0].startswith(CHUNKED) else limits.head_bytes
    assert fed(*ENDLESS[what], limits, piece=piece) <= bound + 8_192


def test_mutant_without_limits_the_whole_megabyte_is_parsed() -> None:
    endless = Limits(head_bytes=2 * MB, headers=MB, request_bytes=2 * MB, unfinished_bytes=2 * MB)
    assert all(fed(*ENDLESS[what], endless, piece=700) > MB // 2 for what in ("a URL", "a header's value", "a trailer"))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"GET /" + b"a" * 20_000, b"HTTP/1.1 431 "),
        (CHUNKED + b"1;" + b"a" * 70_000, b"HTTP/1.1 413 "),
        (b"\x16\x03\x01 no HTTP", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\nhost: line\r\ncontent-length: 99999999\r\n\r\n", b"HTTP/1.1 413 "),
        (CHUNKED + b"10000\r\n" + b"a" * (MAX_BODY + 1), b"HTTP/1.1 403 "),
    ],
    ids=["a long URL", "a long extension", "no HTTP", "says it is large", "is large"],
)
def test_what_is_too_large_is_refused_in_words_and_the_connection_ends(sent: bytes, told: bytes) -> None:
    async def story(_loop: VirtualLoop) -> None:
        connection, wire = Served(reader).connected()
        connection.data_received(sent)
        await settled()
        assert b"".join(wire.pieces).startswith(told)
        assert wire.is_gone

    in_virtual_time(story)


def test_a_large_webhook_in_any_pieces_is_read() -> None:
    body = b"a" * MAX_BODY
    head = b"POST / HTTP/1.1\r\nhost: line\r\n%b\r\n\r\n"
    cookies = b"\r\n".join(b"x-%d: %b" % (number, b"v" * 300) for number in range(40))
    sent = head % (b"content-length: %d\r\n%b" % (len(body), cookies)) + body

    async def story(_loop: VirtualLoop) -> None:
        for piece in (1_000, 4_096, 10_000, len(sent)):
            connection, wire = Served(reader).connected()
            for _ in range(3):
                for start in range(0, len(sent), piece):
                    connection.data_received(sent[start : start + piece])
                    await settled()
                assert b"".join(wire.pieces).startswith(b"HTTP/1.1 200 ")
                wire.pieces.clear()
            assert not wire.is_closing()

    in_virtual_time(story)


def test_only_so_many_requests_wait_for_the_reply_before_them() -> None:
    async def story(_loop: VirtualLoop) -> None:
        few, many = Limits().pipelined, 10_000
        connection, wire = Served(echo).connected()
        connection.data_received(REQUEST * few)
        await settled()
        assert b"".join(wire.pieces).count(b"/one hi") == few
        connection, wire = Served(never).connected()
        parser = counted(connection)
        connection.data_received(REQUEST * many)
        assert wire.is_gone
        assert parser.fed <= 4_096

    in_virtual_time(story)


# ---- time ----


def lasts(sent: bytes, every_second: bytes = b"", app: Any = reader, **how: Any) -> int:
    """Seconds until a connection ends over which this was sent; 100 where it does not."""
    seconds = 0

    async def story(loop: VirtualLoop) -> None:
        nonlocal seconds
        connection, wire = Served(app).connected(**how)
        if sent:
            connection.data_received(sent)
        await settled()
        while not wire.is_gone and seconds < 100:
            if every_second and not wire.is_closing():
                connection.data_received(every_second)
            await loop.pass_seconds(1)
            seconds += 1

    in_virtual_time(story)
    return seconds


@pytest.mark.parametrize(
    ("sent", "every_second", "least", "most"),
    [
        pytest.param(b"", b"", 10, 12, id="nothing is sent"),
        pytest.param(HALF_A_HEAD, b"", 10, 12, id="half a head"),
        pytest.param(HALF_A_HEAD, b"a", 10, 12, id="a head that goes on and on"),
        pytest.param(b"\r\n", b"\r\n", 10, 12, id="empty lines"),
        pytest.param(HALF_A_BODY, b"", 10, 12, id="half a body"),
        pytest.param(CHUNKED, b"1\r\na\r\n", 10, 12, id="a body that goes on and on"),
        pytest.param(REQUEST, b"", 5, 7, id="nothing after a reply"),
        pytest.param(REQUEST, b"\r\n", 5, 7, id="empty lines after a reply"),
        pytest.param(REQUEST + HALF_A_HEAD, b"", 10, 12, id="half a head after a reply"),
        pytest.param(REQUEST + HALF_A_BODY, b"", 10, 12, id="half a body after a reply"),
        pytest.param(b"", REQUEST, 100, 100, id="a request each second"),
    ],
)
def test_a_connection_that_waits_for_the_other_side_ends_in_time(
    sent: bytes, every_second: bytes, least: int, most: int
) -> None:
    assert least <= lasts(sent, every_second) <= most


def test_a_reply_of_ours_is_waited_for() -> None:
    assert lasts(REQUEST, app=never) == 100


def test_a_connection_that_cannot_be_closed_politely_is_ended() -> None:
    sent = REQUEST.replace(b"host:", b"connection: close\r\nhost:")
    assert 10 <= lasts(sent, stuck=True) <= 12


def test_somebody_who_does_not_read_their_reply_is_let_go() -> None:
    async def story(loop: VirtualLoop) -> None:
        for resumes, ends in ((False, True), (True, False)):
            connection, wire = Served(never).connected()
            connection.data_received(REQUEST)
            connection.pause_writing()
            await loop.pass_seconds(8)
            if resumes:
                connection.resume_writing()
            await loop.pass_seconds(4)
            assert wire.is_gone is ends

    in_virtual_time(story)


# ---- number ----


def many(served: Served, count: int, sent: bytes) -> Iterator[tuple[Connection, Wire]]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    for _ in range(count):
        loop.now += 0.001
        connection, wire = served.connected()
        if sent:
            connection.data_received(sent)
        yield connection, wire


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "half a head", "half a body"])
def test_where_there_is_no_room_those_who_never_finish_asking_make_some(sent: bytes) -> None:
    async def story(loop: VirtualLoop) -> None:
        served = Served(reader, Limits(connections=16))
        [*calm] = many(served, 4, REQUEST)
        await settled()
        loop.now += 0.5
        [*strangers] = many(served, 12, sent)
        loop.now += 0.5
        [(carrier, wire)] = many(served, 1, b"")
        ended = [stranger.is_gone for _, stranger in strangers]
        assert ended == sorted(ended, reverse=True), "those who have waited longest"
        assert 0 < sum(ended) < 12
        carrier.data_received(REQUEST)
        await settled()
        assert wire.pieces
        assert not any(one.is_gone for _, one in calm)

    in_virtual_time(story)


def test_where_nobody_is_half_way_those_between_two_requests_make_room_and_nobody_who_waits_for_a_reply() -> None:
    async def story(_loop: VirtualLoop) -> None:
        served = Served(reader, Limits(connections=8))
        [*idle] = many(served, 8, REQUEST)
        await settled()
        [(_, new)] = many(served, 1, REQUEST)
        assert not new.is_gone
        assert any(one.is_gone for _, one in idle)
        served = Served(never, Limits(connections=8))
        [*busy] = many(served, 8, REQUEST)
        [(_, new)] = many(served, 1, b"")
        assert new.is_gone
        assert not any(one.is_gone for _, one in busy)

    in_virtual_time(story)


def test_thousands_who_come_and_stay_never_are_more_than_the_bound() -> None:
    async def story(_loop: VirtualLoop) -> None:
        served = Served(reader, Limits(connections=50))
        wires = [wire for _, wire in many(served, 2_000, HALF_A_HEAD)]
        assert sum(not wire.is_gone for wire in wires) <= 50

    in_virtual_time(story)


def test_what_is_not_complete_is_bounded_together() -> None:
    async def story(_loop: VirtualLoop) -> None:
        served = Served(reader, Limits(unfinished_bytes=100_000))
        wires = [wire for _, wire in many(served, 100, b"GET /" + b"a" * 10_000)]
        assert sum(not wire.is_gone for wire in wires) <= 10
        assert not wires[-1].is_gone

    in_virtual_time(story)


@pytest.mark.parametrize(
    ("soft", "hard", "connections"), [(256, 100_000, 1_024), (1_024, 1_024, 1_024 - FILES_RESERVED), (100, 100, 25)]
)
def test_connections_leave_file_handles_for_everything_else(soft: int, hard: int, connections: int) -> None:
    program = (
        "import resource as r\nfrom ivr.line.connections import Limits\n"
        f"r.setrlimit(r.RLIMIT_NOFILE, ({soft}, min({hard}, r.getrlimit(r.RLIMIT_NOFILE)[1])))\n"
        "print(Limits().within_file_limit().connections, r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found, files = map(int, done.stdout.split())
    assert found == connections
    assert files - found >= min(FILES_RESERVED, files * 3 // 4)
