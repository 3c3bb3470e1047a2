"""R1: "saved" is never false: whatever kills the line, fills its disk or takes its database away.

A process that is killed loses nothing that it gave to the kernel: this proves the order of commit and answer, not the
disk, which is told to flush at each commit (`PRAGMA synchronous=FULL`, see tests/store/test_database.py)."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from ivr.engine.asks import Saved
from ivr.services.custody.sessions import Session
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.spool import Spool
from ivr.store.database import Database
from ivr.vault import organisation
from ivr.vault.organisation import Pin
from tests.founded import Office, found
from tests.promises.dying import Plan
from tests.promises.forgetful import MUTANTS
from tests.promises.house import BEGINNING, PROVE
from tests.promises.lives import Lines, first_wrong, lines_in, together
from tests.promises.saving import (
    LAST,
    SIDES,
    TODAY,
    Outcome,
    Told,
    ask_of,
    opened_by_the_next,
    opened_in,
    quick,
    seed_of,
    turn_of_call,
)
from tests.promises.severed import end_all, named, way_to
from tests.store.databases import KINDS, UNTESTED, database_of


@pytest.fixture(scope="module")
def ana(blank: Path) -> Session:
    """The advocate's keys, which fit every copy of the database."""

    async def unlocked() -> Session:
        database = Database(f"sqlite:///{blank / SIDES[0]}")
        pin = organisation.read_pin((blank / "organisation-key").read_text())
        try:
            return await Office(database, Spool(database), pin, now=BEGINNING).session()
        finally:
            await database.close()

    return asyncio.run(unlocked())


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory, blank: Path, ana: Session) -> Iterator[Lines]:
    with lines_in(tmp_path_factory.mktemp("lines"), blank, ana) as of:
        yield of


# ---- killed ----

FIRST_SAVE = 70
"""Before this event a line opens its files and saves nothing."""
SMALL = 480
"""About as many events as a line with four callers has."""
LARGE = 7000
"""With forty."""


def deaths(lines: Lines, chance: Random, *, mutant: str = "") -> list[Plan]:
    """Every event of a line with few callers (each 30th, unless it is to be proved), and some of one with many."""
    step = 1 if PROVE > 1 else 30
    early = [lines.plan(dies_at=at, mutant=mutant) for at in range(1, FIRST_SAVE, step)]
    each = [lines.plan(dies_at=at, mutant=mutant) for at in range(FIRST_SAVE, SMALL, step)]
    many = 650 if PROVE > 1 else 11
    later = [lines.plan(callers=40, dies_at=chance.randrange(600, LARGE), mutant=mutant) for _ in range(many)]
    return [*early, *each, *later]


def test_what_a_caller_heard_is_saved_is_there_at_whatever_event_the_line_is_killed(
    lines: Lines, record_property: Callable[[str, object], None]
) -> None:
    plans = deaths(lines, Random(1))
    total = together(lines.outcomes(plans))
    record_property("cases", total.acknowledged)
    assert total.wrong == []
    assert total.acknowledged >= (100_000 if PROVE > 1 else 1_500)
    assert total.killed > len(plans) * 0.8
    assert total.came_home > len(plans) / 4


def test_so_it_is_at_whatever_instant(lines: Lines) -> None:
    """In the middle of a write, of a flush, of a checkpoint: wherever the timer happens to end it."""
    chance, wanted, killed, longest = Random(2), 4 * PROVE, 0, 0.3
    while killed <= wanted:
        plans = [lines.plan(callers=12, dies_after=chance.uniform(longest / 15, longest)) for _ in range(8 * PROVE)]
        total = together(lines.outcomes(plans))
        assert total.wrong == []
        killed += total.killed
        longest *= 0.7  # how long such a line lives, the machine decides
        assert longest > 0.001, "nothing is killed"


@pytest.mark.parametrize("mutant", [name for name in MUTANTS if name])
def test_mutant_a_line_that_forgets_is_seen(lines: Lines, mutant: str) -> None:
    chance = Random(3)
    plans = [lines.plan(callers=12, mutant=mutant)]
    plans += [lines.plan(callers=12, dies_at=chance.randrange(150, 1500), mutant=mutant) for _ in range(60)]
    assert any("was told" in trouble or "heard" in trouble for trouble in first_wrong(lines.outcomes(plans)))


# ---- no room ----


