"""What the tables promise by their shape: explained, coarse in time, small, and as the migrations make them."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Date, DateTime, Float, Integer, LargeBinary, MetaData, String, Table, text
from sqlalchemy.types import TypeEngine

from ivr.store import advocates, kinds, live
from ivr.store.database import Database, StoreUnavailable
from ivr.store.migrations import HEAD
from ivr.store.tables import REWRITTEN, claims, metadata, report_keys, reports
from tests.founded import Office, in_office

TABLES = list(metadata.tables.values())
BUDGET = 900
"""Bytes of a row of reports, so that it never leaves its page and storage order stays that of random ids."""


def undeclared(tables: Iterable[Table]) -> list[str]:
    said = [table for table in tables if {"lasting", "by_calls", "what", "kept"} <= table.info.keys()]
    silent = [column for table in tables for column in table.columns if not column.info.get("why")]
    return [table.name for table in tables if table not in said] + [str(column) for column in silent]


def finer_than_a_week(tables: Iterable[Table]) -> list[str]:
    """Columns that could hold a moment. Whole numbers are known by name: they are counts."""
    counts = {"reports.turn", "report_keys.nights_left", "tallies.count", "claims.nights"}
    columns = [column for table in tables if table.info.get("by_calls") for column in table.columns]
    return [
        str(column)
        for column in columns
        if not isinstance(column.type, String | LargeBinary) and str(column) not in counts
    ]


def test_every_table_and_column_says_what_it_is_for() -> None:
    assert undeclared([*TABLES, *live.live.tables.values()]) == []


def test_every_table_is_either_lasting_or_live() -> None:
    assert {table.info["lasting"] for table in TABLES} == {True}
    assert {table.info["lasting"] for table in live.live.tables.values()} == {False}
    assert not {table.name for table in TABLES} & set(live.live.tables)


def test_a_column_without_a_purpose_would_show() -> None:
    planted = Table("diary", MetaData(), Column("note", String()))
    assert undeclared([planted]) == ["diary", "diary.note"]


def test_nothing_a_call_writes_is_finer_than_a_week() -> None:
    assert finer_than_a_week([table for table in TABLES if table.info["lasting"]]) == []
    assert {table.name for table in TABLES if table.info["by_calls"]} == {"reports", "report_keys", "tallies", "claims"}


def test_whatever_calls_write_is_written_anew_each_night() -> None:
    assert {table.name for table in TABLES if table.info["by_calls"]} <= {table.name for table in REWRITTEN}


@pytest.mark.parametrize("kind", [DateTime(), Date(), Float(), Integer()])
def test_a_planted_moment_would_show(kind: TypeEngine[Any]) -> None:
    planted = Table("reports", MetaData(), Column("called_at", kind), info={"lasting": True, "by_calls": True})
    assert finer_than_a_week([planted]) == ["reports.called_at"]


def test_a_full_row_of_reports_stays_within_its_budget() -> None:
    def widest(column: Column[object]) -> int:
        length = getattr(column.type, "length", None) or 4
        return length + (2 if length > 57 else 1)  # SQLite's record header: one or two bytes a column

    assert sum(widest(column) for column in reports.columns) < BUDGET


def test_reports_their_keys_and_claims_lie_in_the_order_of_random_ids() -> None:
    for table in (reports, report_keys, claims):
        assert table.dialect_options["sqlite"]["with_rowid"] is False
        assert [str(column.type) for column in table.primary_key] == ["BLOB"]


def test_the_newest_migration_is_known_without_looking() -> None:
    config = Config()
    config.set_main_option("script_location", "ivr.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_of_another_version_is_named_and_not_touched(url: str) -> None:
    async def main() -> None:
        database = Database(url)
        await database.migrate()
        stamp = text("UPDATE alembic_version SET version_num = 'of tomorrow'")
        await database.write(lambda connection: connection.execute(stamp).rowcount)
        with pytest.raises(StoreUnavailable, match="another version of Porchlight"):
            await database.migrate()
        await database.close()

    asyncio.run(main())


def test_migrations_and_tables_agree(url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async def main() -> list[object]:
        database = Database(url)
        await database.migrate()
        found = await database.read(differences)
        await database.close()
        return found

    assert asyncio.run(main()) == []


def test_every_column_is_of_a_kind_that_is_checked() -> None:
    unchecked = [
        str(column) for table in TABLES for column in table.columns if type(column.type).__module__ != kinds.__name__
    ]
    assert unchecked == []


@pytest.mark.parametrize(
    ("column", "value", "read"),
    [
        ("name", b"bo", "\ufffd"),
        ("sealing_key", "text", b""),
        ("sealing_key", 7, b""),
        ("passes", "many", -1),
        ("passes", b"1", -1),
        ("passes", 1.5, -1),
    ],
)
def test_what_another_hand_wrote_as_another_kind_is_nothing_that_anybody_wrote(
    tmp_path: Path, column: str, value: object, read: object
) -> None:
    async def main(of: Office) -> None:
        planted = text(f"UPDATE advocates SET {column} = :value").bindparams(value=value)
        await of.database.write(lambda connection: connection.execute(planted))
        [row] = await of.database.read(advocates.all_advocates)
        assert getattr(row, column) == read

    in_office(tmp_path, main)


def test_text_that_is_none_is_read_too(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        planted = text("UPDATE advocates SET name = CAST(x'626fff' AS TEXT)")
        await of.database.write(lambda connection: connection.execute(planted))
        [row] = await of.database.read(advocates.all_advocates)
        assert row.name == "bo\ufffd"

    in_office(tmp_path, main)
