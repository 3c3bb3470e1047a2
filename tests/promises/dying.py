"""A process that has everything imported and forks a line for each plan that it reads: a line that saves, and dies at
the moment that the plan names. Run as `python -m tests.promises.dying FOLDER`, which it may use; it reads plans, a line
each, and prints how each line ended."""

import asyncio
import json
import os
import resource
import shutil
import signal
import sqlite3
import sys
import traceback
from asyncio import AbstractEventLoop
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from ivr.engine.asks import Saved
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.spool import Spool
from ivr.store.database import Database, StoreUnavailable
from ivr.vault import organisation
from ivr.vault.host import HostKey
from tests.founded import SECRET
from tests.promises.forgetful import exchange
from tests.promises.saving import LAST, SIDES, TODAY, Told, ask_of, quick, seed_of, turn_of_call
from tests.promises.weather import Weather


@dataclass(frozen=True, slots=True)
class Plan:
    """One line and its end. `blank`: what its folder begins as."""

    folder: str
    blank: str
    callers: int = 4
    seed: int = 0
    dies_at: int = 0
    """The number of the event, from 1, before which it is killed; 0: none. See `Mortal`."""
    dies_after: float = 0
    """Seconds, after which it is killed wherever it is."""
    mutant: str = ""
    full: tuple[str, ...] = ()
    """The files that get no further page, for a while."""
    room: int = 0
    """Bytes beyond which none of its files may grow, for a while: a write that fails in the middle."""
    weather: bool = True
    """The database is away for a while, and loses its answers for a while."""

    @property
    def told(self) -> Path:
        """The file of what its callers heard: beside the folder, whose disk may be full."""
        return Path(f"{self.folder}.told")

    def line(self) -> str:
        """As a line of text."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def read(cls, line: str) -> "Plan":
        """What `line` wrote."""
        told = json.loads(line)
        return cls(**{**told, "full": tuple(told["full"])})


@dataclass
class Mortal:
    """Counts what happens to both databases: every statement of SQLite's as it begins (BEGIN, SAVEPOINT, COMMIT and
    checkpoints among them), every one that has ended, every connection that was given back.

    Dies before the event that it is told, once everybody else has done all that there was to do without it: whoever
    was told too early has told others by then.
    """

    dies_at: int
    loop: AbstractEventLoop | None = None
    events: "count[int]" = field(default_factory=lambda: count(1))
    seen: int = 0

    def happens(self, *_: Any) -> None:
        self.seen = next(self.events)
        if self.seen == self.dies_at:
            with suppress(RuntimeError, CancelledError, TimeoutError):
                for _round in range(6):
                    assert self.loop is not None
                    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(1)
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Every engine of this process."""
        event.listen(Engine, "connect", self._connected)
        event.listen(Engine, "after_cursor_execute", self.happens)
        event.listen(Engine, "checkin", self.happens)

    def _connected(self, connection: DBAPIConnection, _entry: object) -> None:
        driver = getattr(connection, "driver_connection", connection)
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("PRAGMA wal_autocheckpoint=8")  # so that a commit has a checkpoint in it every now and then
        driver.set_trace_callback(self.happens)


@dataclass
class Line:
    """A line of its own process, and its callers."""

    plan: Plan
    database: Weather
    spool: Spool
    reports: Reports
    told: int
    """The file that callers write down in what they hear."""
    chance: Random
    saves: int = 0
    full: bool = False

    async def lives(self) -> None:
        """Until the last caller has hung up, and what waited is home."""
        await self.reports.ready(TODAY)
        await asyncio.gather(*(self._call(caller) for caller in range(self.plan.callers)))
        self.database.away = self.database.deaf = False
        self._fill(False)
        await self._tend()
        await self.reports.close()

    async def _call(self, caller: int) -> None:
        """Every version in turn; some doubled at the same moment, some late, as webhooks come."""
        for version in range(1, LAST + 1):
            sent = [version, *[version] * (self.chance.random() < 0.2)]
            sent += [version - 1] * (version > 1 and self.chance.random() < 0.2)
            await asyncio.gather(*(self._save(caller, one) for one in sent))
            for _ in range(self.chance.randrange(3)):
                await asyncio.sleep(0)

    async def _save(self, caller: int, version: int) -> None:
        kept = await self.reports.keep(
            ask_of(caller, version), seed=seed_of(caller), turn=turn_of_call(version), today=TODAY
        )
        receipt = kept.receipt if isinstance(kept, Saved) and kept.receipt else "-"
        os.write(self.told, Told(caller, version, isinstance(kept, Saved), receipt).line())
        self.saves += 1
        self._turns(self.saves / (self.plan.callers * LAST))
        if self.saves % 11 == 0:
            await self._tend()

    def _turns(self, share: float) -> None:
        """The weather, and how full the disk is, by the share of what there is to save."""
        if self.plan.weather:
            self.database.away = 0.3 < share < 0.5 or 0.8 < share < 0.9
            self.database.deaf = 0.55 < share < 0.65
        self._fill(0.25 < share < 0.85)

    async def _tend(self) -> None:
        with suppress(StoreUnavailable):
            await self.reports.tend(TODAY)

    def _fill(self, full: bool) -> None:
        self.full = full
        if self.plan.room:
            room = self.plan.room if full else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def fills(self, connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        """Before a transaction begins: no page more for these files, or as many as it likes."""
        file = Path(connection.engine.url.database or "").name
        if file in self.plan.full and statement.startswith("BEGIN"):
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute(f"PRAGMA max_page_count={1 if self.full else 2**30}")


async def _line(plan: Plan, mortal: Mortal) -> None:
    folder = Path(plan.folder)
    mortal.loop = asyncio.get_running_loop()
    parts = exchange(plan.mutant)
    database, spooled = parts.database(f"sqlite:///{folder / SIDES[0]}"), Database(f"sqlite:///{folder / SIDES[1]}")
    spool, slow_hashes = parts.spool(spooled), SlowHashes(quick)
    pin = organisation.read_pin((folder / "organisation-key").read_text())
    reports = Reports(database, spool, host=HostKey.of(SECRET), pin=pin, slow_hashes=slow_hashes, save_seconds=20)
    told = os.open(plan.told, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    line = Line(plan, database, spool, reports, told, Random(plan.seed))
    event.listen(Engine, "before_cursor_execute", line.fills)
    mortal.watch()
    await line.lives()
    slow_hashes.close()
    await spool.close()
    await database.close()


def live(plan: Plan) -> None:
    """The whole life of one line; where the plan kills it, this does not return."""
    folder = Path(plan.folder)
    shutil.copytree(plan.blank, folder, dirs_exist_ok=True)
    mortal = Mortal(plan.dies_at)
    if plan.dies_after:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the kernel ends the process, as it does with SIGKILL
        signal.setitimer(signal.ITIMER_REAL, plan.dies_after)
    asyncio.run(_line(plan, mortal))


async def _warm(folder: Path) -> None:
    """Whatever is imported late, so that no child has to."""
    database = Database(f"sqlite:///{folder / SIDES[1]}")
    await database.migrate()
    await database.close()


def main(folder: Path) -> None:
    """Fork, live and wait, once for each plan."""
    asyncio.run(_warm(folder))
    for written in sys.stdin:
        plan = Plan.read(written)
        pid = os.fork()
        if not pid:
            try:
                live(plan)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
