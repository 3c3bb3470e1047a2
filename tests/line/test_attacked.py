"""A served line while strangers attack its door over real connections: webhooks are answered as ever, and neither
memory nor file handles run out. How fast they are answered is measured by `bench/door.py`."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bench import traffic
from bench.door import attacked
from bench.load import bodies
from bench.process import ROOT, Server
from bench.stage import TINY, Stage, genuine, set_up
from bench.strangers import HALF_A_HEAD, Kind
from ivr.line.connections import Limits
from tests.line.few_handles import HANDLES
from tests.promises.house import PROVE, initialised

MOST_MB = 50
WAVES = 2
KEYS = "seed.[0-9]*"
"""The files of keys that live for twenty minutes; spare ones hold no key yet."""
SPARE = 16
"""File handles that a line opens and closes meanwhile for its own work."""
COUNTS = {
    Kind.HEAD: 20 * PROVE,
    Kind.URL: 20 * PROVE,
    Kind.HALF_OPEN: 1_000,
    Kind.SLOW_BODY: 300,
    Kind.COME_AND_GO: 1_000 * PROVE,
}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return set_up(tmp_path_factory.mktemp("bench"), TINY)


@pytest.fixture(scope="module")
def line(stage: Stage) -> Iterator[Server]:
    with stage.line() as served:
        yield served


def handles(server: Server) -> int:
    return len([*Path(f"/proc/{server.pid}/fd").iterdir()])


def test_webhooks_are_answered_while_all_kinds_of_strangers_are_at_the_door(stage: Stage, line: Server) -> None:
    hooks = traffic.in_turns(uvloop.run(traffic.calls(stage.site, 20, turns=4)))
    requests = [genuine(hook) for hook in hooks]
    uvloop.run(bodies(line.port, requests))
    memory, files = [line.resident_mb()], handles(line)
    for _ in range(WAVES):
        with attacked(line, COUNTS, core=stage.cores.load):
            for _ in range(3):
                uvloop.run(bodies(line.port, requests))  # raises where one is not answered as it was recorded
                assert handles(line) <= files + Limits().connections + SPARE
            memory.append(line.resident_mb())
    assert max(memory) - memory[0] < MOST_MB
    assert memory[-1] - memory[1] < MOST_MB / 4, "what the first wave took is used again"


def test_requests_that_are_never_completed_end_by_themselves(line: Server) -> None:
    async def ended(port: int, sent: bytes) -> int:
        """How many of 50 such connections the line ends."""
        opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        loop = asyncio.get_running_loop()
        for one in opened:
            one.sendall(sent)
            one.setblocking(False)
        async with asyncio.timeout(120):
            received = await asyncio.gather(*(loop.sock_recv(one, 1) for one in opened), return_exceptions=True)
        for one in opened:
            one.close()
        return sum(got == b"" or isinstance(got, ConnectionError) for got in received)

    async def all_ended(port: int) -> list[int]:
        body = b"POST /text HTTP/1.1\r\nhost: line\r\ncontent-length: 5\r\n\r\na"
        return await asyncio.gather(*(ended(port, sent) for sent in (b"", HALF_A_HEAD, body)))

    before = handles(line)
    assert uvloop.run(all_ended(line.port)) == [50, 50, 50]
    assert handles(line) <= before + SPARE


# ---- A2 where strangers take all that they can ----


def exhausted(folder: Path, bounded: str) -> tuple[set[str], dict[str, Any]]:
    """Half an hour in which more connections are held open than a line has file handles: keys that are left of those
    that had twenty minutes to live, and what went wrong."""
    blank, run = folder / "blank", folder / "line" / "run"
    blank.mkdir()
    asyncio.run(initialised(blank))
    command = [sys.executable, "-m", "tests.line.few_handles", str(folder / "line"), str(blank), bounded]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None, "they are pipes"
        served = Server(process.pid, int(process.stdout.readline()), 0)
        before = {path.name for path in run.glob(KEYS)}
        assert before
        with attacked(served, {Kind.HALF_OPEN: 2 * HANDLES}, core=max(os.sched_getaffinity(0))):
            process.stdin.write("now\n")
            process.stdin.flush()
            found: dict[str, Any] = json.loads(process.stdout.readline())
    return before & {path.name for path in run.glob(KEYS)}, found


def test_keys_are_destroyed_while_strangers_hold_every_connection_they_can(tmp_path: Path) -> None:
    assert exhausted(tmp_path, "bounded") == (set(), {"answered": True, "failed": []})


def test_mutant_without_a_bound_the_keys_stay(tmp_path: Path) -> None:
    left, found = exhausted(tmp_path, "unbounded")
    assert left
    assert "KeysUnavailable" in found["failed"]
