"""Figure: many calls in progress, a key every four seconds each, on one core: how long the slowest hundredth waits, and
how much memory it takes."""

from collections.abc import Sequence
from contextlib import ExitStack
from random import Random

import uvloop

from bench import traffic
from bench.load import Request, press
from bench.process import Server, on_core
from bench.stage import Figure, Stage, genuine

SECONDS_A_KEY = 4.0
ROUNDS = 9
"""In each, every call presses one key."""
SLOWEST = 0.99
TIMES_BARE = 4
MOST_MB = 100
CONNECTIONS = 64
"""What a proxy in front keeps open: a call keeps none, it is an address that is called now and then."""


def measure(stage: Stage) -> list[Figure]:
    count, rounds = stage.size.calls, min(stage.size.rounds, ROUNDS)
    walked = uvloop.run(traffic.calls(stage.site, count, turns=rounds))
    typical = traffic.typical(walked[0])
    waits: dict[str, list[float]] = {"bare": [], "line": []}
    with ExitStack() as servers:
        bare, line = servers.enter_context(stage.bare(typical)), servers.enter_context(stage.line())
        for number in range(rounds):
            pressed = [call[number] for call in walked]
            waits["bare"].append(_wait(bare, _due([Request(hook.raw(), len(typical)) for hook in pressed]), stage))
            waits["line"].append(_wait(line, _due([genuine(hook) for hook in pressed]), stage))
        resident = line.resident_mb()
    return [*_waits(waits, count), _memory(resident, count)]


def _due(requests: Sequence[Request]) -> list[tuple[float, Request]]:
    """Each call's key at a second of its own."""
    chance = Random(0)
    return sorted(((chance.random() * SECONDS_A_KEY, request) for request in requests), key=lambda one: one[0])


def _wait(server: Server, due: Sequence[tuple[float, Request]], stage: Stage) -> float:
    with on_core(stage.cores.load):
        waits = uvloop.run(press(server.port, due, clients=CONNECTIONS))
    return waits[int(len(waits) * SLOWEST)]


def _waits(waits: dict[str, list[float]], count: int) -> list[Figure]:
    rounds = sorted((ours / theirs, ours, theirs) for ours, theirs in zip(waits["line"], waits["bare"], strict=True))
    times, ours, theirs = rounds[len(rounds) // 2]
    told = f"{ours * 1000:.1f} ms, the bare route {theirs * 1000:.1f} ms"
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
