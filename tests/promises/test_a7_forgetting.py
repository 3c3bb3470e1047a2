"""A7: what was withdrawn cannot be read any more: a minute later it is in no file, and an older copy with the newest
keys does not open it either. (What a hoarded copy of the keys opens is said beside the promise. What has expired:
test_a7_expiry.py.)"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.engine.asks import Noted, Opened
from ivr.kit.clock import VirtualClock
from ivr.services.archive import Seal
from ivr.services.receipts import Receipts, forgotten
from ivr.services.tagged import TAKEN_BACK, Withdrawal
from ivr.store import reports as stored
from ivr.store.tables import report_keys, reports
from tests.founded import NOW, Office, office
from tests.promises.house import BEGINNING, PROVE, house
from tests.promises.keeping import Kept, add, annotate, copied, keep, oldest_data_with_newest_keys, secrets_of
from tests.promises.ledger import Record
from tests.promises.pacing import Metronome
from tests.promises.traces import Traces, files_in
from tests.store.databases import database_of

TODAY = NOW.date()


@dataclass
class Left:
    """What a withdrawal left of reports. `in_files`: where any eight bytes of them lie; `in_backup`: what an older copy
    with the newest keys still opens."""

    withdrawn: int = 0
    searched: int = 0
    in_files: list[str] = field(default_factory=list)
    in_backup: list[bytes] = field(default_factory=list)
    others_read: int = 0


Withdraw = Callable[[Office, Kept], Awaitable[object]]


async def by_receipt(of: Office, one: Kept) -> None:
    """As `ivr reports withdraw` does it."""
    taking_back = Receipts(of.database, of.host, of.pin, of.slow_hashes)
    assert await taking_back.withdraw(one.code) is Withdrawal.TAKEN_BACK
    assert await forgotten(of.database)


async def by_phone(of: Office, one: Kept) -> None:
    """As her own call does it; the line's chores wipe the log."""
    desk = of.receipts()
    opened = await desk.open(one.code)
    assert isinstance(opened, Opened)
    assert await desk.withdraw(opened.receipt) == Noted()
    assert await forgotten(of.database)


def left(folder: Path, *, withdraw: Withdraw = by_receipt, sabotage: str = "", count: int = 4 * PROVE) -> Left:
    """As many reports withdrawn as stay. `sabotage`: a statement that the writer's connection is set up with."""

    async def main(url: str) -> Left:
        async with office(url, folder) as of:
            if sabotage:
                await of.database.write(lambda connection: connection.exec_driver_sql(sabotage))
            kept = of.reports(save_seconds=60)
            every = [await keep(of, kept, day=TODAY) for _ in range(2 * count)]
            for one in every:
                await annotate(of, one, until=TODAY + timedelta(days=90))
                await add(of, kept, one, day=TODAY + timedelta(days=9))
            before = await copied(of.database)
            found, traces = Left(count), Traces()
            for n, one in enumerate(every[:count]):
                traces.add(f"report {n}", *one.secrets)
            found.searched = traces.count
            assert len(traces.found_in(files_in(folder))) >= count  # what is searched for was there
            for one in every[:count]:
                await withdraw(of, one)
            found.in_files = traces.found_in(files_in(folder))
            (folder / "restored").mkdir()
            restored = await oldest_data_with_newest_keys(before, await copied(of.database), folder / "restored", of)
            gone = {row for one in every[:count] for row in (one.id, *one.added)}
            found.in_backup = [one.listed.id for one in restored if one.answers and one.listed.id in gone]
            found.others_read = sum(one.seal is Seal.OPENED and len(one.notes) == 1 for one in restored)
            return found

    with database_of("sqlite", folder) as url:
        return asyncio.run(main(url))


@pytest.mark.parametrize("withdraw", [by_receipt, by_phone])
def test_what_was_withdrawn_is_in_no_file_and_an_older_copy_with_today_s_keys_does_not_open_it(
    withdraw: Withdraw, tmp_path: Path, record: Record
) -> None:
    found = left(tmp_path, withdraw=withdraw)
    record(found.withdrawn, "reports withdrawn")
    record(found.searched, "bodies, notes, keys and derived uses searched for")
    assert found.in_files == []
    assert found.in_backup == []
    assert found.others_read == found.withdrawn  # nobody else's is touched


