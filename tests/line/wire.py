"""A connection without a network, as the line serves it, in time that passes only when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn.server import ServerState

from ivr.cli.serving import configured
from ivr.line.connections import Connection, Limits, Waiting

App = Callable[..., Awaitable[None]]
PATIENCE_SECONDS = 60
"""For what takes no time, on a machine that is busy."""
QUIET = {Waiting.HEAD, Waiting.BODY, Waiting.NEXT_REQUEST}
"""All is said that will be, as long as nothing more is sent."""


class Wire(asyncio.Transport):
    """A transport that keeps each piece that is sent. `stuck`: nobody reads what is sent, so that it never closes."""

    def __init__(self, *, stuck: bool = False) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.pieces: list[bytes] = []
        self.is_gone = False
        self.connection: asyncio.Protocol | None = None
        self._stuck = stuck
        self._closing = False

    def write(self, data: Any) -> None:
        assert not self._closing, "nothing can be written any more"
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
        if not self._stuck:
            self.abort()

    def abort(self) -> None:
        self._closing = True
        if not self.is_gone and self.connection is not None:
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)
        self.is_gone = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


class Feeding:
    """A parser, and how many bytes it was fed."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self.fed = 0

    def feed_data(self, data: bytes) -> None:
        self.fed += len(data)
        self._parser.feed_data(data)

    def __getattr__(self, name: str) -> Any:  # whatever a parser has
        return getattr(self._parser, name)


def counted(connection: Connection) -> Feeding:
    """From now on, what the connection's parser is fed."""
    feeding = Feeding(connection.parser)
    connection.parser = cast(Any, feeding)  # only what a parser does is asked of it
    return feeding


@dataclass
class Served:
    """Connections to one server."""

    app: App
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._config = configured(self.app, self.limits)
        self._config.load()

    def connected(self, *, stuck: bool = False) -> tuple[Connection, Wire]:
        wire = Wire(stuck=stuck)
        protocol = cast(Callable[..., Connection], self._config.http_protocol_class)
        connection = protocol(self._config, ServerState(), {}, asyncio.get_running_loop())
        wire.connection = connection
        connection.connection_made(wire)
        return connection, wire


def connected(app: App) -> tuple[Connection, Wire]:
    return Served(app).connected()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    told = scope["path"].encode() + b" " + body
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]},
    )
    await send({"type": "http.response.body", "body": told})


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time stands still between two `pass_seconds`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    def time(self) -> float:
        return self.now

    async def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            await settled()


def in_virtual_time(story: Callable[[VirtualLoop], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await story(loop)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


async def asked(served: Served, sent: bytes) -> bytes:
    """All that comes back for these bytes."""
    connection, wire = served.connected()
    connection.data_received(sent)
    connection.eof_received()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (wire.is_closing() or connection.look(0) in QUIET):  # noqa: ASYNC110 it tells nobody
            await asyncio.sleep(0)
    await settled()
    connection.transport.abort()
    await settled()
    return b"".join(wire.pieces)
