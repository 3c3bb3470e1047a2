"""Whatever a stranger sends, they are refused with less than a 500, and the log says nothing of it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
import uvloop
from starlette.routing import Route

from ivr.cli.serving import configured
from ivr.line.recordings import Recordings
from tests.line.wire import PATIENCE_SECONDS, App, Served, asked
from tests.promises.house import House, house, initialised, logs_captured

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
RECORDED = b"ID3 how a greeting sounds" * 4_000

LONG = b"a" * 5_000
HOSTILE = (
    b"x",
    b"x.mp3",
    LONG + b".mp3",
    b"%00.mp3",
    b"a%00b",
    b"%C3%A9.mp3",
    b"%FF%FE.mp3",
    b"%ED%A0%80.mp3",
    b"%F0%9F%98%80",
    b"%",
    b"%zz.mp3",
    b"%0D%0Ax-y:%20z.mp3",
    b"..",
    b"%2E%2E",
    b"..%2F..%2Fetc%2Fpasswd",
    b"%2Fetc%2Fpasswd.mp3",
    b"..%5Cx.mp3",
    b"con.mp3",
    b".mp3",
    b"{name}",
    b"%25n%25s%25d.mp3",
    b"x;y=z,w:*~!$&'()",
    b"\xc3\xa9.mp3",
    b"\xff",
    b"a b",
    b"a\tb",
    b"<script>",
    b"%3Cscript%3E",
)
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"PATCH", b"PROPFIND", b"PRI")
TAILS = (
    b"",
    b"content-length: 0\r\n",
    b"content-length: 5\r\ncontent-type: application/x-www-form-urlencoded\r\n",
    b"range: bytes=0-0,0-0,5-2,-,x\r\nif-range: x\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n",
    b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
    b"expect: 100-continue\r\ncontent-length: 5\r\n",
    b"expect: everything\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"x-plivo-signature-v3: AAAA\r\nx-plivo-signature-v3-nonce: 1\r\n",
    b"x-plivo-signature-v3: \xff\xfe\r\nx-plivo-signature-v3-nonce: \xff\r\ncontent-type: \xff\r\n",
)
BODY = b"a=%zz"
NO_HTTP = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/0.9\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"GET /healthz HTTP/3.1\r\n\r\n",
    b"GET  /healthz HTTP/1.1\r\n\r\n",
    b"GET http:// HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://elsewhere.example HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://elsewhere.example/healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    b"CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: x\r\n\r\nmore",
    b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    b"POST /text HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    b"POST /text HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    b"POST /text HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /text HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /text HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    b"GET / HTTP/1.1\r\na\x00b: x\r\n\r\n",
    b"GET / HTTP/1.1\r\na: x\x00y\r\n\r\n",
    b"GET / HTTP/1.1\r\na : x\r\n\r\n",
    b"GET / HTTP/1.1\r\n a: folded\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 100,
    b"SSH-2.0-x\r\n",
    b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x05hello",
    b"POST /text HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 5\r\n\r\na=%zzGET / HTTP/1.1\r\n\r\n",
)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blank")
    asyncio.run(initialised(folder))
    return folder


@asynccontextmanager
async def line(folder: Path, blank: Path) -> AsyncIterator[House]:
    audio = folder / "line" / "audio" / "en"
    audio.mkdir(parents=True)
    (audio / "greeting.mp3").write_bytes(RECORDED)
    (audio / "secret.txt").write_bytes(b"no recording")
    async with house(folder / "line", blank=blank) as of:
        yield of


def hostile(routes: list[str]) -> Iterator[bytes]:
    """Requests to every route, with every hostile name in each place of its address and in what surrounds it."""
    paths = dict.fromkeys(path for route in routes for path in addresses(route.encode()))
    for number, path in enumerate(paths):
        for method in METHODS if number % 7 == 0 else (b"GET", b"HEAD", b"POST"):
            tail = TAILS[(number + METHODS.index(method)) % len(TAILS)]
            yield method + b" " + path + b" HTTP/1.1\r\nhost: x\r\n" + tail + b"\r\n" + BODY
    for method, tail in product(METHODS, TAILS):
        yield method + b" /voice/answer HTTP/1.1\r\nhost: x\r\n" + tail + b"\r\n" + BODY


def addresses(route: bytes) -> Iterator[bytes]:
    names = re.findall(rb"\{\w+\}", route)
    yield from (route + b"/", b"/" + route, route + b"?a=b&%zz", route + b"?\xff", route.upper(), b"http://x" + route)
    for name in HOSTILE:
        filled = route
        for place in names:
            yield route.replace(place, name)
            filled = filled.replace(place, name)
        yield filled
        yield route + b"/" + name
        yield b"/prefix" + route + b"?" + name


def is_about_readiness(request: bytes) -> bool:
    """A line that is not ready says so with a 503: that is what it is asked for."""
    return urlsplit(request.split(b" ")[1]).path == b"/readyz"


async def let_in(app: App, requests: list[bytes]) -> list[bytes]:
    """Requests that were answered with a 500 or more, or not in HTTP."""
    served, found = Served(app), list[bytes]()
    for request in requests:
        statuses = STATUS.findall(await asked(served, request))
        if any(int(status) >= 500 for status in statuses) and not is_about_readiness(request):
            found.append(request[:100])
    return found


def strange(
    folder: Path, blank: Path, wrapped: Callable[[App], App] = lambda app: app, under: str = ""
) -> tuple[list[bytes], bytes]:
    """What a line answers badly under an address, and what it logs meanwhile."""

    async def main() -> tuple[list[bytes], bytes]:
        async with line(folder, blank) as of:
            routes = [route.path for route in of.router.routes if isinstance(route, Route)]
            assert len(routes) > 20
            attacked = [route for route in [*routes, "/"] if route.startswith(under)]
            with logs_captured() as log:
                bad = await let_in(wrapped(of.app), [*hostile(attacked), *NO_HTTP])
                return bad, log()

    return asyncio.run(main())


def test_no_request_to_any_route_makes_the_line_fail_or_write(tmp_path: Path, blank: Path) -> None:
    assert strange(tmp_path, blank) == ([], b"")


def test_mutant_a_path_made_from_what_a_stranger_sent_is_seen(tmp_path: Path, blank: Path) -> None:
    def curious(app: App) -> App:
        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].startswith("/voice/audio/"):
                (tmp_path / scope["path"].lstrip("/")).is_file()
            await app(scope, receive, send)

        return asgi

    bad, log = strange(tmp_path, blank, curious, "/voice/audio/")
    assert bad
    assert b"OSError" in log


def test_a_recording_is_played_and_nothing_beside_it(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with line(tmp_path, blank) as of:
            served = Served(of.app)

            async def got(request: bytes) -> tuple[bytes, bytes]:
                head, _, body = (await asked(served, request + b" HTTP/1.1\r\nhost: x\r\n\r\n")).partition(b"\r\n\r\n")
                return head.lower(), body

            head, body = await got(b"GET /voice/audio/en/greeting.mp3")
            assert body == RECORDED
            assert b"content-type: audio/mpeg" in head
            head, body = await got(b"HEAD /voice/audio/en/greeting.mp3")
            assert (b"content-length: %d" % len(RECORDED) in head, body) == (True, b"")
            for other in (b"en/secret.txt", b"es/greeting.mp3", b"en/../en/greeting.mp3", b"en/greeting.mp3/", b"en/"):
                assert (await got(b"GET /voice/audio/" + other))[0].startswith(b"http/1.1 404 ")
            (of.folder / "audio" / "en" / "greeting.mp3").unlink()
            with logs_captured() as log:
                assert (await got(b"GET /voice/audio/en/greeting.mp3"))[0].startswith(b"http/1.1 404 ")
                assert log() == b""

    asyncio.run(main())


def test_which_recordings_there_are_is_listed_when_the_line_starts(tmp_path: Path) -> None:
    assert not Recordings(tmp_path / "nowhere")._files
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.mp3").mkdir()
    (tmp_path / "en" / "b.mp3").write_bytes(b"b")
    assert [*Recordings(tmp_path)._files] == [("en", "b.mp3")]


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[int]:
    """The port at which uvicorn serves an application, as `ivr serve` has it do."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(configured(app))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not server.started:  # noqa: ASYNC110 uvicorn tells nobody
            await asyncio.sleep(0)
    yield listening.getsockname()[1]
    server.should_exit = True
    await task


def test_over_real_connections_too(tmp_path: Path, blank: Path) -> None:
    """With a server, its loop and its warnings: what is no HTTP at all, and everybody who hangs up half-way."""

    async def main() -> None:
        async with line(tmp_path, blank) as of:
            with logs_captured() as log:
                async with serving(of.app) as port:
                    for sent in (*NO_HTTP, *(request[:200] for request in hostile(["/voice/audio/{language}/{name}"]))):
                        reader, writer = await asyncio.open_connection("127.0.0.1", port)
                        writer.write(sent)
                        writer.write_eof()
                        async with asyncio.timeout(PATIENCE_SECONDS):
                            if sent.endswith(b"\r\n\r\n") and b"HTTP/1.1" in sent:
                                statuses = STATUS.findall(await reader.read(1_000))
                                assert all(int(status) < 500 for status in statuses), sent[:100]
                        writer.transport.abort()
                assert log() == b""

    uvloop.run(main())
