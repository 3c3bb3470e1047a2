"""A reply leaves in one piece. uvicorn writes its head and then its body, each a call into the kernel and a packet of
its own: more than the work of a quarter of a turn. Knows nothing of what is in a reply."""

import asyncio
from typing import Any, cast

from ivr.line.draining import Draining


class OnePiece(Draining):
    """uvicorn's HTTP/1.1 for one connection, with replies that leave in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._gathering = Gathering(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, self._gathering))

    def eof_received(self) -> None:
        """Who has nothing more to ask may still listen, and the transport closes itself when this returns."""
        self._gathering.send()


class Gathering:
    """A transport that sends all that is written in one turn of the loop at once. In all else the one it stands before.

    Nothing waits for anything but the turn of the loop to end: whatever a server does between two writes, sending a
    head alone, asking for the rest of a request, reading a file, each reaches the other side."""

    __slots__ = ("_loop", "_transport", "_written", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []
        self.is_closing = transport.is_closing  # asked after each reply

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self.send)
        self._written.append(data)

    def close(self) -> None:
        self.send()
        self._transport.close()

    def send(self) -> None:
        """Now, what was written."""
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))

    def __getattr__(self, name: str) -> Any:  # whatever a transport has
        return getattr(self._transport, name)
