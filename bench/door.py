"""Figure: a signed webhook while strangers attack the line's door, against the same webhook while nobody does; and how
much memory they take."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

import uvloop

from bench import traffic
from bench.load import Request, press
from bench.process import PATIENCE_SECONDS, ROOT, Server, on_core
from bench.stage import Figure, Stage, genuine
from bench.strangers import Kind

WEBHOOKS_A_SECOND = 200
SLOWEST = 0.99
CLIENTS = 16
TIMES_CALM = 5
MOST_MB = 50
ROUNDS = 5


def counts(calls: int) -> dict[Kind, int]:
    """How many connections there are of each kind, where `calls` are in progress."""
    return {
        Kind.HEAD: 10,
        Kind.URL: 10,
        Kind.HALF_OPEN: calls // 5,
        Kind.SLOW_BODY: calls // 5,
        Kind.COME_AND_GO: calls * 4,
    }


class NeverCame(Exception):
    """Strangers could not connect: what was measured means nothing."""


@contextmanager
def attacked(server: Server, counts: Mapping[Kind, int], *, core: int) -> Iterator[None]:
    """So many strangers have come, and they go on, until the end of the block. Raises NeverCame."""
    told = [f"{kind.value}={count}" for kind, count in counts.items()]
    command = [sys.executable, "-m", "bench.strangers", str(server.port), *told]
    with (
        on_core(core),
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None and process.stdout is not None, "they are pipes"
        try:
            if process.stdout.readline() != b"ready\n":
                raise NeverCame(f"so many connections could not be made: {told}")
            yield
        finally:
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)


def measure(stage: Stage) -> list[Figure]:
    walked = uvloop.run(traffic.calls(stage.site, max(stage.size.calls // 25, 10), turns=4))
    requests = [genuine(hook) for hook in traffic.in_turns(walked)]
    due = [(number / WEBHOOKS_A_SECOND, one) for number, one in enumerate(requests)]
    ratios: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    with stage.line() as line:
        _wait(line, due, stage)
        before = line.resident_mb()
        peaks: list[float] = []
        for _ in range(min(stage.size.rounds, ROUNDS)):
            peak = before
            for kind, count in counts(stage.size.calls).items():
                calm = _wait(line, due, stage)
                with attacked(line, {kind: count}, core=stage.cores.load):
                    ratios[kind].append(_wait(line, due, stage) / calm)
                    peak = max(peak, line.resident_mb())
            peaks.append(peak)
    return [_waits({kind: median(found) for kind, found in ratios.items()}), _memory(before, peaks)]


def _wait(server: Server, due: Sequence[tuple[float, Request]], stage: Stage) -> float:
    with on_core(stage.cores.load):
        waits = uvloop.run(press(server.port, due, clients=CLIENTS))
    return waits[int(len(waits) * SLOWEST)]


def _waits(ratios: dict[Kind, float]) -> Figure:
    told = ", ".join(f"{times:.1f} ({kind})" for kind, times in ratios.items())
    return Figure(
        "Strangers at the door: the wait that 99 of 100 webhooks stay below, of a calm minute's",
        f"{max(ratios.values()):.1f} times: {told}",
        f"at most {TIMES_CALM} times",
        max(ratios.values()) <= TIMES_CALM,
    )


def _memory(before: float, peaks: Sequence[float]) -> Figure:
    """What they took is used again: the allocator keeps it, and no later round takes as much again."""
    first, later = peaks[0] - before, max(peaks) - peaks[0]
    return Figure(
        "Strangers at the door: memory they take, all kinds one after the other",
        f"{first:.0f} MB, and {later:.0f} MB more when they come {len(peaks) - 1} times again",
        f"under {MOST_MB} MB in all",
        first + later < MOST_MB,
    )
