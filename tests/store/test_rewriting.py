"""What was deleted is gone from the disk, and what stays lies there as if it had come all at once, in random order."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Select, Table, delete, select, text

from ivr.store import reports as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.tables import REWRITTEN, metadata, report_keys, reports
from tests.store.databases import KINDS, database_of
from tests.store.test_reports import A_ROW

Main = Callable[[Database], Coroutine[Any, Any, None]]


def with_database(url: str, main: Main) -> None:
    async def run() -> None:
        database = Database(url)
        try:
            await database.migrate()
            await main(database)
        finally:
            await database.close()

    asyncio.run(run())


async def keep(
    database: Database, report_id: bytes, *, turn: int = 3, body: bytes = b"b" * 640, key: bytes = b"k" * 80
) -> None:
    row = replace(A_ROW, id=report_id, turn=turn, body=body)
    await database.write(lambda connection: stored.upsert(connection, row, sealed_key=key))


async def keep_some(database: Database, count: int = 40) -> None:
    """Each in a transaction of its own, in an order that is not their keys', some of them more than once."""
    chance = Random(7)
    for _ in range(count):
        await keep(database, chance.randbytes(16))
    ids = [row.id for row in (await everything(database))["reports"]]
    for turn, report_id in enumerate(chance.sample(ids, count // 2), start=10):
        await keep(database, report_id, turn=turn, key=b"n" * 80)


async def everything(database: Database) -> dict[str, list[Any]]:
    def look(connection: Connection) -> dict[str, list[Any]]:
        return {table.name: list(connection.execute(by_key(table))) for table in metadata.sorted_tables}

    return await database.read(look)


def by_key(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key)


def bytes_on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rewriting_changes_no_row_and_leaves_the_database_as_it_was(url: str) -> None:
    async def main(database: Database) -> None:
        await keep_some(database)
        before = await everything(database)
        for _ in range(2):
            assert await database.rewrite(metadata.sorted_tables)
            assert await everything(database) == before
        await keep(database, b"n" * 16)
        assert len((await everything(database))["reports"]) == 41

    with_database(url, main)


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_postgresql_s_rows_lie_in_the_order_of_their_keys_and_came_all_at_once(tmp_path: Path) -> None:
    def placed(connection: Connection) -> dict[str, tuple[bool, int]]:
        """(is storage order key order, how many transactions wrote it) of both tables."""
        found = {}
        for table in (reports, report_keys):
            [key] = table.primary_key
            rows = connection.execute(text(f"SELECT {key.name}, xmin::text FROM {table.name} ORDER BY ctid")).all()
            keys = [bytes(row[0]) for row in rows]
            found[table.name] = (keys == sorted(keys), len({row[1] for row in rows}))
        return found

    async def main(database: Database) -> None:
        await keep_some(database)
        before = await database.read(placed)
        assert before["reports"] == (False, 40)
        await database.rewrite(REWRITTEN[::-1])
        assert await database.read(placed) == {"reports": (True, 1), "report_keys": (True, 1)}

    with database_of("postgresql", tmp_path) as url:
        with_database(url, main)


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_postgresql_gives_up_rewriting_while_somebody_reads_and_loses_nothing(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await keep_some(database, 5)
        before = await everything(database)
        reading = asyncio.Event()
        done = asyncio.Event()

        async def read_slowly() -> None:
            async with await psycopg.AsyncConnection.connect(url) as other:
                await other.execute("SELECT id FROM reports")
                reading.set()
                await done.wait()

        reader = asyncio.create_task(read_slowly())
        await reading.wait()
        with pytest.raises(StoreUnavailable, match="the server is busy"):
            await database.rewrite(REWRITTEN)
        done.set()
        await reader
        with pytest.raises(StoreUnavailable):
            await database.rewrite([reports])  # their keys refer to them
        assert await everything(database) == before
        assert await database.rewrite(REWRITTEN)

    with database_of("postgresql", tmp_path) as url:
        with_database(url, main)


def test_what_was_deleted_is_in_neither_file_nor_log_once_it_is_forgotten(tmp_path: Path) -> None:
    secret_key, secret_body = b"canary-of-the-sealed-key".ljust(80, b"."), b"canary-of-the-body".ljust(640, b".")

    async def main(database: Database) -> None:
        await keep_some(database)
        await keep(database, b"w" * 16, body=secret_body, key=secret_key)
        assert any(secret_key in content for content in bytes_on_disk(tmp_path).values())

        def withdraw(connection: Connection) -> int:
            return connection.execute(delete(reports).where(reports.c.id == b"w" * 16)).rowcount

        assert await database.write(withdraw) == 1
        assert any(secret_key in content for content in bytes_on_disk(tmp_path).values())  # the log still tells
        assert await database.forget_deleted()
        for name, content in bytes_on_disk(tmp_path).items():
            assert secret_key not in content, name
            assert secret_body not in content, name

    with database_of("sqlite", tmp_path) as url:
        with_database(url, main)


def test_while_somebody_reads_the_log_cannot_be_emptied_and_says_so(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        with closing(sqlite3.connect(tmp_path / "porchlight.db", isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM reports").fetchone()
            await keep_some(database, 4)
            assert not await database.forget_deleted()
            assert not await database.rewrite(REWRITTEN)
            await keep(database, b"n" * 16)
            other.execute("ROLLBACK")
        assert await database.forget_deleted()
        assert (tmp_path / "porchlight.db-wal").stat().st_size == 0
        assert len((await everything(database))["reports"]) == 5

    with database_of("sqlite", tmp_path) as url:
        with_database(url, main)


def test_a_file_that_somebody_writes_to_is_not_rewritten_now(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        with closing(sqlite3.connect(tmp_path / "porchlight.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await database.rewrite(REWRITTEN)
            other.execute("ROLLBACK")
        assert await database.rewrite(REWRITTEN)

    with database_of("sqlite", tmp_path) as url:
        with_database(url, main)


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_a_snapshot_that_began_before_a_rewriting_sees_every_row(tmp_path: Path) -> None:
    """A table that was rewritten in between would be empty to it: so it is refused meanwhile."""
    begun, refused = threading.Event(), threading.Event()

    def count_late(connection: Connection) -> int:
        begun.set()
        assert refused.wait(20)
        return len(connection.execute(select(reports)).all())

    async def main(database: Database) -> None:
        await keep_some(database, 4)
        other = Database(database_url)
        counting = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(counted(count_late))))
        await asyncio.to_thread(begun.wait, 20)
        with pytest.raises(StoreUnavailable):
            await other.rewrite(REWRITTEN)
        refused.set()
        assert await counting == 4
        assert await other.rewrite(REWRITTEN)
        await other.close()

    async def counted(work: Callable[[Connection], int]) -> int:
        database = Database(database_url)
        try:
            return await database.read(work, snapshot=True)
        finally:
            await database.close()

    with database_of("postgresql", tmp_path) as database_url:
        with_database(database_url, main)


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_postgresql_wipes_small_tables_unless_somebody_is_in_the_way_and_keeps_what_is_in_them(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await keep_some(database, 4)
        before = await everything(database)
        with psycopg.connect(url) as other:
            other.execute("SELECT count(*) FROM reports")
            assert not await database.forget_deleted(REWRITTEN)
        assert await database.forget_deleted(REWRITTEN)
        assert await database.forget_deleted(), "no table, nothing to do"
        assert await everything(database) == before
        await database.write(lambda connection: connection.execute(delete(reports)))
        assert await database.forget_deleted(REWRITTEN)
        with psycopg.connect(url) as other:
            assert other.execute("SELECT pg_relation_size('reports')").fetchone() == (0,)

    with database_of("postgresql", tmp_path) as url:
        with_database(url, main)
