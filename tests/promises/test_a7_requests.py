"""A7, of requests to be called: the number of somebody who was called, or whose nights are over, cannot be read any
more: it is in no file, and an older copy with the newest keys does not open it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from ivr.engine.asks import Saved, SaveReport
from ivr.kit.clock import VirtualClock
from ivr.services.archive import DONE, Seal
from ivr.services.receipts import forgotten
from ivr.services.retention import Night
from ivr.store.database import Database
from ivr.store.tables import report_keys, reports
from tests.founded import Office, office
from tests.promises.house import PROVE
from tests.promises.keeping import Rows, copied, oldest_data_with_newest_keys, secrets_of
from tests.promises.ledger import Record
from tests.promises.test_a7_expiry import NeverRewritten, relations
from tests.promises.traces import Traces, files_in
from tests.shipped import flow
from tests.store.databases import KINDS, database_of

TODAY = date(2026, 12, 10)
"""A Thursday."""
NIGHTS = 3
COUNT = 4 * PROVE
ASK = SaveReport("callback", 1, (("phone", ("2125550123",)), ("hours", ("evening",))), "request", 1, nights=NIGHTS)


Forget = Callable[[Office, bytes], Awaitable[object]]


@dataclass
class Left:
    """What is left of some requests, of as many as stay."""

    searched: int = 0
    in_files: list[str] = field(default_factory=list)
    in_backup: list[bytes] = field(default_factory=list)
    others_read: int = 0


async def asked(of: Office, n: int, day: date = TODAY) -> tuple[bytes, list[bytes]]:
    """A request with a note: its id, and every byte by which it could be known later."""
    before = {listed.id for listed in await of.archive.page(limit=10_000)}
    kept = of.reports(save_seconds=60)
    assert await kept.keep(ASK, seed=n.to_bytes(16), turn=3, today=day) == Saved(None)
    await kept.close()
    [new] = {listed.id for listed in await of.archive.page(limit=10_000)} - before
    await of.archive.note(new, await of.session(), text="Nobody answered.", today=day)
    return new, await secrets_of(of.database, new)


async def by_hand(of: Office, one: bytes) -> None:
    """As `ivr reports done` does it."""
    await of.archive.done(one, await of.session())
    assert await forgotten(of.database)


def done(folder: Path, *, forget: Forget = by_hand, count: int = COUNT) -> Left:
    """As many requests dealt with as stay."""

    async def main(url: str) -> Left:
        async with office(url, folder) as of:
            every = [await asked(of, n) for n in range(2 * count)]
            before, traces = await copied(of.database), Traces()
            for one, secrets in every[:count]:
                traces.add(one.hex(), *secrets)
            assert len(traces.found_in(files_in(folder))) >= count  # what is searched for was there
            for one, _ in every[:count]:
                await forget(of, one)
            return await left(of, folder, traces, before, {one for one, _ in every[:count]})

    with database_of("sqlite", folder) as url:
        return asyncio.run(main(url))


async def left(of: Office, folder: Path, traces: Traces, before: Rows, gone: set[bytes]) -> Left:
    in_files = traces.found_in(files_in(folder))
    (folder / "restored").mkdir()
    restored = await oldest_data_with_newest_keys(before, await copied(of.database), folder / "restored", of)
    opened = [one.listed.id for one in restored if one.answers]
    others = sum(one.seal is Seal.OPENED and len(one.notes) == 1 for one in restored if one.listed.id not in gone)
    return Left(traces.count, in_files, [one for one in opened if one in gone], others)


def test_what_is_done_is_in_no_file_and_an_older_copy_with_today_s_keys_does_not_open_it(
    tmp_path: Path, record: Record
) -> None:
    found = done(tmp_path)
    record(found.searched, "bodies, notes and keys of requests to be called searched for")
    assert found.in_files == []
    assert found.in_backup == []
    assert found.others_read == COUNT


# ---- and those that nobody deals with ----

Work = Callable[[Office, Night], Awaitable[object]]


async def as_it_is(_of: Office, night: Night) -> None:
    """The line's own work."""
    assert await night.work_if_due() is not None


