"""Whoever can write to the database writes nothing else on somebody's terminal, and no formula into a spreadsheet."""

import csv
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
import typer
from sqlalchemy import String, Table

from ivr.cli.main import app
from ivr.store.tables import metadata
from tests.cli.test_calling import WHOLE_REPORT, ivr
from tests.cli.test_custody_commands import desk, given
from tests.oncall.test_timetable import is_formula

__all__ = ["desk"]

FORGED = "FORGED: nothing is wrong"
CLEARS = "\x1b[2J\x1b]0;title\x07\x9b31m"
NAMES = (f"=cmd()\u202e{CLEARS}\r\n{FORGED}\r", f"\t@bo\u2066\x7f\n{FORGED}\u2028{FORGED}\x00", "")

READS = (
    ("rota",),
    ("rota", "list"),
    ("rota", "outcomes"),
    ("rota", "outcomes", "--weeks"),
    ("rota", "export"),
    ("keys", "status"),
    ("reports", "list"),
    ("reports", "purge", "--dry-run"),
)
NAMED = (
    *(("rota", what) for what in ("on", "off")),
    ("rota", "add", "--every-day", "22:00-06:00"),
    *(("advocates", *what) for what in (("pin", "--print-secrets"), ("pin", "--remove"), ("set", "--languages", "es"))),
)
"""With the name behind it, as whoever sees it in a list would type it."""

SIGNED_IN = {"reports confirm", "reports done", "reports note", "reports export", "keys epochs"}
SIGNED_IN |= {"keys pin", "keys roll", "keys passphrase", "keys shares", "advocates add", "advocates remove"}
"""These open keys with a passphrase first, which no name survives that nobody signed."""
ELSEWHERE = {"check", "explain", "test", "call", "text", "init", "serve", "inventory", "checklist", "keys recover"}
ELSEWHERE |= {"reports withdraw", "rota remove", "rota ring", "rota import"}
"""They print nothing of the database but what the others do too: warnings, shifts, and names that were typed."""


def commands() -> Iterator[str]:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # of a group
        below = getattr(command, "commands", {})
        yield from [f"{name} {one}" for one in below] or [name]
        if getattr(command, "invoke_without_command", False):
            yield name


def hostile(text: str) -> list[str]:
    """What a terminal obeys, or would not show; and lines that are not ours."""
    found = [repr(one) for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")]
    return found + [line for line in text.splitlines() if line.lstrip("! ").startswith(FORGED)]


def words_of(table: Table) -> list[str]:
    """Its columns that hold text."""
    return [column.name for column in table.columns if isinstance(column.type, String)]


def plant(desk: Path, table: Table, value: str) -> int:
    """Every text of a table, as far as its rules allow."""
    with closing(sqlite3.connect(desk / "data" / "porchlight.db", isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        planted = 0
        for column in words_of(table):
            changed = database.execute(f'UPDATE OR IGNORE "{table.name}" SET "{column}" = ? || "{column}"', (value,))
            planted += changed.rowcount
        return planted


@pytest.fixture
def full(desk: Path) -> Path:
    """A line with something in most of its tables."""
    for name, number in (("bo", "+12125550143"), ("cy", "+12125550144")):
        code, said = ivr("advocates", "add", name, "--phone", number, "--answers-only", *given(desk, "ana"))
        assert code == 0, said
        assert ivr("rota", "add", name, "--every", "fri,sat", "22:00-06:00")[0] == 0
    assert ivr("rota", "off", "cy", "--for", "20")[0] == 0
    assert ivr("call", "--keys", WHOLE_REPORT["English"])[0] == 0
    with closing(sqlite3.connect(desk / "data" / "porchlight.db", isolation_level=None)) as database:
        database.execute("INSERT INTO tallies VALUES ('2027-W09', 'transfer', 'helped', 3)")
    return desk


def test_every_command_is_tried_or_excused() -> None:
    tried = {" ".join(words[:2]) if words[0] != "rota" or len(words) > 1 else "rota" for words in (*READS, *NAMED)}
    assert set(commands()) - SIGNED_IN - ELSEWHERE - {"reports read", "backup", "restore"} <= tried


@pytest.mark.parametrize("name", NAMES[:2])
def test_nothing_that_lies_in_the_database_moves_a_cursor_or_forges_a_line(full: Path, name: str) -> None:
    found, planted = [], 0
    copy = (full / "data" / "porchlight.db").read_bytes()
    for table in metadata.tables.values():
        (full / "data" / "porchlight.db").write_bytes(copy)
        changed = plant(full, table, name)
        planted += changed
        named = [(*words, f"{name}bo") for words in NAMED] if table.name == "people" else []
        if table.name in ("reports", "notes"):
            named = [("reports", "read", "--print-secrets", *given(full, "ana"))]
        copied = str(full / f"backup of {table.name}")
        backed_up = (("backup", copied), ("restore", copied, "--dry-run"))
        for words in (*READS, *named, *backed_up) if changed else ():
            if words[0] == "restore":
                (full / "data" / "porchlight.db").unlink()  # it is lost
            _, said = ivr(*words)
            found += [f"{table.name}, {' '.join(words[:3])}: {one}" for one in hostile(said)]
            if words == ("rota", "export") and said.startswith("name"):
                found += [cell for line in csv.reader(StringIO(said)) for cell in line if is_formula(cell)]
    assert found == []
    assert planted > 20


def test_mutant_a_name_that_is_printed_as_it_lies_there_is_seen() -> None:
    assert hostile(f"bo {NAMES[0]}")
    assert hostile(f"! {FORGED}")
    assert hostile("Bo answers.\nAnaïs too, in españöl.\n") == []


def test_a_spreadsheet_of_a_hostile_rota_goes_out_and_comes_back(full: Path) -> None:
    plant(full, metadata.tables["people"], NAMES[0])
    with closing(sqlite3.connect(full / "data" / "porchlight.db", isolation_level=None)) as database:
        database.execute("UPDATE people SET tier = 'on_call', zone = 'UTC', languages = 'en'")
    file = full / "shifts.csv"
    assert ivr("rota", "export", str(file))[0] == 0
    assert not [cell for line in csv.reader(StringIO(file.read_text("utf-8"))) for cell in line if is_formula(cell)]
    code, said = ivr("rota", "import", "--replace", str(file))
    assert (code, hostile(said)) == (0, []), said
    assert ivr("rota", "export")[1] == file.read_text("utf-8")
