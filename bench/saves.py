"""Figure: reports that are saved at the same instant, on SQLite: how long their callers wait, and that each is on the
disk. The first save of a report, which has no receipt yet: the slow hash of a receipt is slow on purpose."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import uvloop

from bench import traffic
from bench.load import Request, together
from bench.process import on_core
from bench.stage import Figure, Stage, genuine
from bench.traffic import Webhook

AT_ONCE = 20
BURSTS = 50
SLOWEST = 0.99
TIMES_OTHERS = 10


def measure(stage: Stage) -> list[Figure]:
    bursts = min(BURSTS, max(stage.size.calls // AT_ONCE, 2))
    pairs = uvloop.run(traffic.saving(stage.site, (bursts + 1) * AT_ONCE))
    before = _burst([other for other, _ in pairs])
    saves = _burst([save for _, save in pairs])
    # In turns, so that both meet the same machine; the first pair of bursts opens the connections.
    interleaved = [burst for pair in zip(before, saves, strict=True) for burst in pair]
    with stage.line() as line, on_core(stage.cores.load):
        was_there = _kept(stage)
        waits = uvloop.run(together(line.port, interleaved))[2:]
        kept = _kept(stage) - was_there
    others, saving = (_slowest([wait for burst in waits[first::2] for wait in burst]) for first in (0, 1))
    return [
        Figure(
            f"{AT_ONCE} reports saved at the same instant: the wait that 99 of 100 stay below, of turns that save "
            "nothing",
            f"{saving / others:.1f} times ({saving * 1000:.1f} ms, other turns {others * 1000:.1f} ms); "
            f"{kept} of {len(pairs)} on the disk",
            f"at most {TIMES_OTHERS} times, all on the disk",
            saving <= TIMES_OTHERS * others and kept == len(pairs),
        )
    ]


def _burst(hooks: Sequence[Webhook]) -> list[list[Request]]:
    return [[genuine(hook) for hook in hooks[at : at + AT_ONCE]] for at in range(0, len(hooks), AT_ONCE)]


def _slowest(waits: Sequence[float]) -> float:
    return sorted(waits)[int(len(waits) * SLOWEST)]


def _kept(stage: Stage) -> int:
    """Reports that somebody else finds in the database."""
    with closing(sqlite3.connect(stage.data / "porchlight.db")) as looking:
        return int(looking.execute("SELECT count(*) FROM report_keys").fetchone()[0])
