"""A7: what has expired cannot be read any more. The nights of several weeks, over the end of a year with 53 weeks, on
the line's own night work: each report is there until the last night of its time and nowhere after it, an epoch goes
with its last report and with everybody's keys to it, and an older copy with the newest keys opens none of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import Connection, Table, create_engine, select
from sqlalchemy.dialects import sqlite

from ivr.flow.graph import Flow
from ivr.kit.clock import VirtualClock
from ivr.services.archive import Seal
from ivr.services.custody import sessions
from ivr.services.receipts import Receipts
from ivr.services.retention import SPOOLED, Night
from ivr.store.database import Database
from ivr.store.tables import epoch_wraps, epochs, report_keys
from ivr.vault.epochs import taking as epoch_of
from tests.founded import PASSPHRASE, Office, office
from tests.promises.house import PROVE
from tests.promises.keeping import Kept, Rows, add, annotate, copied, keep, oldest_data_with_newest_keys
from tests.promises.ledger import Record
from tests.promises.traces import Traces, files_in
from tests.shipped import flow as shipped
from tests.store.databases import KINDS, database_of

FIRST = date(2026, 12, 10)
"""A Thursday. Its year has 53 weeks, and the last of them ends in the next."""
DAYS = {"bad_date": 10, "short": 7, "long": 24}
"""Form -> days that it is kept."""
ARRIVING = 26 if PROVE == 1 else 380
"""Days on which somebody calls."""


Work = Callable[[Office, Night, Path], Awaitable[object]]
"""A night's work; the folder is where the database lies."""


async def as_it_is(_of: Office, night: Night, _folder: Path) -> None:
    """The line's own work."""
    assert await night.work_if_due() is not None


def with_forms(days: dict[str, int]) -> Flow:
    """The shipped flow with several forms, which differ in how long they are kept."""
    form = shipped().forms["bad_date"]
    return replace(shipped(), forms={name: replace(form, name=name, keep_days=kept) for name, kept in days.items()})


@dataclass
class Nights:
    """What was wrong in the morning after a night, and how much there was to be wrong."""

    wrong: list[str] = field(default_factory=list)
    reports: int = 0
    nights: int = 0
    searched: int = 0
    buried: int = 0


@dataclass
class Watch:
    """A line whose nights are watched. `gone`: every trace of what must not be there any more."""

    of: Office
    folder: Path
    clock: VirtualClock
    found: Nights
    every: list[Kept] = field(default_factory=list)
    gone: Traces = field(default_factory=Traces)
    months: dict[str, list[bytes]] = field(default_factory=dict)
    first_copy: Rows | None = None

    async def note_months(self) -> None:
        """The K_receipt and the wraps of every epoch, as they lie there."""

        def look(connection: Connection) -> dict[str, list[bytes]]:
            keys = {row.id: [row.receipt_key, row.public_key] for row in connection.execute(select(epochs))}
            for row in connection.execute(select(epoch_wraps)):
                keys[row.epoch].append(row.wrapped)
            return keys

        self.months |= await self.of.database.read(look)

    async def look(self, today: date) -> None:
        """What an advocate reads in the morning, beside what she should; and a search through every file."""
        readable = {one.listed.id: one.seal for one in await self.of.read_all()}
        for one in self.every:
            due = one.monday + timedelta(days=DAYS[one.form])
            if due <= today:
                self.gone.add(f"{one.form} of {one.day}", *one.secrets)
                one.secrets.clear()
            if (readable.get(one.id) is Seal.OPENED) != (today < due):
                self.found.wrong.append(f"{today}: {one.form} of {one.day}, due {due}: {readable.get(one.id)}")
        living = {f"{one.monday:%Y-%m}" for one in self.every if today < one.monday + timedelta(days=DAYS[one.form])}
        long_over = epoch_of(today - SPOOLED)
        for month in sorted(self.months):
            if month < long_over and month not in living:
                self.gone.add(f"the keys of {month}", *self.months.pop(month))
                self.found.buried += 1
        self.found.wrong += [f"{today}: {one}" for one in self.gone.found_in(files_in(self.folder))]
        self.found.searched = self.gone.count
        self.found.nights += 1