@pytest.mark.parametrize("full", [SIDES[:1], SIDES], ids=["the database", "both"])
def test_what_does_not_fit_any_more_is_spooled_or_told_as_not_saved(lines: Lines, full: tuple[str, ...]) -> None:
    chance = Random(4)
    plans = [lines.plan(callers=20, full=full, weather=False) for _ in range(2 * PROVE)]
    plans += [lines.plan(callers=20, full=full, dies_at=chance.randrange(900, 2500)) for _ in range(3 * PROVE)]
    total = together(lines.outcomes(plans))
    assert total.wrong == []
    assert total.acknowledged > 20 * len(plans)
    assert (total.refused > 0) == (full == SIDES)
    assert total.came_home > 0


def test_a_write_that_the_disk_cuts_off_is_not_told_as_saved(lines: Lines) -> None:
    """No write may go beyond a limit: those of logs and of checkpoints fail in the middle."""
    plans = [lines.plan(callers=20, room=room, weather=False) for room in range(20_000, 80_000, 20_000 // PROVE)]
    total = together(lines.outcomes(plans))
    assert total.wrong == []
    assert total.acknowledged > 20 * len(plans)
    assert total.refused > 0


if PROVE > 1:  # whoever runs the suite need not be somebody who may mount

    def test_on_a_small_disk_that_is_full_nothing_is_told_as_saved_that_is_not(
        lines: Lines, tmp_path: Path, blank: Path
    ) -> None:
        """Writes, logs and checkpoints fail as the kernel has it; the next process finds a disk with room again."""
        disk, rounds = tmp_path / "small", 20
        used = sum(path.stat().st_size // 1024 + 4 for path in blank.iterdir())
        disk.mkdir()
        total = Outcome()
        for n in range(rounds):
            with mounted(disk, kilobytes=used + 100 + 4 * n) as make_room:
                plan = lines.plan(folder=str(disk), callers=60, weather=False)
                total.add(together(lines.outcomes([plan], before_looking=make_room)))
        assert total.wrong == []
        assert total.acknowledged > 20 * rounds
        assert total.refused > rounds


@contextmanager
def mounted(folder: Path, *, kilobytes: int) -> Iterator[Callable[[], None]]:
    """A disk in memory of this size; what is given makes it larger. Skips, loudly, whoever may not mount."""

    def mount(*options: str) -> bool:
        return subprocess.run(["mount", *options, str(folder)], capture_output=True).returncode == 0

    def make_room() -> None:
        assert mount("-o", "remount,size=64m")

    if not mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        pytest.skip("this user may not mount a small disk: a full disk was tried by limits only")
    try:
        yield make_room
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# ---- the database is away ----


@dataclass
class Saving:
    """A line of this process, and what its callers hear."""

    reports: Reports
    database: Database
    told: list[Told] = field(default_factory=list)
    callers: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def some_call(self, callers: int = 6) -> None:
        """So many call at once, and each ends her form."""
        begin, self.callers = self.callers, self.callers + callers
        await asyncio.gather(*(self._calls(caller) for caller in range(begin, self.callers)))

    async def _calls(self, caller: int) -> None:
        for version in (1, LAST):
            ask, turn = ask_of(caller, version), turn_of_call(version)
            kept = await self.reports.keep(ask, seed=seed_of(caller), turn=turn, today=TODAY)
            receipt = kept.receipt if isinstance(kept, Saved) and kept.receipt else "-"
            self.told.append(Told(caller, version, isinstance(kept, Saved), receipt))
            async with self._news:
                self._news.notify_all()

    async def heard(self, count: int) -> None:
        """Until callers have been told more than `count` times."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.told) > count)


@asynccontextmanager
async def saving(url: str, folder: Path, pin: Pin) -> AsyncIterator[Saving]:
    """A worker of the line at `url`, whose spool lies in `folder`."""
    database, spooled, slow_hashes = Database(url), Database(f"sqlite:///{folder / SIDES[1]}"), SlowHashes(quick)
    of = Office(database, Spool(spooled), pin, slow_hashes=slow_hashes, now=BEGINNING)
    reports = of.reports()
    try:
        await reports.ready(TODAY)
        yield Saving(reports, database)
        await reports.close()
    finally:
        slow_hashes.close()
        await spooled.close()
        await database.close()


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Another process begins to write to this file, and does not end."""
    code = (
        "import sqlite3, sys; held = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "held.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.communicate()


def copied(blank: Path, to: Path) -> tuple[str, Pin]:
    shutil.copytree(blank, to)
    return f"sqlite:///{to / SIDES[0]}", organisation.read_pin((to / "organisation-key").read_text())


def test_while_another_process_holds_the_database_for_three_seconds_everybody_is_saved_and_in_time(
    tmp_path: Path, blank: Path, ana: Session
) -> None:
    url, pin = copied(blank, tmp_path / "line")

    async def main() -> None:
        async with saving(url, tmp_path / "line", pin) as line:
            await line.some_call()
            with held(tmp_path / "line" / SIDES[0]):
                until = time.monotonic() + 3
                while time.monotonic() < until:
                    await line.some_call()
            await line.some_call()
        outcome = await opened_in(tmp_path / "line", ana, line.told)
        assert outcome.wrong == []
        assert (outcome.refused, outcome.acknowledged) == (0, 2 * line.callers)
        assert outcome.came_home > 0

    asyncio.run(main())


def test_with_its_file_moved_away_and_back_everything_that_was_acknowledged_is_there(
    tmp_path: Path, blank: Path, ana: Session
) -> None:
    url, pin = copied(blank, tmp_path / "line")

    async def main() -> None:
        async with saving(url, tmp_path / "line", pin) as old, saving(url, tmp_path / "line", pin) as fresh:
            await old.some_call()
            (tmp_path / "line" / SIDES[0]).rename(tmp_path / "elsewhere")
            fresh.callers = old.callers
            await fresh.some_call()
            old.callers = fresh.callers
            await old.some_call()
            (tmp_path / "elsewhere").rename(tmp_path / "line" / SIDES[0])
            await old.some_call()
        outcome = await opened_in(tmp_path / "line", ana, [*old.told, *fresh.told])
        assert outcome.wrong == []
        assert outcome.acknowledged == 2 * old.callers
        assert outcome.came_home >= 6

    asyncio.run(main())


needs_a_server = pytest.mark.skipif("postgresql" not in KINDS, reason=UNTESTED)


@asynccontextmanager
async def founded(url: str) -> AsyncIterator[tuple[Pin, Session]]:
    """An organisation at this URL, and its advocate's keys."""
    database = Database(url)
    try:
        pin = (await found(database, now=BEGINNING)).pin
        yield pin, await Office(database, Spool(database), pin, now=BEGINNING).session()
    finally:
        await database.close()


@needs_a_server
def test_with_the_way_to_postgresql_cut_in_the_middle_of_saves_everything_acknowledged_comes_home(
    tmp_path: Path,
) -> None:
    async def main(url: str) -> None:
        async with founded(url) as (pin, ana), way_to(url) as (led, way):
            async with saving(led, tmp_path, pin) as line:
                for n in range(3 * PROVE):
                    await line.some_call()
                    calls = asyncio.create_task(line.some_call(20))
                    await line.heard(len(line.told) + n % 10)
                    await way.cut()
                    await calls
                    await way.mend()
            outcome = await _next_on(url, tmp_path, pin, ana, line.told)
        assert outcome.wrong == []
        assert outcome.acknowledged > line.callers
        assert outcome.came_home > 0

    with database_of("postgresql", tmp_path) as url:
        asyncio.run(main(url))


@needs_a_server
def test_when_the_server_ends_every_connection_again_and_again_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with founded(url) as (pin, ana):
            async with saving(named(url, tmp_path.name), tmp_path, pin) as line:
                ended = 0
                for _ in range(6 * PROVE):
                    calls = asyncio.create_task(line.some_call(12))
                    while not calls.done():
                        ended += await asyncio.to_thread(end_all, tmp_path.name)
                    await calls
            outcome = await _next_on(url, tmp_path, pin, ana, line.told)
        assert outcome.wrong == []
        assert ended > 0
        assert outcome.acknowledged > line.callers

    with database_of("postgresql", tmp_path) as url:
        asyncio.run(main(url))


async def _next_on(url: str, folder: Path, pin: Pin, ana: Session, told: Sequence[Told]) -> Outcome:
    database, spooled = Database(url), Database(f"sqlite:///{folder / SIDES[1]}")
    try:
        return await opened_by_the_next(database, spooled, pin, ana, told)
    finally:
        await spooled.close()
        await database.close()
