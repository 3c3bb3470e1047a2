"""The data inventory: whatever is kept says what it is for, and every file that a line makes stands in it."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlalchemy import Column, MetaData, String, Table

from ivr.cli import place
from ivr.cli.files import DATA_FOLDER, RUN_FOLDER
from ivr.cli.inventory import Sources, Unexplained, document
from ivr.cli.keys import ensure_demo
from ivr.cli.serving import _loopback_token, _take_up_reports
from ivr.kit.clock import SystemClock
from ivr.line.fields import FIELDS, Field, Use
from ivr.settings import Settings
from ivr.store.live import live
from ivr.vault.conversations import text_keys
from ivr.vault.receipts import seed_keys
from ivr.vault.tokens import token_keys
from tests.cli.test_calling import ivr
from tests.promises.house import house, initialised

SAID = {"lasting": True, "by_calls": False, "backup": "data", "what": "what happened", "kept": "for ever"}


LIVE = {"lasting": False, "by_calls": True, "what": "somebody who waits", "kept": "until ten minutes after its end"}


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an initialised database."""
    folder = tmp_path_factory.mktemp("blank")
    asyncio.run(initialised(folder))
    return folder


class Nosy(BaseModel):
    """Settings with one too many."""

    port: int = 8000
    """Where the line listens."""
    caller_log: str = ""


def planted(**said: str | bool) -> Table:
    return Table("diary", MetaData(), Column("note", String(), info={"why": "to remember"}), info={**SAID, **said})


def test_the_command_prints_it() -> None:
    assert ivr("inventory") == (0, document())


def test_every_table_column_setting_and_field_stands_in_it() -> None:
    told = document()
    of = Sources()
    for table in of.tables:
        assert f"### {table.name}\n" in told
        for column in table.columns:
            assert f"| `{column.name}` | {column.info['why'].split('|')[0]}" in told, str(column)
    for name in Settings.model_fields:
        assert f"`{'PORT' if name == 'port' else 'IVR_' + name.upper()}`" in told, name
    for name in (*of.log_fields, *(field.name for field in (*of.webhook_fields, *of.text_fields))):
        assert f"| `{name}` |" in told, name


@pytest.mark.parametrize(
    ("mutant", "named"),
    [
        pytest.param(
            Sources(tables=[Table("diary", MetaData(), Column("note", String()), info=SAID)]),
            "diary.note",
            id="a column without a purpose",
        ),
        pytest.param(Sources(tables=[planted(kept="")]), "diary", id="a table that is kept nobody knows how long"),
        pytest.param(Sources(tables=[planted(backup="")]), "diary", id="a table in no backup file"),
        pytest.param(
            Sources(tables=[Table("live_diary", MetaData(), Column("note", String()), info=LIVE)]),
            "live_diary.note",
            id="a live column without a purpose",
        ),
        pytest.param(
            Sources(tables=[planted(lasting=False, kept="")]), "diary", id="a live table that is kept somehow"
        ),
        pytest.param(
            Sources(tables=[Table("diary", MetaData(), Column("note", String(), info={"why": "x"}))]),
            "diary",
            id="a table that is neither live nor lasting",
        ),
        pytest.param(Sources(settings=Nosy), "caller_log", id="a setting without a docstring"),
        pytest.param(Sources(log_fields={"event": "what happened", "caller": " "}), "caller", id="a log field"),
        pytest.param(
            Sources(webhook_fields=[*FIELDS, Field("Accent", Use.PASSES, "")]), "Accent", id="a field of Plivo"
        ),
    ],
)
def test_mutant_whatever_has_no_purpose_is_no_entry_but_a_failure(mutant: Sources, named: str) -> None:
    with pytest.raises(Unexplained, match=named):
        document(mutant)


def test_the_same_with_a_purpose_is_an_entry() -> None:
    assert "### diary" in document(replace(Sources(), tables=[planted()]))


def undeclared(found: list[str]) -> list[str]:
    declared = [f"{folder}{kept.name}" for folder, entries in FOLDERS for kept in entries]
    return [name for name in found if not any(fnmatch(name, pattern) for pattern in declared)]


FOLDERS = (("", DATA_FOLDER), ("run/", RUN_FOLDER))


def files_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def test_every_file_that_a_line_makes_stands_in_it_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path))
    of = place.settings()

    async def served() -> list[str]:
        async with place.database(of) as database:
            await ensure_demo(of, database)
            _loopback_token(of)
            for ring in (token_keys(of.keys_dir), seed_keys(of.keys_dir), text_keys(of.keys_dir)):
                ring.prepare(SystemClock().now())
            (tmp_path / "spool.db").write_bytes(bytes(range(1, 256)))
            await _take_up_reports(of, database)
            async with place.reports(of, database), place.live(of):
                return files_in(tmp_path)

    found = asyncio.run(served())
    assert undeclared(found) == []
    for folder, entries in FOLDERS:
        for kept in entries:
            assert any(fnmatch(name, f"{folder}{kept.name}") for name in found), kept.name


def test_mutant_a_file_that_nobody_declared_is_seen() -> None:
    assert undeclared(["secret", "callers.txt", "run/token.81231"]) == ["callers.txt"]


def tables_in(folder: Path) -> set[str]:
    """Every table in every SQLite file under a folder."""
    found: set[str] = set()
    for path in folder.rglob("*.db"):
        with closing(sqlite3.connect(path)) as file:
            found |= {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return found - {"alembic_version"}


def test_every_table_that_a_line_makes_stands_in_it_and_the_live_ones_are_said_to_be_live(
    tmp_path: Path, blank: Path
) -> None:
    async def made() -> set[str]:
        async with house(tmp_path, blank=blank):
            return tables_in(tmp_path)

    found = asyncio.run(made())
    assert found == {table.name for table in Sources().tables}
    told = document()
    for table in live.tables.values():
        assert f"| `{table.name}` | {table.info['what']} | {table.info['kept']} | live, in no backup;" in told
    assert {name for name in found if name.startswith("live_")} == set(live.tables)


def test_mutant_a_live_table_that_nobody_declared_is_seen(tmp_path: Path, blank: Path) -> None:
    async def made() -> set[str]:
        async with house(tmp_path, blank=blank) as of:
            await of.parts.live.write(lambda connection: MEMORIES.create(connection))
            return tables_in(tmp_path)

    assert asyncio.run(made()) - {table.name for table in Sources().tables} == {"live_memories"}


MEMORIES = Table("live_memories", MetaData(), Column("caller", String()))
