"""Figure: many calls in progress, a key every four seconds each, on one core: how long the slowest hundredth waits, and
how much memory it takes."""

from collections.abc import Sequence
from contextlib import ExitStack
from random import Random
from statistics import median

import uvloop

from bench import traffic
from bench.load import Request, press
from bench.process import Server, on_core
from bench.stage import Figure, Stage, genuine
from bench.traffic import Webhook

SECONDS_A_KEY = 4.0
KEYS_A_ROUND = 2
ROUNDS = 3
"""Of eight seconds with each server."""
SLOWEST = 0.99
TIMES_BARE = 4
MOST_MB = 100
CONNECTIONS = 64
"""What a proxy in front keeps open: a call keeps none, it is an address that is called now and then."""


def measure(stage: Stage) -> list[Figure]:
    count, rounds = stage.size.calls, min(stage.size.rounds, ROUNDS)
    walked = uvloop.run(traffic.calls(stage.site, count, turns=KEYS_A_ROUND * rounds))
    typical = traffic.typical(walked[0])
    waits: dict[str, list[float]] = {"bare": [], "line": []}
    with ExitStack() as servers:
        bare, line = servers.enter_context(stage.bare(typical)), servers.enter_context(stage.line())
        for number in range(rounds):
            turns = [call[KEYS_A_ROUND * number : KEYS_A_ROUND * (number + 1)] for call in walked]
            sent = {"bare": _due(turns, len(typical)), "line": _due(turns, None)}
            for name, server in (("bare", bare), ("line", line)):
                waits[name].append(_wait(server, sent[name], stage))
        resident = line.resident_mb()
    return [*_waits(waits, count), _memory(resident, count)]


def _due(calls: Sequence[Sequence[Webhook]], length: int | None) -> list[tuple[float, Request]]:
    """Each call's keys, four seconds apart, the first at a second of its own."""
    chance = Random(0)
    due = []
    for call in calls:
        first = chance.random() * SECONDS_A_KEY
        for number, hook in enumerate(call):
            request = genuine(hook) if length is None else Request(hook.raw(), length)
            due.append((first + number * SECONDS_A_KEY, request))
    return sorted(due, key=lambda one: one[0])


def _wait(server: Server, due: Sequence[tuple[float, Request]], stage: Stage) -> float:
    with on_core(stage.cores.load):
        waits = uvloop.run(press(server.port, due, clients=CONNECTIONS))
    return waits[int(len(waits) * SLOWEST)]


def _waits(waits: dict[str, list[float]], count: int) -> list[Figure]:
    times = median(ours / theirs for ours, theirs in zip(waits["line"], waits["bare"], strict=True))
    told = f"{median(waits['line']) * 1000:.1f} ms, the bare route {median(waits['bare']) * 1000:.1f} ms"
    return [
        Figure(
            f"{count:,} calls in progress, a key every {SECONDS_A_KEY:.0f} s each: the wait that 99 of 100 stay below, "
            "of the bare route's",
            f"{times:.1f} times ({told})",
            f"at most {TIMES_BARE} times",
            times <= TIMES_BARE,
        )
    ]


def _memory(resident: float, count: int) -> Figure:
    return Figure(
        f"Memory with {count:,} calls in progress", f"{resident:.0f} MB", f"under {MOST_MB} MB", resident < MOST_MB
    )
