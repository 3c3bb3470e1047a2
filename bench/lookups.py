"""Figure: receipts that are looked up all the time among many reports, on the core that serves callers: how much longer
the slowest hundredth of everybody else's turns waits."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from random import Random, randbytes
from statistics import median

import uvloop
from sqlalchemy import Connection

from bench import traffic
from bench.crowd import CONNECTIONS, SECONDS_A_KEY, SLOWEST
from bench.load import Request, press
from bench.process import HOST, Server, on_core
from bench.stage import Figure, Stage, genuine
from bench.with_receipts import PATH
from ivr.flow.line import CONSENTS
from ivr.services.tagged import NEW
from ivr.store import epochs
from ivr.store import reports as stored
from ivr.store.database import Database
from ivr.store.reports import MAX_TURN, ReportRow

A_SECOND = 20
TIMES = 2
ROUNDS = 9
REPORTS = 10_000

MOST_SECONDS = 1.5
"""A look-up that takes as long was given up."""
ANSWERED = 0.95
"""Such a share of them must be answered in time: they give way, but they are not given up."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that 99 of 100 stay below: of turns alone, of turns beside look-ups; and of each look-up."""

    alone: float
    beside: float
    lookups: Sequence[float]


def measure(stage: Stage) -> list[Figure]:
    stage = _with_reports(stage)
    rounds = min(stage.size.rounds, ROUNDS)
    walked = uvloop.run(traffic.calls(stage.site, stage.size.calls, turns=2 * rounds))
    waits = []
    with ExitStack() as servers:
        line = servers.enter_context(stage.with_receipts())
        for number in range(rounds):
            # In turns, so that both meet the same machine.
            alone, _ = _pressed(line, [call[2 * number] for call in walked], [], stage)
            beside, lookups = _pressed(line, [call[2 * number + 1] for call in walked], _lookups(number), stage)
            waits.append(Waits(_slowest(alone), _slowest(beside), lookups))
    return [_figure(waits)]


def _with_reports(stage: Stage) -> Stage:
    """The same line, elsewhere, with many reports of others."""
    folder = stage.folder / "with-reports"
    for part in (stage.data, stage.folder / "flows", stage.folder / "prompts"):
        shutil.copytree(part, folder / part.name)
    of = replace(stage, folder=folder)

    def fill(connection: Connection) -> None:
        months = [epoch.id for epoch in epochs.all_epochs(connection)]
        for number in range(REPORTS):
            row = ReportRow(
                id=randbytes(16),
                form="bad_date",
                epoch=months[number % len(months)],
                week="2026-W01",
                turn=MAX_TURN,
                consent=CONSENTS[0],
                state=NEW,
                receipt_tag=randbytes(16),
                body=randbytes(640),
                signer=randbytes(8),
                signature=randbytes(64),
            )
            stored.upsert(connection, row, sealed_key=randbytes(80))

    async def filled() -> None:
        database = Database(f"sqlite:///{of.data / 'porchlight.db'}")
        await database.write(fill)
        await database.close()

    uvloop.run(filled())
    return of


def _pressed(
    server: Server, hooks: Sequence[traffic.Webhook], lookups: Sequence[tuple[float, Request]], stage: Stage
) -> tuple[list[float], list[float]]:
    """How long turns and look-ups wait for their replies."""
    chance = Random(0)
    turns = sorted(((chance.random() * SECONDS_A_KEY, genuine(hook)) for hook in hooks), key=lambda one: one[0])

    async def both() -> tuple[list[float], list[float]]:
        asked = press(server.port, lookups, clients=A_SECOND) if lookups else _nothing()
        pressed, looked = await asyncio.gather(press(server.port, turns, clients=CONNECTIONS), asked)
        return pressed, looked

    with on_core(stage.cores.load):
        return uvloop.run(both())


async def _nothing() -> list[float]:
    return []


def _lookups(number: int) -> list[tuple[float, Request]]:
    """Codes that nobody has, one at every twentieth of a second: to find that out costs as much as to find a report."""
    chance = Random(number)
    count = int(SECONDS_A_KEY * A_SECOND)
    return [(at / A_SECOND, _lookup(f"{chance.randrange(10**12):012}")) for at in range(count)]


def _lookup(code: str) -> Request:
    head = f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(code)}\r\n\r\n"
    return Request(head.encode("ascii") + code.encode("ascii"), None)


def _slowest(waits: Sequence[float]) -> float:
    return sorted(waits)[int(len(waits) * SLOWEST)] if waits else 0.0


def _figure(waits: Sequence[Waits]) -> Figure:
    ordered = sorted(waits, key=lambda one: one.beside / one.alone)
    middle = ordered[len(ordered) // 2]
    times = middle.beside / middle.alone
    lookups = [wait for one in waits for wait in one.lookups]
    answered = sum(wait < MOST_SECONDS for wait in lookups)
    told = f"{middle.beside * 1000:.1f} ms, without {middle.alone * 1000:.1f} ms; "
    told += f"{answered} of {len(lookups)} look-ups in time, half of them within {median(lookups) * 1000:.0f} ms"
    return Figure(
        f"{A_SECOND} receipts looked up a second among {REPORTS:,} reports, on the same core: the wait that 99 of 100 "
        "turns stay below, of turns alone",
        f"{times:.1f} times ({told})",
        f"at most {TIMES} times",
        times <= TIMES and answered >= ANSWERED * len(lookups),
    )
