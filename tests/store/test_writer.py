"""SQLite's one writer: what waits is committed together, each caller hears of her own, and of nothing too early."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, text

from ivr.store import facts
from ivr.store.database import Database, StoreUnavailable
from ivr.store.tables import facts as table
from ivr.store.writer import MOST_AT_ONCE


@dataclass(slots=True)
class Disk:
    """The file, as another process sees it."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "line.db"

    def facts(self) -> set[str]:
        with closing(sqlite3.connect(self.file)) as looking:
            return {name for (name,) in looking.execute("SELECT name FROM facts")}

    def commits(self) -> int:
        """In the log since it was begun: frames of its salt that say how large the database then was."""
        log = self.file.with_name("line.db-wal").read_bytes()
        page_size, salt = int.from_bytes(log[8:12]), log[16:24]
        frames = [log[at : at + 24] for at in range(32, len(log), 24 + page_size)]
        return sum(frame[4:8] != bytes(4) for frame in frames if frame[8:16] == salt)


@dataclass(slots=True)
class Held:
    """A work that holds the writer's thread until it is let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _connection: Connection) -> None:
        self.begun.set()
        assert self.goes_on.wait(20)


def add(name: str, value: bytes = b"") -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        facts.add(connection, name, value=value)
        return name

    return work


@asynccontextmanager
async def holding(database: Database) -> AsyncIterator[Held]:
    """Everything that is written inside waits for the end of the block."""
    held = Held()
    holder = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.begun.wait, 20)
    try:
        yield held
        await asyncio.sleep(0)
    finally:
        held.goes_on.set()
    await holder


def with_database(folder: Path, main: Callable[[Database, Disk], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        database = Database(f"sqlite:///{folder / 'line.db'}")
        try:
            await database.migrate()
            await main(database, Disk(folder))
        finally:
            await database.close()

    asyncio.run(run())


def queued(database: Database, *works: Callable[[Connection], Any]) -> "list[asyncio.Task[Any]]":
    return [asyncio.create_task(database.write(work)) for work in works]


def test_what_waits_is_committed_at_once_up_to_a_bound(tmp_path: Path) -> None:
    async def main(database: Database, disk: Disk) -> None:
        before = disk.commits()
        async with holding(database):
            writes = queued(database, *(add(str(n)) for n in range(MOST_AT_ONCE + 44)))
        assert await asyncio.gather(*writes) == [str(n) for n in range(MOST_AT_ONCE + 44)]
        assert disk.commits() - before == 2  # what held the thread wrote nothing
        await database.write(add("alone"))
        assert disk.commits() - before == 3

    with_database(tmp_path, main)


def test_pieces_are_written_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    async def main(database: Database, disk: Disk) -> None:
        seen: list[int] = []

        def note(n: int) -> Callable[[Connection], None]:
            return lambda _connection: seen.append(n)

        async with holding(database):
            writes = queued(database, *(note(n) for n in range(40)))
        await asyncio.gather(*writes)
        assert seen == list(range(40))

    with_database(tmp_path, main)


def test_one_that_fails_is_undone_and_its_neighbours_are_written(tmp_path: Path) -> None:
    def trip(connection: Connection) -> None:
        facts.add(connection, "half", value=b"")
        raise RuntimeError("bo trips over the cable")

    async def main(database: Database, disk: Disk) -> None:
        async with holding(database):
            writes = queued(database, add("one"), trip, add("two"), add("one"), add("three"))
        one, tripped, two, doubled, three = await asyncio.gather(*writes, return_exceptions=True)
        assert (one, two, three) == ("one", "two", "three")
        assert isinstance(tripped, RuntimeError)
        assert isinstance(doubled, StoreUnavailable)
        assert disk.facts() == {"one", "two", "three"}

    with_database(tmp_path, main)


def test_nobody_hears_of_a_result_before_others_can_see_the_row(tmp_path: Path) -> None:
    async def main(database: Database, disk: Disk) -> None:
        async def is_seen(name: str) -> bool:
            return await database.write(add(name)) in disk.facts()

        assert all(await asyncio.gather(*(is_seen(str(n)) for n in range(50))))

    with_database(tmp_path, main)


def test_whoever_stops_waiting_disturbs_nobody(tmp_path: Path) -> None:
    async def main(database: Database, disk: Disk) -> None:
        async with holding(database):
            before, given_up, after = queued(database, add("before"), add("given up"), add("after"))
            await asyncio.sleep(0)
            given_up.cancel()
        assert [await before, await after] == ["before", "after"]
        assert given_up.cancelled()
        assert disk.facts() == {"before", "after"}

    with_database(tmp_path, main)


def test_what_had_begun_when_its_caller_gave_up_is_written_once(tmp_path: Path) -> None:
    runs: list[str] = []

    async def main(database: Database, disk: Disk) -> None:
        held = Held()

        def work(connection: Connection) -> None:
            runs.append("run")
            held(connection)
            facts.add(connection, "late", value=b"")

        [write] = queued(database, work)
        await asyncio.to_thread(held.begun.wait, 20)
        write.cancel()
        held.goes_on.set()
        await database.write(add("next"))
        assert disk.facts() == {"late", "next"}
        assert runs == ["run"]

    with_database(tmp_path, main)


def test_while_another_process_holds_the_lock_writing_fails_in_time_and_works_afterwards(tmp_path: Path) -> None:
    async def main(database: Database, disk: Disk) -> None:
        with closing(sqlite3.connect(disk.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with asyncio.timeout(60):  # an hour of waiting for the lock would end it
                refused = await asyncio.gather(*(database.write(add(str(n))) for n in range(5)), return_exceptions=True)
            assert {type(each) for each in refused} == {StoreUnavailable}
            assert await database.read(lambda connection: facts.find(connection, "0")) is None
            other.execute("ROLLBACK")
        assert await database.write(add("next")) == "next"
        assert disk.facts() == {"next"}

    with_database(tmp_path, main)


@pytest.mark.parametrize("size", [10, 3000, 20_000])
def test_on_a_full_disk_what_was_told_as_written_is_there_and_nothing_else(tmp_path: Path, size: int) -> None:
    async def main(database: Database, disk: Disk) -> None:
        pages = await database.write(lambda connection: connection.scalar(text("PRAGMA page_count")))
        await database.write(lambda connection: connection.scalar(text(f"PRAGMA max_page_count={pages + 10}")))
        told: set[str] = set()
        refused = 0
        for burst in range(80):
            async with holding(database):
                writes = queued(database, *(add(f"{burst} {n}", b"v" * (size + n)) for n in range(40)))
            results = await asyncio.gather(*writes, return_exceptions=True)
            assert {type(result) for result in results} <= {str, StoreUnavailable}
            told |= {result for result in results if isinstance(result, str)}
            refused += sum(isinstance(result, StoreUnavailable) for result in results)
            assert disk.facts() == told
        assert refused
        await database.write(lambda connection: connection.execute(delete(table)).rowcount)
        assert await database.write(add("room again")) == "room again"

    with_database(tmp_path, main)


def test_a_failure_that_took_the_transaction_with_it_leaves_no_statement_behind(tmp_path: Path) -> None:
    """Neither its neighbours nor a work that hides it believe that they were written, or hear why it failed."""

    def hides_it(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    def renames_it(connection: Connection) -> None:
        hides_it(connection)
        raise ValueError("ana, 555 0101")

    async def main(database: Database, disk: Disk) -> None:
        for lost, told in ((hides_it, StoreUnavailable), (renames_it, ValueError)):
            async with holding(database):
                writes = queued(database, add("before"), lost, add("after"))
            results = await asyncio.gather(*writes, return_exceptions=True)
            assert [type(result) for result in results] == [StoreUnavailable, told, StoreUnavailable]
            assert disk.facts() == set()

    with_database(tmp_path, main)


def test_closing_writes_what_is_queued_and_ends_every_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def main(database: Database, disk: Disk) -> None:
        async with holding(database):
            writes = queued(database, *(add(str(n)) for n in range(50)))
            await asyncio.sleep(0)
            closing_it = asyncio.create_task(database.close())
            await asyncio.sleep(0)
        await closing_it
        assert len(await asyncio.gather(*writes)) == 50
        assert len(disk.facts()) == 50
        assert not any(thread.name.startswith("store") for thread in set(threading.enumerate()) - before)

    with_database(tmp_path, main)


def test_a_database_that_is_never_used_starts_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    Database(f"sqlite:///{tmp_path / 'line.db'}")
    assert set(threading.enumerate()) == before


def test_writes_wait_for_one_that_is_alone_and_neither_waits_for_ever(tmp_path: Path) -> None:
    async def main(database: Database, disk: Disk) -> None:
        async with asyncio.timeout(20):
            works = [run(add(f"{n}")) for n, run in enumerate((database.write, database.alone) * 10)]
            await asyncio.gather(*works)
        assert len(disk.facts()) == 20

    with_database(tmp_path, main)
