"""A line in a process with few file handles, whose clock its parent moves: it prints its port, waits for a line of
input, lets half an hour pass and prints what went wrong meanwhile."""

import asyncio
import json
import os
import resource
import socket
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import uvicorn
import uvloop

from ivr.app import build
from ivr.carrier.transport import AsgiTransport
from ivr.cli.serving import configured
from ivr.kit.clock import VirtualClock
from ivr.line.connections import Limits
from tests.promises.house import BEGINNING, house, logs_captured
from tests.promises.pacing import Metronome
from tests.promises.requests import Interposed, Request

HANDLES = 400
HALF_AN_HOUR = timedelta(minutes=30)
"""A seed's key lives for twenty minutes."""


async def answered(port: int, webhook: Request) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = b"".join(b"%b: %b\r\n" % header for header in webhook.headers)
    writer.write(b"POST %b HTTP/1.1\r\n%b\r\n%b" % (webhook.path, headers, webhook.body))
    status = await reader.readline()
    writer.close()
    return status.startswith(b"HTTP/1.1 200 ")


async def main(folder: Path, blank: Path, limits: Limits) -> None:
    clock = VirtualClock(BEGINNING)
    metronome = Metronome(clock)
    builder = partial(build, pause=metronome.pause)
    async with house(folder, blank=blank, clock=clock, builder=builder) as of:
        seen: list[Request] = []

        async def note(request: Request) -> None:
            seen.append(request)

        await of.line(transport=Interposed(AsgiTransport(of.app), note)).call()
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(configured(of.app, limits))
        server.config.lifespan = "off"  # the chores go by another clock
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        port = listening.getsockname()[1]
        with logs_captured() as log:
            async with metronome.at_work(of.router):
                print(port, file=sys.__stdout__, flush=True)
                await asyncio.to_thread(sys.stdin.readline)
                await metronome.until(clock.now() + HALF_AN_HOUR)
                is_answered = limits.connections < HANDLES and await answered(port, seen[0])
                failed = [json.loads(line)["error"] for line in log().splitlines() if b"a chore failed" in line]
                print(json.dumps({"answered": is_answered, "failed": failed}), file=sys.__stdout__, flush=True)
                serving.cancel()
                os._exit(0)  # without handles nothing can be closed in order


if __name__ == "__main__":
    _, folder, blank, bounded = sys.argv
    resource.setrlimit(resource.RLIMIT_NOFILE, (HANDLES, HANDLES))
    unbounded = Limits(connections=100_000, request_seconds=600)
    uvloop.run(main(Path(folder), Path(blank), Limits().within_file_limit() if bounded == "bounded" else unbounded))
