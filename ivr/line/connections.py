"""HTTP connections bounded in bytes, in time and in number, so that no stranger's connection keeps a webhook waiting.

There is no timer for a request: all connections are looked at together once a second, and what each of them waits for
is read off uvicorn's own state then. Knows nothing of addresses (behind a proxy all connections come from one) and
nothing of what a request asks for."""

import asyncio
import math
import resource
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from ivr.line.edge import MAX_BODY
from ivr.line.replies import OnePiece

SWEEP_SECONDS = 1
FILES_WANTED = 4_096
FILES_RESERVED = 256
"""File handles that no connection gets: databases, short-lived keys, recordings, requests to the carrier."""

HEAD_TOO_LARGE = b"431 Request Header Fields Too Large"
BODY_TOO_LARGE = b"413 Content Too Large"

_PIECE = 4_096
"""Bytes that are parsed before it is asked again whether that was too much. A webhook has fewer."""
_UNREAD = 16_384
"""Bytes of replies that wait to be read before no more are written. A document has fewer."""
_CLOSING = b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may take. A proxy sends complete requests at once: it meets none of these."""

    head_bytes: int = 16_384
    """Request line and headers together."""
    headers: int = 100
    body_bytes: int = MAX_BODY
    """Of a body that says how long it is; others are counted as they come."""
    request_bytes: int = 65_536
    """Head, body and how it was cut into chunks."""
    pipelined: int = 16
    """Requests that were sent before the reply to the one before them."""
    unfinished_bytes: int = 8_388_608
    """Of all requests that are not complete, together."""
    request_seconds: float = 10
    """For a head, from connecting or from its first byte; for a body, from its head; for reading a reply."""
    idle_seconds: float = 5
    """Between a reply and the next request."""
    connections: int = 1_024

    def within_file_limit(self) -> "Limits":
        """As many connections as leave FILES_RESERVED handles. The process's own limit is raised first, as far as
        FILES_WANTED and the system's hard limit allow."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if _is_below(soft, FILES_WANTED):
            soft = hard if _is_below(hard, FILES_WANTED) else FILES_WANTED
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if not _is_below(soft, self.connections + FILES_RESERVED):
            return self
        return replace(self, connections=max(soft - FILES_RESERVED, soft // 4))


def _is_below(limit: int, files: int) -> bool:
    return limit != resource.RLIM_INFINITY and limit < files


class Waiting(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    OUR_REPLY = auto()
    READER = auto()
    """It does not read the reply that it asked for."""
    NEXT_REQUEST = auto()
    CLOSE = auto()


_STRANGERS = frozenset({Waiting.HEAD, Waiting.BODY, Waiting.READER, Waiting.CLOSE})
"""Waits in which a proxy is only for moments."""


class Connections:
    """All connections of a server, and what they may take together."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.unfinished_bytes = 0
        self._open: dict[Connection, None] = {}  # in the order in which they came
        self._sweeping: asyncio.TimerHandle | None = None
        request, idle = limits.request_seconds, limits.idle_seconds
        self._patience: Mapping[Waiting, float] = {
            Waiting.HEAD: request,
            Waiting.BODY: request,
            Waiting.OUR_REPLY: math.inf,  # services have time limits of their own
            Waiting.READER: request,
            Waiting.NEXT_REQUEST: idle,
            Waiting.CLOSE: request,
        }

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, new: "Connection", loop: asyncio.AbstractEventLoop) -> bool:
        """Whether there is room for it, which others may have to make."""
        if len(self._open) >= self.limits.connections:
            self.make_room(loop.time())
        if len(self._open) >= self.limits.connections:
            return False
        self._open[new] = None
        if self._sweeping is None:
            self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep, loop)
        return True

    def leave(self, gone: "Connection") -> None:
        self._open.pop(gone, None)
        gone.forget()

    def make_room(self, now: float) -> None:
        """End an eighth of those that have waited longest without a complete request; where there is none, of those
        between two requests. An eighth, because looking for one costs as much."""
        strangers, idle = [], []
        for connection in self._open:
            waiting = connection.look(now)
            if waiting in _STRANGERS:
                strangers.append(connection)
            elif waiting is Waiting.NEXT_REQUEST:
                idle.append(connection)
        found = sorted(strangers or idle, key=lambda connection: connection.since)
        for connection in found[: len(found) // 8 + 1]:
            self._end(connection)

    def sweep(self, now: float) -> None:
        """End those that have waited too long."""
        late = [one for one in self._open if now - self._patience[one.look(now)] >= one.since]
        for connection in late:
            self._end(connection)

    def _end(self, connection: "Connection") -> None:
        self.leave(connection)
        connection.transport.abort()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self.sweep(loop.time())
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep, loop) if self._open else None


class Connection(OnePiece):
    """One connection: uvicorn's HTTP/1.1, bounded. `since`: when it was first seen to wait as it does, in the loop's
    time."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        among: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.since = 0.0
        self._among = among
        self._seen: tuple[Waiting, object] = (Waiting.HEAD, None)
        self._unfinished = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_UNREAD)
        self.since = self.loop.time()
        if not self._among.enter(self, self.loop):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._unfinished or len(data) > _PIECE:
            self._take(data)
            return
        self._parse(data)
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.scope is not self.scope or self.pipeline:
            self._count(len(data))

    def on_response_complete(self) -> None:
        """uvicorn's, without its timer for each reply; and the rest of a request that was answered before it was there
        is not waited for."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.cycle.more_body:
            self.transport.close()

    def look(self, now: float) -> Waiting:
        """What it waits for; `since` is kept while that and the request stay the same."""
        seen = waiting, _ = self._waits()
        if seen != self._seen:
            self._seen, self.since = seen, now
        return waiting

    def forget(self) -> None:
        """What it holds is complete, or gone."""
        self._among.unfinished_bytes -= self._unfinished
        self._unfinished = 0

    def _waits(self) -> tuple[Waiting, object]:
        cycle = self.cycle
        if self.transport.is_closing():
            return Waiting.CLOSE, None
        if self.flow.write_paused:
            return Waiting.READER, cycle
        if self.pipeline:
            return Waiting.OUR_REPLY, cycle
        if cycle is None or cycle.scope is not self.scope:
            return Waiting.HEAD, cycle  # the one before it
        if cycle.more_body:
            return Waiting.BODY, cycle
        return Waiting.NEXT_REQUEST if cycle.response_complete else Waiting.OUR_REPLY, cycle

    def _take(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing():
                return
            piece = data[start : start + _PIECE]
            self._parse(piece)
            self._count(len(piece))

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Answered like any other request; what follows it is another protocol.
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _count(self, size: int) -> None:
        """End what is too large; a complete request counts no more."""
        if self.transport.is_closing():
            return
        limits, cycle = self._among.limits, self.cycle
        in_head = cycle is None or cycle.scope is not self.scope
        if not in_head and not cycle.more_body:
            self.forget()
        else:
            self._unfinished += size
            self._among.unfinished_bytes += size
        if len(self.pipeline) > limits.pipelined:
            self.transport.abort()
        elif not self._unfinished:
            return
        elif len(self.headers or ()) > limits.headers or (in_head and self._unfinished >= limits.head_bytes):
            self._refuse(HEAD_TOO_LARGE)
        elif self._unfinished >= limits.request_bytes or _announced(self.headers) > limits.body_bytes:
            self._refuse(BODY_TOO_LARGE)
        elif self._among.unfinished_bytes > limits.unfinished_bytes:
            self._among.make_room(self.loop.time())

    def _refuse(self, status: bytes) -> None:
        self.forget()
        self.transport.write(_CLOSING % status)
        self.transport.close()


def _announced(headers: list[tuple[bytes, bytes]] | None) -> int:
    """The length that a request says its body has; 0 where it says none yet."""
    told = dict(headers or ()).get(b"content-length", b"")
    return int(told) if told.isdigit() else 0
