"""Strangers at a line's door, as a process of its own: `python -m bench.strangers PORT KIND=COUNT ...`. It prints
`ready` when COUNT connections of each kind were made, and goes on until its input ends."""

import asyncio
import contextlib
import os
import socket
import struct
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import uvloop

from bench.process import HOST
from ivr.line.connections import Limits

PIECE = b"a" * 65_536
HALF_A_HEAD = b"POST /voice/answer HTTP/1.1\r\nhost: line\r\ncontent-type: app"
BODY_TO_COME = b"POST /voice/answer HTTP/1.1\r\nhost: line\r\ncontent-length: 1000\r\n\r\n"
AT_ONCE = 16
"""Of those that are dropped at once, how many are opened at one time."""
PAUSE_SECONDS = 0.005
"""Before the next one: some two thousand connections a second."""
_RESET = struct.pack("ii", 1, 0)
"""How they are closed: without a trace, else twenty thousand ports are used up for a minute."""


class Kind(StrEnum):
    """What they do."""

    HEAD = "a head without end"
    URL = "a URL without end"
    HALF_OPEN = "half-open requests"
    SLOW_BODY = "slow bodies"
    COME_AND_GO = "connections opened and dropped"


@dataclass(slots=True)
class Strangers:
    """Those of one kind. `enough` is told when there were `count` connections."""

    port: int
    count: int
    enough: asyncio.Event
    made: int = 0

    async def come(self, kind: Kind) -> None:
        """For ever."""
        acts: dict[Kind, tuple[int, Callable[[], Coroutine[Any, Any, None]]]] = {
            Kind.HEAD: (1, lambda: self._endless(b"GET / HTTP/1.1\r\nx: ")),
            Kind.URL: (1, lambda: self._endless(b"GET /")),
            Kind.HALF_OPEN: (self.count, lambda: self._held(HALF_A_HEAD, b"")),
            Kind.SLOW_BODY: (self.count, lambda: self._held(BODY_TO_COME, b"a")),
            Kind.COME_AND_GO: (AT_ONCE, lambda: self._held(b"", b"", seconds=0)),
        }
        at_once, act = acts[kind]
        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(_again(act, wait=number / 1000))

    async def _endless(self, beginning: bytes) -> None:
        loop = asyncio.get_running_loop()
        with await self._connected() as opened:
            await loop.sock_sendall(opened, beginning)
            while True:
                await loop.sock_sendall(opened, PIECE)

    async def _held(self, beginning: bytes, each_second: bytes, *, seconds: float = 1) -> None:
        """Until the line ends it; or at once."""
        loop = asyncio.get_running_loop()
        with await self._connected() as opened:
            await loop.sock_sendall(opened, beginning)
            while seconds:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        if not await loop.sock_recv(opened, 1_000):
                            return
                await loop.sock_sendall(opened, each_second)

    async def _connected(self) -> socket.socket:
        opened = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        try:
            await asyncio.get_running_loop().sock_connect(opened, (HOST, self.port))
        except BaseException:
            opened.close()
            raise
        self.made += 1
        if self.made == self.count:
            self.enough.set()
        return opened


async def _again(act: Callable[[], Coroutine[Any, Any, None]], *, wait: float) -> None:
    await asyncio.sleep(wait)
    while True:
        with contextlib.suppress(OSError):
            await act()
        await asyncio.sleep(PAUSE_SECONDS)


def main(port: int, counts: dict[Kind, int]) -> None:
    os.nice(19)  # whoever measures must not wait for them
    Limits().within_file_limit()

    async def until_input_ends() -> None:
        strangers = {kind: Strangers(port, count, asyncio.Event()) for kind, count in counts.items()}
        coming = [asyncio.create_task(some.come(kind)) for kind, some in strangers.items()]
        for some in strangers.values():
            await some.enough.wait()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)

    uvloop.run(until_input_ends())


if __name__ == "__main__":
    _, to, *wanted = sys.argv
    main(int(to), {Kind(kind): int(count) for kind, count in (one.split("=") for one in wanted)})