# ---- also when something comes in between ----


async def lingering(folder: Path, blank: Path, *, spooled: bool, has_chores: bool = True) -> list[str]:
    """What lies there a minute after a report was withdrawn, on a line whose own chores run. The process that withdrew
    it ended before it could clean up; `spooled`: the report had waited in the spool, and somebody was reading there
    when it came home."""
    clock = VirtualClock(BEGINNING)
    pacing = Metronome(clock)

    def built(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
        return build(parts, clock, world, pause=pacing.pause)

    async with (
        house(folder, blank=blank, builder=built, clock=clock) as of,
        pacing.at_work(of.router) if has_chores else nullcontext(),
    ):
        kept, day = of.kept.reports(save_seconds=60), clock.now().date()
        await kept.ready(day)
        if spooled:
            with locked(of.folder / "porchlight.db"):
                one = await keep(of.kept, kept, day=day, turns=1)
            one.secrets += await secrets_of(of.parts.spool, one.id)
            with read(of.folder / "spool.db"):
                assert await kept.bring_home() == 1
        else:
            one = await keep(of.kept, kept, day=day)
        traces = Traces()
        traces.add("report", *one.secrets, *await secrets_of(of.database, one.id))
        assert traces.found_in(of.files())
        await without_cleaning(of.kept, one)
        await pacing.until(clock.now() + timedelta(minutes=1))
        return traces.found_in(of.files())


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Somebody holds a database for herself."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def read(file: Path) -> Iterator[None]:
    """Somebody reads in a database for long."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM reports").fetchone()
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("spooled", [False, True])
def test_a_minute_after_a_withdrawal_nothing_is_left_though_whoever_withdrew_it_did_not_clean_up(
    spooled: bool, tmp_path: Path, blank: Path
) -> None:
    assert asyncio.run(lingering(tmp_path / "line", blank, spooled=spooled)) == []


# ---- mutants: each must be caught ----


@pytest.mark.parametrize("spooled", [False, True])
def test_mutant_a_line_without_its_chores_leaves_something(spooled: bool, tmp_path: Path, blank: Path) -> None:
    assert asyncio.run(lingering(tmp_path / "line", blank, spooled=spooled, has_chores=False))


async def only_the_state(of: Office, one: Kept) -> None:
    """Says that it was taken back."""
    change = update(reports).where(reports.c.id.in_((one.id, *one.added))).values(state=TAKEN_BACK)
    await of.database.write(lambda connection: connection.execute(change).rowcount)
    assert await forgotten(of.database)


async def only_the_key(of: Office, one: Kept) -> None:
    """Forgets her notes."""
    change = delete(report_keys).where(report_keys.c.report_id.in_((one.id, *one.added)))
    await of.database.write(lambda connection: connection.execute(change).rowcount)
    assert await forgotten(of.database)


async def only_the_report(of: Office, one: Kept) -> None:
    """Forgets what was added to it."""
    await of.database.write(lambda connection: stored.remove(connection, [one.id]))
    assert await forgotten(of.database)


async def without_cleaning(of: Office, one: Kept) -> None:
    """Leaves the log as it is."""
    await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(one.code)


@pytest.mark.parametrize("withdraw", [only_the_state, only_the_key, only_the_report, without_cleaning])
def test_mutant_a_withdrawal_that_leaves_something_is_seen(withdraw: Withdraw, tmp_path: Path) -> None:
    found = left(tmp_path, withdraw=withdraw, count=3)
    assert found.in_files
    assert bool(found.in_backup) == (withdraw in (only_the_state, only_the_report))


def test_mutant_a_database_that_does_not_wipe_what_it_deletes_is_seen(tmp_path: Path) -> None:
    assert left(tmp_path, sabotage="PRAGMA secure_delete=OFF", count=3).in_files