def nights(
    folder: Path, *, work: Work = as_it_is, arriving: int = ARRIVING, after: int = max(DAYS.values()) + 7
) -> Nights:
    """Somebody calls on each day, about each form in turn; and the line works each night, until all of it is over."""
    flow, found = with_forms(DAYS), Nights()

    async def main(url: str) -> None:
        async with office(url, folder) as of:
            clock = VirtualClock(morning(FIRST))
            watch = Watch(of, folder, clock, found)
            kept = of.reports(save_seconds=60)
            for day in (FIRST + timedelta(days=n) for n in range(arriving + after)):
                clock.at = morning(day)
                if day.day in (1, FIRST.day):
                    await sessions.unlock(of.database, pin=of.pin, passphrase=PASSPHRASE, now=clock.now())
                    await watch.note_months()
                await work(of, Night(of.database, of.host, of.pin, flow, clock), folder)
                await watch.look(day)
                if len(watch.every) < arriving:
                    watch.every.append(await keep(of, kept, day=day, form=list(DAYS)[len(watch.every) % len(DAYS)]))
                    if len(watch.every) % 2:
                        # said to be of its last day: it goes with its report all the same
                        await add(of, kept, watch.every[-1], day=last_day(watch.every[-1]))
                    if len(watch.every) % 4 == 0:
                        await annotate(of, watch.every[-1], until=last_day(watch.every[-1]))
                if len(watch.every) == arriving // 2:
                    watch.first_copy = watch.first_copy or await copied(of.database)
            assert watch.first_copy is not None
            (folder / "restored").mkdir()
            newest = await copied(of.database)
            restored = await oldest_data_with_newest_keys(watch.first_copy, newest, folder / "restored", of)
            found.wrong += [f"restored: {one.listed.id.hex()}" for one in restored if one.answers]
            found.reports = len(watch.every)

    with database_of("sqlite", folder) as url:
        asyncio.run(main(url))
    return found


def last_day(one: Kept) -> date:
    """On which it may be there."""
    return one.monday + timedelta(days=DAYS[one.form] - 1)


def morning(day: date) -> datetime:
    """Half an hour after the night's work is due."""
    return datetime.combine(day, time(3, 30), ZoneInfo(shipped().zone))


def test_a_report_is_there_until_its_last_night_and_nowhere_after_it(tmp_path: Path, record: Record) -> None:
    found = nights(tmp_path)
    record(found.nights, "nights")
    record(found.reports, "reports followed until they expired")
    record(found.searched, "bodies, notes, keys, wraps and derived uses searched for")
    assert found.wrong == []
    assert found.buried >= 2


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_on_postgresql_it_is_in_no_file_of_any_table_after_the_night(tmp_path: Path, record: Record) -> None:
    count, before, after = on_postgresql(tmp_path, Database)
    record(count, "bodies, notes, keys and derived uses searched for in PostgreSQL's files")
    assert any("report_keys" in place for place in before)  # until the night that is said beside the promise
    assert after == []


def on_postgresql(folder: Path, database_class: type[Database]) -> tuple[int, list[str], list[str]]:
    """How much was searched for; and what the files of a database still hold of reports that were withdrawn or have
    expired: before the night's work, and after it."""

    async def main(url: str) -> tuple[int, list[str], list[str]]:
        async with office(url, folder) as founded:
            of = replace(founded, database=database_class(url))
            kept, traces = of.reports(save_seconds=60), Traces()
            for n in range(12 * PROVE):
                one = await keep(of, kept, day=FIRST)
                await annotate(of, one, until=last_day(one))
                traces.add("report", *one.secrets)
                if n % 2:
                    await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(one.code)
            clock = VirtualClock(morning(FIRST + timedelta(days=DAYS["bad_date"])))
            before = traces.found_in(relations(url))
            assert await Night(of.database, of.host, of.pin, with_forms(DAYS), clock).work_if_due()
            after = traces.found_in(relations(url))
            await of.database.close()
            return traces.count, before, after

    with database_of("postgresql", folder) as url:
        return asyncio.run(main(url))