def over_nights(folder: Path, *, work: Work = as_it_is, days: int = 5 * PROVE) -> list[str]:
    """Somebody asks on each day, and the line works each night: what was wrong in the morning."""

    async def main(url: str) -> list[str]:
        async with office(url, folder) as of:
            clock = VirtualClock(morning(TODAY))
            night = Night(of.database, of.host, of.pin, flow(), clock, of.spool)
            every: list[tuple[date, bytes, list[bytes]]] = []
            gone, wrong = Traces(), list[str]()
            for n in range(days + NIGHTS + 1):
                day = TODAY + timedelta(days=n)
                clock.at = morning(day)
                await work(of, night)
                readable = {one.listed.id for one in await of.read_all() if one.seal is Seal.OPENED}
                for came, one, secrets in every:
                    is_over = day >= came + timedelta(days=NIGHTS)
                    wrong += [f"{day}: of {came}"] if (one in readable) == is_over else []
                    if is_over:
                        gone.add(f"of {came}", *secrets)
                wrong += [f"{day}: {trace}" for trace in gone.found_in(files_in(folder))]
                if n < days:
                    every.append((day, *await asked(of, n, day)))
            assert gone.count >= days
            return wrong

    with database_of("sqlite", folder) as url:
        return asyncio.run(main(url))


def morning(day: date) -> datetime:
    """Half an hour after the night's work is due."""
    return datetime.combine(day, time(3, 30), ZoneInfo(flow().zone))


def test_a_request_is_there_for_its_nights_and_nowhere_after_them(tmp_path: Path, record: Record) -> None:
    record(5 * PROVE, "requests to be called followed until their last night")
    assert over_nights(tmp_path) == []


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_on_postgresql_it_is_in_no_file_of_any_table_after_its_last_night(tmp_path: Path) -> None:
    before, after = on_postgresql(tmp_path, Database)
    assert before
    assert after == []


def on_postgresql(folder: Path, database_class: type[Database]) -> tuple[list[str], list[str]]:
    """What a database's files hold of requests, half of them done: before their last night, and after it."""

    async def main(url: str) -> tuple[list[str], list[str]]:
        async with office(url, folder) as founded:
            of, traces = replace(founded, database=database_class(url)), Traces()
            for n in range(6):
                one, secrets = await asked(of, n)
                traces.add("a request", *secrets)
                if n % 2:
                    await of.archive.done(one, await of.session())
            clock = VirtualClock(morning(TODAY))
            before = list[str]()
            for n in range(NIGHTS + 1):
                before = traces.found_in(relations(url)) if n < NIGHTS else before
                clock.at = morning(TODAY + timedelta(days=n + 1))
                await Night(of.database, of.host, of.pin, flow(), clock).work_if_due()
            after = traces.found_in(relations(url))
            await of.database.close()
            return before, after

    with database_of("postgresql", folder) as url:
        return asyncio.run(main(url))


# ---- mutants: each must be caught ----


async def only_the_state(of: Office, one: bytes) -> None:
    """Says that it is done."""
    change = update(reports).where(reports.c.id == one).values(state=DONE)
    await of.database.write(lambda connection: connection.execute(change).rowcount)
    assert await forgotten(of.database)


async def only_the_key(of: Office, one: bytes) -> None:
    """Forgets notes and body."""
    change = delete(report_keys).where(report_keys.c.report_id == one)
    await of.database.write(lambda connection: connection.execute(change).rowcount)
    assert await forgotten(of.database)


async def without_cleaning(of: Office, one: bytes) -> None:
    """Leaves the log as it is."""
    await of.archive.done(one, await of.session())


@pytest.mark.parametrize("forget", [only_the_state, only_the_key, without_cleaning])
def test_mutant_a_request_of_which_something_is_left_is_seen(forget: Forget, tmp_path: Path) -> None:
    found = done(tmp_path, forget=forget, count=3)
    assert found.in_files
    assert bool(found.in_backup) == (forget is only_the_state)


async def a_night_late(of: Office, night: Night) -> None:
    """Counts from four."""
    new = update(report_keys).where(report_keys.c.nights_left == NIGHTS).values(nights_left=NIGHTS + 1)
    await of.database.write(lambda connection: connection.execute(new).rowcount)
    await night.work_if_due()


async def a_night_early(of: Office, night: Night) -> None:
    """Counts from two."""
    new = update(report_keys).where(report_keys.c.nights_left == NIGHTS).values(nights_left=NIGHTS - 1)
    await of.database.write(lambda connection: connection.execute(new).rowcount)
    await night.work_if_due()


async def by_the_week(of: Office, night: Night) -> None:
    """Counts nothing: a request goes when its week is over."""
    lost = update(report_keys).values(nights_left=None)
    await of.database.write(lambda connection: connection.execute(lost).rowcount)
    await night.work_if_due()


@pytest.mark.parametrize("work", [a_night_late, a_night_early, by_the_week])
def test_mutant_a_night_that_counts_otherwise_is_seen(work: Work, tmp_path: Path) -> None:
    assert over_nights(tmp_path, work=work, days=3)


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_mutant_a_night_that_does_not_write_anew_is_seen(tmp_path: Path) -> None:
    assert on_postgresql(tmp_path, NeverRewritten)[1]
