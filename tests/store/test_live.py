"""Live rows: made where they are not, shared by two versions where that can be, and in no log of PostgreSQL's."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from ivr.store import live
from ivr.store.database import Database
from ivr.store.live import OfferRow, TransferRow
from tests.store.databases import KINDS, database_of

ROW = TransferRow(b"t" * 16, b"c" * 16, "room", "en", "ringing", None, 1_000, 1_000, 1_000)


def with_database(folder: Path, story: Callable[[Database], Coroutine[Any, Any, None]], kind: str = "sqlite") -> None:
    async def main(url: str) -> None:
        database = Database(url)
        try:
            await database.furnish(live.create)
            await story(database)
        finally:
            await database.close()

    with database_of(kind, folder) as url:
        asyncio.run(main(url))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_made_once_and_what_is_in_them_stays(tmp_path: Path, kind: str) -> None:
    async def story(database: Database) -> None:
        assert await database.write(lambda found: live.begin(found, ROW)) is True
        await database.furnish(live.create)
        assert await database.write(lambda found: live.begin(found, ROW)) is False
        assert await database.write(lambda found: live.transfer(found, ROW.id)) == ROW

    with_database(tmp_path, story, kind)


def altered(database: Database, *statements: str) -> Coroutine[Any, Any, object]:
    return database.write(lambda found: [found.execute(text(statement)) for statement in statements])


@pytest.mark.parametrize("kind", KINDS)
def test_two_versions_share_the_tables_and_calls_in_progress_go_on(tmp_path: Path, kind: str) -> None:
    """A later version has a column more, an earlier one a column and a table less."""

    async def story(database: Database) -> None:
        await database.write(lambda found: live.begin(found, ROW))
        await altered(
            database,
            "ALTER TABLE live_transfers ADD COLUMN mood VARCHAR(8)",
            "ALTER TABLE live_transfers DROP COLUMN taken_at",
            "DROP TABLE live_conversations",
        )
        await database.furnish(live.create)
        assert await database.write(lambda found: live.transfer(found, ROW.id)) == ROW
        other = replace(ROW, id=b"u" * 16, taken_at=2_000)
        await database.write(lambda found: live.begin(found, other))
        assert await database.write(lambda found: live.transfer(found, other.id)) == other
        columns = await database.read(lambda found: inspect(found).get_columns("live_transfers"))
        assert "mood" in {column["name"] for column in columns}
        assert await database.read(lambda found: inspect(found).has_table("live_conversations"))

    with_database(tmp_path, story, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "theirs",
    ["ALTER TABLE live_offers DROP COLUMN ends_at", "ALTER TABLE live_offers ADD COLUMN mood INTEGER NOT NULL"],
    ids=["a column less", "a column more"],
)
def test_where_a_row_of_one_version_is_none_for_the_other_the_tables_are_made_anew(
    tmp_path: Path, theirs: str, kind: str
) -> None:
    async def story(database: Database) -> None:
        await altered(database, theirs)
        await database.write(lambda found: live.begin(found, ROW))
        await database.furnish(live.create)
        assert await database.write(lambda found: live.transfer(found, ROW.id)) is None
        columns = await database.read(lambda found: {one["name"] for one in inspect(found).get_columns("live_offers")})
        assert columns == set(live.offers.columns.keys())

    with_database(tmp_path, story, kind)


NEVER_EMPTY = {
    "live_transfers": {"id", "caller", "room", "language", "state", "turn", "began_at", "polled_at"},
    "live_offers": {"id", "transfer", "person", "language", "state", "ends_at"},
    "live_staff_calls": {"id", "turn", "at"},
    "live_conversations": {"id", "claimed", "until"},
}


def test_a_new_column_may_be_empty_so_that_an_upgrade_ends_no_call() -> None:
    """The version before writes rows without it, while both run. Another table is no matter."""
    for name, columns in NEVER_EMPTY.items():
        found = {column.name for column in live.live.tables[name].columns if not column.nullable}
        assert found == columns, f"make what is new in {name} nullable, and let what is gone stay for a version"


@pytest.mark.skipif("postgresql" not in KINDS, reason="there is no PostgreSQL here")
def test_postgresql_keeps_them_out_of_its_log(tmp_path: Path) -> None:
    async def story(database: Database) -> None:
        persistence = text(
            "SELECT relname, relpersistence FROM pg_class WHERE relname IN ('live_transfers', 'live_offers') "
            "AND relnamespace = current_schema()::regnamespace"
        )
        found = await database.read(lambda connection: connection.execute(persistence).all())
        assert {tuple(row) for row in found} == {("live_transfers", "u"), ("live_offers", "u")}

    with_database(tmp_path, story, "postgresql")


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_offered_two_calls_at_once_and_the_offers_go_with_their_transfer(tmp_path: Path, kind: str) -> None:
    async def story(database: Database) -> None:
        other = TransferRow(b"u" * 16, b"d" * 16, "room", "en", "ringing", None, 1_000, 1_000, 1_000)
        first = OfferRow(b"1" * 16, ROW.id, b"bo", b"bo", "en", "reserved", 1_000, 5_000)
        second = OfferRow(b"2" * 16, other.id, b"bo", b"bo", "en", "reserved", 1_000, 5_000)

        def reserved(row: OfferRow) -> Callable[[Any], bool]:
            return lambda found: live.reserve(found, row)

        await database.write(lambda found: [live.begin(found, one) for one in (ROW, other)])
        assert [await database.write(reserved(one)) for one in (first, second, first)] == [True, False, False]
        await database.write(lambda found: live.change_offer(found, first.id, if_in=("reserved",), engaged=None))
        assert await database.write(reserved(second)) is True
        await database.write(lambda found: live.sweep(found, ended=0, asked=2_000, joined=0, ahead=9_000))
        assert await database.read(lambda found: live.offer(found, second.id)) is None

    with_database(tmp_path, story, kind)