class Dying(Database):
    """Its process ends when it is about to write rows anew."""

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        raise Died


class Died(Exception):
    """The process was killed."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_night_whose_worker_died_before_it_wrote_anew_is_finished_the_same_night(kind: str, tmp_path: Path) -> None:
    """Else what has expired would lie in PostgreSQL's dead rows, and all rows in their order, for another day."""

    async def main(url: str) -> None:
        async with office(url, tmp_path) as of:
            kept, traces = of.reports(save_seconds=60), Traces()
            traces.add("report", *(await keep(of, kept, day=FIRST)).secrets)
            clock = VirtualClock(morning(FIRST + timedelta(days=DAYS["bad_date"])))
            dying = Dying(url)
            with pytest.raises(Died):
                await Night(dying, of.host, of.pin, with_forms(DAYS), clock).work_if_due()
            await dying.close()
            clock.advance(timedelta(minutes=1))
            counting = Counting(url)
            for _ in range(2):
                await Night(counting, of.host, of.pin, with_forms(DAYS), clock).work_if_due()
            await counting.close()
            assert counting.rewritten == 1
            places = files_in(tmp_path) if kind == "sqlite" else relations(url)
            assert traces.found_in(places) == []

    with database_of(kind, tmp_path) as url:
        asyncio.run(main(url))


class Counting(Database):
    """Counts how often it was written anew."""

    rewritten = 0

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        self.rewritten += 1
        return await super().rewrite(tables)


def relations(url: str) -> dict[str, bytes]:
    """Every file of a schema's tables and indexes, as they lie on the server's disk. Skips where this user may not."""
    wanted = """
        SELECT relname, coalesce(pg_read_binary_file(pg_relation_filepath(pg_class.oid), 0, 1 << 29, true), '')
        FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i', 't')
        UNION ALL SELECT 'toast of ' || owner.relname, pg_read_binary_file(pg_relation_filepath(owner.reltoastrelid))
        FROM pg_class AS owner WHERE relnamespace = current_schema()::regnamespace AND owner.reltoastrelid <> 0
    """
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute("CHECKPOINT")
            return {name: bytes(content) for name, content in connection.execute(wanted)}
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("PostgreSQL: this user may not read the server's files, so they were NOT searched")


# ---- mutants: each must be caught ----


async def a_day_late(_of: Office, night: Night, _folder: Path) -> None:
    """Counts one day more than was said."""
    flow = with_forms({name: days + 1 for name, days in DAYS.items()})
    await replace(night, flow=flow).work_if_due()


async def keeps_keys(of: Office, night: Night, folder: Path) -> None:
    """Deletes reports, and not what opens them."""
    await _put_back(of, night, folder, report_keys)


async def keeps_months(of: Office, night: Night, folder: Path) -> None:
    """Deletes reports, and never an epoch."""
    await _put_back(of, night, folder, epochs, epoch_wraps)


async def _put_back(of: Office, night: Night, folder: Path, *tables: Table) -> None:
    """A night's work that leaves these tables as they were."""
    before = await copied(of.database)
    await night.work_if_due()
    engine = create_engine(f"sqlite:///{folder / 'porchlight.db'}")  # which does not look after references
    with engine.begin() as connection:
        for table in tables:
            into = sqlite.insert(table).on_conflict_do_nothing()
            for row in before[table.name]:
                connection.execute(into.values(**row))
    engine.dispose()


@pytest.mark.parametrize("work", [a_day_late, keeps_keys, keeps_months])
def test_mutant_a_night_that_keeps_something_is_seen(work: Work, tmp_path: Path) -> None:
    assert nights(tmp_path, work=work, arriving=6, after=20).wrong


class NeverRewritten(Database):
    """Leaves PostgreSQL's dead rows where they are."""

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        return True


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_mutant_a_night_that_does_not_write_anew_is_seen(tmp_path: Path) -> None:
    _, _, after = on_postgresql(tmp_path, NeverRewritten)
    assert after
