"""A backup holds everything, of one moment; together its two files open what is kept and nothing that was forgotten."""

import asyncio
import errno
import os
import shutil
import sqlite3
import stat
import threading
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Executable, Table, delete, insert, select, text

from ivr.engine.asks import Saved, SaveReport
from ivr.kit.clock import VirtualClock
from ivr.services.archive import OpenReport, Seal
from ivr.services.backup import KEPT_DAYS, KEYS, Backup, BackupFailed, tables_of
from ivr.services.custody.trust import NotSetUp
from ivr.services.receipts import Receipts
from ivr.services.reports import Reports
from ivr.services.retention import Night
from ivr.services.tagged import Withdrawal
from ivr.store import facts
from ivr.store.copying import REVISION
from ivr.store.database import Database, StoreUnavailable
from ivr.store.folder import Folder
from ivr.store.tables import line_keys, metadata, report_keys, reports
from tests.founded import NOW, SECRET, Office, found, in_office, office
from tests.shipped import flow
from tests.store.databases import KINDS, database_of

TODAY = NOW.date()
DATA = f"data-{TODAY}.db"
A_REPORT = SaveReport(
    form="bad_date",
    visit=1,
    answers=(("what", ("robbed",)), ("vehicle", ("van",))),
    consent="warn_others",
    ending=1,
)

T = TypeVar("T")
Main = Callable[[Office, Reports], Coroutine[Any, Any, None]]


def with_line(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(of: Office) -> None:
        kept = of.reports()
        await main(of, kept)
        await kept.close()

    in_office(directory, run, kind=kind)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "shelf"


def backup_of(of: Office, *, days: int = 0) -> Backup:
    """As it is made so many days later."""
    return Backup(of.database, of.pin, VirtualClock(NOW + timedelta(days=days)))


async def save(kept: Reports, caller: int, *, today: date = TODAY) -> str:
    """A whole report; her receipt."""
    seed = caller.to_bytes(16)
    saved = await kept.keep(A_REPORT, seed=seed, turn=3, today=today)
    assert isinstance(saved, Saved)
    assert saved.receipt
    return saved.receipt


def rows_in(file: Path, table: Table) -> list[Any]:
    """As they lie there."""
    columns = ", ".join(column.name for column in table.columns)
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as looking:
        return looking.execute(f"SELECT {columns} FROM {table.name}").fetchall()


def said_of(file: Path, pragma: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as looking:
        return looking.execute(f"PRAGMA {pragma}").fetchall()


async def rows_of(database: Database, table: Table) -> list[Any]:
    def look(connection: Connection) -> list[Any]:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]

    return await database.read(look)


def ids(file: Path, table: Table) -> set[bytes]:
    return {row[0] for row in rows_in(file, table)}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def read_from(folder: Path, data: str, *, of: Office) -> dict[bytes, OpenReport]:
    """Every report of a database that is put together from a data file and the keys, opened by the advocate."""
    whole = folder.parent / f"from-{data}"
    whole.unlink(missing_ok=True)
    database = Database(f"sqlite:///{whole}")
    try:
        await database.migrate()
        with closing(sqlite3.connect(whole)) as together:
            for file, kind in ((folder / data, "data"), (folder / KEYS, "keys")):
                assert rows_in(file, REVISION) == rows_in(whole, REVISION)
                for table in tables_of(kind):
                    marks = ", ".join("?" * len(table.columns))
                    together.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows_in(file, table))
            together.commit()
        return {report.listed.id: report for report in await replace(of, database=database).read_all()}
    finally:
        await database.close()


# What is in it


