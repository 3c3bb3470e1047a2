"""A database that is there, one that is not, and many processes that start at once."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from ivr.store import facts
from ivr.store.database import Database, StoreUnavailable


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def paint(connection: Connection) -> None:
    facts.add(connection, "colour", value=b"blue")


def colour(connection: Connection) -> bytes | None:
    return facts.find(connection, "colour")


async def tables(database: Database) -> set[str]:
    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    return await database.read(names)


def test_a_new_database_gets_its_tables(url: str) -> None:
    async def main() -> set[str]:
        async with opened(url) as database:
            return await tables(database)

    assert {"reports", "report_keys", "epochs", "advocates"} <= asyncio.run(main())


def test_what_was_written_survives_a_restart_and_a_second_migration(url: str) -> None:
    async def write() -> None:
        async with opened(url) as database:
            await database.write(paint)

    async def read() -> bytes | None:
        async with opened(url) as database:
            return await database.read(colour)

    asyncio.run(write())
    assert asyncio.run(read()) == b"blue"


def test_many_that_start_at_once_migrate_once(url: str) -> None:
    def start(_number: int) -> set[str]:
        async def main() -> set[str]:
            async with opened(url) as database:
                return await tables(database)

        return asyncio.run(main())

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(start, range(8)))
    assert all("reports" in each for each in seen)


def test_a_transaction_that_fails_leaves_nothing(url: str) -> None:
    def trip(connection: Connection) -> None:
        paint(connection)
        raise RuntimeError("bo trips over the cable")

    async def main() -> bytes | None:
        async with opened(url) as database:
            for run in (database.write, database.alone):
                with pytest.raises(RuntimeError, match="bo trips"):
                    await run(trip)
            return await database.read(colour)

    assert asyncio.run(main()) is None


def test_a_refused_statement_shows_no_value(url: str) -> None:
    def paint_twice(connection: Connection) -> None:
        for _ in range(2):
            facts.add(connection, "colour", value=b"canary-5550101")

    async def main() -> StoreUnavailable:
        async with opened(url) as database:
            with pytest.raises(StoreUnavailable) as caught:
                await database.write(paint_twice)
            return caught.value

    refused = asyncio.run(main())
    assert isinstance(refused.__cause__, IntegrityError)
    assert "IntegrityError" in str(refused)
    assert "canary" not in f"{refused} {refused.__cause__}"


def test_writers_of_two_processes_take_turns(url: str) -> None:
    """Two databases on one URL stand for two processes; each reads and then writes, and none is lost."""

    def add_one(connection: Connection) -> None:
        found = facts.find(connection, "count")
        if found is None:
            facts.add(connection, "count", value=b"\x01")
            return
        statement = text("UPDATE facts SET value = :value WHERE name = 'count'")
        connection.execute(statement, {"value": bytes([found[0] + 1])})

    async def main() -> bytes | None:
        async with opened(url) as one, opened(url) as other:
            await asyncio.gather(*(database.alone(add_one) for database in (one, other) * 5))
            return await one.read(lambda connection: facts.find(connection, "count"))

    assert asyncio.run(main()) == b"\x0a"


def test_sqlite_is_set_to_keep_what_it_says_it_kept_and_to_wipe_what_it_deletes(tmp_path: Path) -> None:
    def pragmas(connection: Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "busy_timeout")
        return {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in names}

    async def main() -> list[dict[str, object]]:
        async with opened(f"sqlite:///{tmp_path / 'line.db'}") as database:
            return [await run(pragmas) for run in (database.write, database.alone, database.read)]

    full, on = 2, 1
    assert (
        asyncio.run(main())
        == [
            {
                "journal_mode": "wal",
                "synchronous": full,
                "secure_delete": on,
                "foreign_keys": on,
                "busy_timeout": 1000,
            }
        ]
        * 3
    )


def test_the_file_is_this_user_s_alone(tmp_path: Path) -> None:
    async def main() -> list[int]:
        async with opened(f"sqlite:///{tmp_path / 'data' / 'line.db'}") as database:
            await database.write(paint)
            return [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()]

    assert set(asyncio.run(main())) == {0o600}


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("sqlite:////proc/nowhere/line.db", "its directory exists"),
        ("postgresql://ana:geheim@127.0.0.1:1/line", "PostgreSQL runs"),
    ],
)
def test_a_database_that_is_not_there_is_named_with_its_cure(url: str, cure: str) -> None:
    async def main() -> None:
        async with opened(url):
            raise AssertionError("there is none")

    with pytest.raises(StoreUnavailable, match=cure) as caught:
        asyncio.run(main())
    assert "IVR_DATABASE_URL" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_no_password_is_named_with_it() -> None:
    async def main() -> None:
        database = Database("postgresql://127.0.0.1:1/test?user=u&password=hunter2")
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/test cannot be used") as told:
            await database.read(colour)
        assert "hunter2" not in str(told.value)
        await database.close()

    asyncio.run(main())


def test_only_a_migration_makes_a_database(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(f"sqlite:///{tmp_path / 'line.db'}")
        with pytest.raises(StoreUnavailable, match="FileNotFoundError"):
            await database.read(colour)
        with pytest.raises(StoreUnavailable, match="FileNotFoundError"):
            await database.write(paint)
        await database.close()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mysql://ana@host/line", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_be_meant_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="write IVR_DATABASE_URL as"):
        Database(url)


def test_what_only_reads_cannot_write(url: str) -> None:
    async def main() -> bytes | None:
        async with opened(url) as database:
            for snapshot in (False, True):
                with pytest.raises(StoreUnavailable):
                    await database.read(paint, snapshot=snapshot)
            await database.write(paint)
            return await database.read(colour, snapshot=True)

    assert asyncio.run(main()) == b"blue"


def test_a_snapshot_sees_one_moment_while_others_write(url: str) -> None:
    looked, written = threading.Event(), threading.Event()

    def look_twice(connection: Connection) -> tuple[bytes | None, bytes | None]:
        before = colour(connection)
        looked.set()
        assert written.wait(20)
        return before, colour(connection)

    def in_the_meantime() -> None:
        async def main() -> None:
            async with opened(url) as database:
                await database.write(paint)

        assert looked.wait(20)
        asyncio.run(main())
        written.set()

    async def main() -> tuple[bytes | None, bytes | None]:
        async with opened(url) as database:
            other = asyncio.create_task(asyncio.to_thread(in_the_meantime))
            seen = await database.read(look_twice, snapshot=True)
            await other
            return seen

    assert asyncio.run(main()) == (None, None)


def test_a_database_that_was_closed_is_unavailable_and_closing_it_again_does_no_harm(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(f"sqlite:///{tmp_path / 'line.db'}") as database:
            await database.close()
            for run in (database.read, database.write, database.alone):
                with pytest.raises(StoreUnavailable, match="DatabaseClosed"):
                    await run(colour)

    asyncio.run(main())


def test_a_settled_database_has_its_log_in_its_file_and_times_of_now_while_somebody_reads_and_writes(
    tmp_path: Path,
) -> None:
    """The writer waits for none of it: a tenth of a second, at every thousandth page, was some caller's."""
    file = tmp_path / "line.db"

    async def main() -> None:
        async with opened(f"sqlite:///{file}") as database:
            await database.write(lambda connection: facts.add(connection, "shape", value=b"round" * 9000))
            assert b"roundround" not in file.read_bytes()
            os.utime(file, (1_000_000_000, 1_000_000_000))
            await asyncio.gather(database.read(colour), database.settle(), database.write(paint))
            assert b"roundround" in file.read_bytes()
            assert file.stat().st_mtime > 1_700_000_000

    asyncio.run(main())
