"""Makes load: recorded requests over connections that are kept, each reply checked. Knows bytes of HTTP/1.1, and
nothing of what they ask for."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import cast

from bench.process import HOST

REPLY_SECONDS = 30
"""A reply that takes longer ends the run."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.I)


class WrongReply(Exception):
    """A reply that is not the one that was recorded: what was measured means nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and how many bytes the body of its reply must have; None where only the status is known."""

    raw: bytes
    length: int | None


class _Connection(asyncio.Protocol):
    """One request out, its reply in; then the next."""

    def __init__(self) -> None:
        self._received = b""
        self._reply: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its bases

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        length = _LENGTH.search(self._received, 0, head) if head >= 0 else None
        if length is None or len(self._received) < head + 4 + int(length[1]):
            return
        whole, self._received = self._received, b""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(whole)

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(exc or ConnectionResetError("closed without a whole reply"))

    async def ask(self, raw: bytes) -> bytes:
        assert self._transport is not None
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return await self._reply

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@dataclass(slots=True)
class _Client:
    """One of several callers of a server: a connection, made anew whenever the server closes it."""

    port: int
    connection: _Connection | None = None

    async def ask(self, request: Request) -> bytes:
        """The body of the reply. Raises WrongReply."""
        try:
            reply = await (await self._connected()).ask(request.raw)
        except ConnectionError:
            # It was let go of while the request was on its way, as after five idle seconds. A proxy asks again too.
            self.close()
            reply = await (await self._connected()).ask(request.raw)
        head, _, body = reply.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 ") or request.length not in (None, len(body)):
            raise WrongReply(f"{head[:200]!r} to {request.raw[:80]!r}, not {request.length} bytes but {body!r}")
        if _CLOSES.search(head):
            self.close()
        return body

    async def _connected(self) -> _Connection:
        if self.connection is None or self.connection.is_closed:
            loop = asyncio.get_running_loop()
            _, self.connection = await loop.create_connection(_Connection, HOST, self.port)
        return self.connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


async def bodies(port: int, requests: Sequence[Request]) -> list[bytes]:
    """The body of every reply, one request after the other."""
    client = _Client(port)
    try:
        return [await client.ask(request) for request in requests]
    finally:
        client.close()


async def blast(port: int, requests: Sequence[Request], *, clients: int, seconds: float) -> int:
    """How many requests are answered: each client asks again as soon as it has its reply."""
    endless, answered = cycle(requests), 0
    until = time.perf_counter() + seconds

    async def one(client: _Client) -> None:
        nonlocal answered
        while time.perf_counter() < until:
            await client.ask(next(endless))
            answered += 1

    await _all(port, clients, one, seconds=seconds)
    return answered


async def press(port: int, requests: Sequence[tuple[float, Request]], *, clients: int) -> list[float]:
    """How long each waits for its reply, in seconds, the shortest wait first.

    Every request goes at its second, whatever the server does: one that is late because all connections still wait for
    replies has waited since its second. The timer's own lateness (a millisecond) is nobody's wait."""
    waits: list[float] = []
    rest = iter(requests)
    began = time.perf_counter()

    async def one(client: _Client) -> None:
        for due, request in rest:
            asked = began + due
            if (ahead := asked - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
                asked = time.perf_counter()
            await client.ask(request)
            waits.append(time.perf_counter() - asked)

    await _all(port, clients, one, seconds=requests[-1][0])
    return sorted(waits)


async def together(port: int, bursts: Sequence[Sequence[Request]]) -> list[list[float]]:
    """Bursts, one after the other: the requests of each at one instant, over connections that stand already. Seconds
    that each of them waited."""
    clients = [_Client(port) for _ in range(max(map(len, bursts)))]

    async def wait(client: _Client, request: Request) -> float:
        asked = time.perf_counter()
        await client.ask(request)
        return time.perf_counter() - asked

    try:
        return [list(await asyncio.gather(*map(wait, clients, burst))) for burst in bursts]
    finally:
        for client in clients:
            client.close()


async def _all(port: int, count: int, one: Callable[[_Client], Coroutine[None, None, None]], *, seconds: float) -> None:
    clients = [_Client(port) for _ in range(count)]
    try:
        async with asyncio.timeout(seconds + REPLY_SECONDS), asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(one(client))
    finally:
        for client in clients:
            client.close()