def test_every_lasting_table_is_in_one_of_the_two_files() -> None:
    assert {table.name for table in tables_of("keys")} == {
        "report_keys",
        "note_keys",
        "contributions",
        "epoch_wraps",
        "organisation_wraps",
        "tallies",
        "claims",
        "epochs",
        "jobs",
    }
    both = [*tables_of("data"), *tables_of("keys")]
    assert sorted(table.name for table in both) == sorted(metadata.tables)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_in_it_in_the_order_of_its_key(tmp_path: Path, shelf: Path, kind: str) -> None:
    async def main(of: Office, kept: Reports) -> None:
        if kind == "postgresql":  # as in a database whose locale has an order of its own
            await execute(of.database, text('ALTER TABLE facts ALTER COLUMN name TYPE text COLLATE "und-x-icu"'))
        for caller in range(30):
            await save(kept, caller)
        for name in ("b", "B", "a-c", "a_b", "ñ"):  # no two locales sort these alike
            await of.database.write(partial(facts.add, name=name, value=b""))
        written = await backup_of(of).into(Folder(shelf))
        assert (written.data, written.keys, written.reports, list(written.removed)) == (DATA, KEYS, 30, [])
        assert sorted(content(shelf)) == [DATA, KEYS]
        for file, held in ((DATA, "data"), (KEYS, "keys")):
            assert rows_in(shelf / file, REVISION)
            for table in tables_of(held):
                rows = rows_in(shelf / file, table)
                assert rows == sorted(rows), table.name
                assert rows == sorted(await rows_of(of.database, table)), table.name

    with_line(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_two_files_together_are_all_that_an_advocate_needs(tmp_path: Path, shelf: Path, kind: str) -> None:
    async def main(of: Office, kept: Reports) -> None:
        for caller in range(5):
            await save(kept, caller)
        session = await of.session()
        for report in await of.read_all(session):
            await of.archive.note(report.listed.id, session, text="She called again.", today=TODAY)
        await backup_of(of).into(Folder(shelf))
        assert await read_from(shelf, DATA, of=of) == {report.listed.id: report for report in await of.read_all()}

    with_line(tmp_path, main, kind=kind)


def test_each_file_is_sound_alone_and_opens_nothing_and_the_line_s_secret_is_in_none(
    tmp_path: Path, shelf: Path
) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await save(kept, 1)
        await backup_of(of).into(Folder(shelf))
        [(_, sealed_key, _)] = rows_in(shelf / KEYS, report_keys)
        files = content(shelf)
        assert sealed_key in files[KEYS]
        assert sealed_key not in files[DATA]
        assert b"bad_date" not in files[KEYS]
        for name in files:
            assert said_of(shelf / name, "integrity_check") == [("ok",)]
            assert said_of(shelf / name, "foreign_key_check") == []
        assert said_of(shelf / DATA, "foreign_key_list(notes)")
        for secret in (SECRET, b"robbed"):
            assert not any(secret in file for file in files.values())

    with_line(tmp_path, main)


def test_the_same_rows_give_the_same_bytes_wherever_they_lie_and_whenever_they_came(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        for caller in range(40):
            await save(kept, caller)
        await backup_of(of).into(Folder(tmp_path / "first"))
        first = content(tmp_path / "first")
        await of.database.rewrite(metadata.sorted_tables)
        await backup_of(of).into(Folder(tmp_path / "first"))
        assert content(tmp_path / "first") == first
        for kind in KINDS:
            folder = tmp_path / f"of {kind}"
            folder.mkdir()
            with database_of(kind, folder) as url:
                copied = Database(url)
                await copied.migrate()
                await shuffled(of.database, into=copied)
                await backup_of(replace(of, database=copied)).into(Folder(folder / "shelf"))
                await copied.close()
            assert content(folder / "shelf") == first

    with_line(tmp_path, main)


async def shuffled(source: Database, *, into: Database) -> None:
    """Every row, in another order than it has there, and some that were deleted."""
    for table in metadata.sorted_tables:
        rows = await rows_of(source, table)
        Random(5).shuffle(rows)
        for row in rows:
            await execute(into, insert(table).values(row))
    [(_, *same), *_] = await rows_of(source, reports)
    await execute(into, insert(reports).values([b"o" * 16, *same]))
    await execute(into, delete(reports).where(reports.c.id == b"o" * 16))


async def execute(database: Database, statement: Executable) -> None:
    def run(connection: Connection) -> None:
        connection.execute(statement)

    await database.write(run)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_copied_a_page_at_a_time(tmp_path: Path, shelf: Path, kind: str) -> None:
    """A line with years of reports is backed up on a small machine, beside the line."""
    chance = Random(3)
    many = 8000

    def fill(connection: Connection) -> None:
        [one] = connection.execute(select(reports)).mappings()
        connection.execute(insert(reports), [{**one, "id": chance.randbytes(16)} for _ in range(many)])

    async def main(of: Office, kept: Reports) -> None:
        await save(kept, 1)
        await of.database.write(fill)
        await backup_of(of).into(Folder(shelf))
        tracemalloc.start()
        try:
            await backup_of(of).into(Folder(shelf))
            assert tracemalloc.get_traced_memory()[1] < 3_000_000
        finally:
            tracemalloc.stop()
        assert len(ids(shelf / DATA, reports)) == many + 1

    with_line(tmp_path, main, kind=kind)


# What was forgotten (A7)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_withdrawn_or_has_expired_opens_with_no_backup_any_more(
    tmp_path: Path, shelf: Path, kind: str
) -> None:
    long_ago = TODAY - timedelta(days=80)

    async def main(of: Office, kept: Reports) -> None:
        withdrawn = await save(kept, 1)
        [first] = [report.listed.id for report in await of.read_all()]
        await save(kept, 2, today=long_ago)
        [second] = [report.listed.id for report in await of.read_all() if report.listed.id != first]
        await save(kept, 3)
        await backup_of(of).into(Folder(shelf))
        keys = {report_id: key for report_id, key, _ in rows_in(shelf / KEYS, report_keys)}
        before = await read_from(shelf, DATA, of=of)
        assert {report.seal for report in before.values()} == {Seal.OPENED}

        assert await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(withdrawn) is Withdrawal.TAKEN_BACK
        night = Night(of.database, of.host, of.pin, flow(), VirtualClock(NOW))
        assert (await night.purge(TODAY + timedelta(days=20))).reports == {"bad_date": 1}
        await backup_of(of, days=20).into(Folder(shelf))

        assert sorted(content(shelf)) == [DATA, f"data-{TODAY + timedelta(days=20)}.db", KEYS]
        after = await read_from(shelf, DATA, of=of)
        assert {report_id: report.seal for report_id, report in after.items()} == {
            report_id: Seal.MISSING if report_id in (first, second) else Seal.OPENED for report_id in before
        }
        for gone in (keys[first], keys[second]):
            assert not any(gone in file for file in content(shelf).values())

    with_line(tmp_path, main, kind=kind)


def test_mutant_a_keys_file_that_was_kept_would_open_what_was_withdrawn(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        receipt = await save(kept, 1)
        await backup_of(of).into(Folder(shelf))
        shutil.copy(shelf / KEYS, tmp_path / "hoarded")
        await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(receipt)
        await backup_of(of, days=1).into(Folder(shelf))
        assert [report.seal for report in (await read_from(shelf, DATA, of=of)).values()] == [Seal.MISSING]
        shutil.copy(tmp_path / "hoarded", shelf / KEYS)
        assert [report.seal for report in (await read_from(shelf, DATA, of=of)).values()] == [Seal.OPENED]

    with_line(tmp_path, main)


# While the line serves


class Held(Database):
    """A database whose snapshots wait, once taken, until somebody else has done something."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.taken, self.go_on = threading.Event(), threading.Event()

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        def held(connection: Connection) -> T:
            connection.execute(select(reports.c.id)).all()
            self.taken.set()
            assert self.go_on.wait(20)
            return work(connection)

        return await super().read(held if snapshot else work, snapshot=snapshot)


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_saves_meanwhile_does_not_notice_and_the_backup_is_of_one_moment(
    tmp_path: Path, shelf: Path, kind: str
) -> None:
    def matching() -> set[bytes]:
        found = ids(shelf / DATA, reports)
        taken_back = {row[0] for row in rows_in(shelf / DATA, reports) if "taken_back" in row}
        assert ids(shelf / KEYS, report_keys) == found - taken_back
        return found

    async def run(url: str) -> None:
        async with office(url, tmp_path) as of:
            kept = of.reports(save_seconds=60)
            first = [await save(kept, caller) for caller in range(3)]
            before = await in_database(of, kept)
            held = Held(url)
            making = asyncio.create_task(asyncio.to_thread(beside, of, held))
            assert await asyncio.to_thread(held.taken.wait, 20)
            await asyncio.gather(*(save(kept, caller) for caller in range(3, 23)))
            receipts = Receipts(of.database, of.host, of.pin, of.slow_hashes)
            assert await receipts.withdraw(first[0]) is Withdrawal.TAKEN_BACK
            held.go_on.set()
            await making
            assert matching() == before

            before = await in_database(of, kept)
            making = asyncio.create_task(asyncio.to_thread(beside, of, Database(url)))
            await asyncio.gather(*(save(kept, caller) for caller in range(23, 43)))
            await making
            after = await in_database(of, kept)
            assert before <= matching() <= after
            assert (len(before), len(after)) == (23, 43)
            await kept.close()

    async def in_database(of: Office, kept: Reports) -> set[bytes]:
        """Whatever a slow machine has put into the spool is home first."""
        await kept.bring_home()
        return {listed.id for listed in await of.archive.page()}

    def beside(of: Office, database: Database) -> None:
        """As another process does it."""

        async def make() -> None:
            try:
                await backup_of(replace(of, database=database)).into(Folder(shelf))
            finally:
                await database.close()

        asyncio.run(make())

    with database_of(kind, tmp_path) as url:
        asyncio.run(run(url))


def test_the_log_is_emptied_as_soon_as_the_backup_has_read_what_it_needs(tmp_path: Path, shelf: Path) -> None:
    """What comes after the reading, which may take long, keeps nothing of what is forgotten meanwhile."""

    class Looking(Folder):
        busy: int | None = None

        def finish(self, draft: Path, *, day: date) -> None:
            with closing(sqlite3.connect(tmp_path / "porchlight.db")) as other:
                (self.busy, *_) = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            super().finish(draft, day=day)

    async def main(of: Office, kept: Reports) -> None:
        await save(kept, 1)
        folder = Looking(shelf)
        await backup_of(of).into(folder)
        assert folder.busy == 0

    with_line(tmp_path, main)


# What lies in the folder


def test_nobody_else_may_read_it_and_its_times_tell_only_the_day(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await backup_of(of).into(Folder(shelf))

    before = os.umask(0)
    try:
        with_line(tmp_path, main)
    finally:
        os.umask(before)
    assert stat.S_IMODE(shelf.stat().st_mode) == 0o700
    for path in shelf.iterdir():
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_mtime == status.st_atime == datetime(2026, 11, 22, tzinfo=UTC).timestamp()
        assert path.read_bytes()[18:20] == b"\1\1", "no write-ahead log belongs to it"


def test_the_day_is_that_of_utc(tmp_path: Path, shelf: Path) -> None:
    evening = datetime(2026, 11, 22, 20, tzinfo=ZoneInfo("America/New_York"))

    async def main(of: Office, kept: Reports) -> None:
        written = await Backup(of.database, of.pin, VirtualClock(evening)).into(Folder(shelf))
        assert written.data == "data-2026-11-23.db"

    with_line(tmp_path, main)


def test_a_second_one_on_the_same_day_takes_the_place_of_the_first(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        for caller in range(2):
            await save(kept, caller)
            written = await backup_of(of).into(Folder(shelf))
            assert (sorted(content(shelf)), written.reports) == ([DATA, KEYS], caller + 1)
            assert len(ids(shelf / DATA, reports)) == len(ids(shelf / KEYS, report_keys)) == caller + 1

    with_line(tmp_path, main)


def test_data_is_kept_for_thirty_days_and_what_is_not_ours_for_ever(tmp_path: Path, shelf: Path) -> None:
    old, kept_still = (f"data-{TODAY - timedelta(days=days)}.db" for days in (KEPT_DAYS, KEPT_DAYS - 1))
    theirs = ["data-2020-13-45.db", "data-2020-01-01.db.gz", "old-data-2020-01-01.db", "keys.db.old", ".keys.db.new-1"]

    shelf.mkdir(mode=0o755)
    yesterday = f"data-{TODAY - timedelta(days=1)}.db"
    for name in (old, "data-2020-01-01.db", kept_still, yesterday, *theirs):
        (shelf / name).write_bytes(b"")
    (shelf / "data-2020-01-02.db").mkdir()
    (shelf / "data-2020-01-03.db").symlink_to(tmp_path / "porchlight.db")

    async def main(of: Office, kept: Reports) -> None:
        written = await backup_of(of).into(Folder(shelf))
        assert list(written.removed) == ["data-2020-01-01.db", old]

    with_line(tmp_path, main)
    stays = {DATA, KEYS, kept_still, yesterday, "data-2020-01-02.db", "data-2020-01-03.db", *theirs}
    assert {path.name for path in shelf.iterdir()} == stays
    assert stat.S_IMODE(shelf.stat().st_mode) == 0o755


def test_what_a_dead_one_left_goes_before_anything_is_written(tmp_path: Path, shelf: Path) -> None:
    """It may be a copy of keys, and it may be what fills the disk."""

    class Tidy(Folder):
        def draft(self, name: str) -> Path:
            assert left_behind not in self.names()
            return super().draft(name)

    left_behind = f".{KEYS}.new-0123456789abcdef"
    shelf.mkdir()
    (shelf / left_behind).write_bytes(b"")

    async def main(of: Office, kept: Reports) -> None:
        await backup_of(of).into(Tidy(shelf))

    with_line(tmp_path, main)
    assert sorted(content(shelf)) == [DATA, KEYS]


def test_the_keys_of_another_line_are_never_replaced(tmp_path: Path, shelf: Path) -> None:
    """A host is lost, a new one is set up in haste, and its first nightly backup goes where the old ones lie."""

    async def main(of: Office, kept: Reports) -> None:
        await backup_of(of).into(Folder(shelf))
        before = content(shelf)
        anew = Database(f"sqlite:///{tmp_path / 'anew.db'}")
        made = await found(anew)
        with pytest.raises(BackupFailed, match="keep it"):
            await Backup(anew, made.pin, VirtualClock(NOW)).into(Folder(shelf))
        await anew.close()
        assert content(shelf) == before
        (shelf / KEYS).write_bytes(b"my other keys")
        with pytest.raises(BackupFailed, match="another folder"):
            await backup_of(of).into(Folder(shelf))
        assert (shelf / KEYS).read_bytes() == b"my other keys"

    with_line(tmp_path, main)


def test_an_empty_or_foreign_database_replaces_nothing(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await backup_of(of).into(Folder(shelf))
        before = content(shelf)
        empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        await empty.migrate()
        for fill in (None, found):
            if fill:
                await fill(empty)
            with pytest.raises(NotSetUp):
                await backup_of(replace(of, database=empty)).into(Folder(shelf))
            assert content(shelf) == before
        await empty.close()
        with pytest.raises(StoreUnavailable):
            await backup_of(replace(of, database=Database(f"sqlite:///{tmp_path / 'no.db'}"))).into(Folder(shelf))
        assert content(shelf) == before

    with_line(tmp_path, main)


def test_a_line_without_keys_of_its_own_is_backed_up(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await of.database.write(lambda connection: connection.execute(delete(line_keys)).rowcount)
        await backup_of(of).into(Folder(shelf))
        assert sorted(content(shelf)) == [DATA, KEYS]

    with_line(tmp_path, main)


def test_two_at_once_do_not_meet(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        with Folder(shelf).claimed():
            draft = Folder(shelf).draft(KEYS)
            with pytest.raises(BackupFailed, match="another backup"):
                await backup_of(of).into(Folder(shelf))
            assert draft.exists()
        await backup_of(of).into(Folder(shelf))
        assert sorted(content(shelf)) == [DATA, KEYS]

    with_line(tmp_path, main)


# What may go wrong


class Struck(Folder):
    """A folder on which something goes wrong at the n-th thing that is done to the disk: once, or for good."""

    def __init__(self, path: Path, *, at: int, error: BaseException, for_good: bool) -> None:
        super().__init__(path)
        self._left = at
        self._error = error
        self._for_good = for_good
        self.was_struck = False

    def draft(self, name: str) -> Path:
        self._step()
        return super().draft(name)

    def rename(self, draft: Path, to: Path) -> None:
        self._step()
        super().rename(draft, to)

    def sync(self, path: Path) -> None:
        self._step()
        super().sync(path)

    def remove(self, name: str) -> None:
        self._step()
        super().remove(name)

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0 or (self.was_struck and self._for_good):
            self.was_struck = True
            raise self._error


class Killed(BaseException):
    """The process ends here: nothing that comes after happens."""


FULL = OSError(errno.ENOSPC, "No space left on device")
OLD = f"data-{TODAY - timedelta(days=KEPT_DAYS - 1)}.db"


def strokes(folder: Path, error: BaseException, *, for_good: bool) -> Iterator[Struck]:
    """The same folder, struck a step later each time, until a backup comes to its end."""
    for at in count(1):
        path = folder.parent / f"struck at {at}"
        shutil.copytree(folder, path)
        struck = Struck(path, at=at, error=error, for_good=for_good)
        yield struck
        if not struck.was_struck:
            assert at > 8
            return


async def before_and_after(of: Office, kept: Reports, shelf: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of this morning, with one that is to go tomorrow, and those of tomorrow. A report is withdrawn between
    them, another is made."""
    receipt = await save(kept, 1)
    await backup_of(of).into(Folder(shelf))
    (shelf / OLD).write_bytes(b"")
    before = content(shelf)
    await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(receipt)
    await save(kept, 2)
    shutil.copytree(shelf, shelf.parent / "tomorrow")
    await backup_of(of, days=1).into(Folder(shelf.parent / "tomorrow"))
    return before, content(shelf.parent / "tomorrow")


def is_sound(found: dict[str, bytes], before: dict[str, bytes], after: dict[str, bytes]) -> bool:
    """Each file is the old or the new one; new data only beside new keys, and old data goes only once both are new."""
    tomorrow = f"data-{TODAY + timedelta(days=1)}.db"
    stages = (
        before,
        before | {KEYS: after[KEYS]},
        before | {KEYS: after[KEYS], tomorrow: after[tomorrow]},
        after,
    )
    return found in stages


def test_killed_at_any_moment_it_leaves_whole_files_and_the_next_one_cleans_up(tmp_path: Path, shelf: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        before, after = await before_and_after(of, kept, shelf)
        left_behind = 0
        for folder in strokes(shelf, Killed(), for_good=True):
            try:
                await backup_of(of, days=1).into(folder)
            except Killed:
                drafts = {name for name in content(folder.path) if name.startswith(".")}
                left_behind += len(drafts)
                found = {name: file for name, file in content(folder.path).items() if name not in drafts}
                assert is_sound(found, before, after)
            await backup_of(of, days=1).into(Folder(folder.path))
            assert content(folder.path) == after
        assert left_behind > 4

    with_line(tmp_path, main)


@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_fails_at_any_moment_leaves_whole_files_and_is_told(
    tmp_path: Path, shelf: Path, for_good: bool
) -> None:
    async def main(of: Office, kept: Reports) -> None:
        before, after = await before_and_after(of, kept, shelf)
        for folder in strokes(shelf, FULL, for_good=for_good):
            try:
                await backup_of(of, days=1).into(folder)
                failed = False
            except BackupFailed as error:
                assert "No space left on device" in str(error)
                failed = True
            assert failed == folder.was_struck
            drafts = {name for name in content(folder.path) if name.startswith(".")}
            assert for_good or len(drafts) <= 1, "only what could not be removed"
            assert is_sound({name: f for name, f in content(folder.path).items() if name not in drafts}, before, after)
            await backup_of(of, days=1).into(Folder(folder.path))
            assert content(folder.path) == after

    with_line(tmp_path, main)
