"""`ivr backup`: two files, one sentence each about what was written and what to mind, and a cure for whatever fails."""

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.kit.clock import SystemClock
from ivr.services.backup import KEYS
from ivr.services.spool import Spool
from ivr.store import reports as stored
from ivr.store.database import Database
from ivr.store.folder import Folder
from tests.cli.test_calling import WHOLE_REPORT, ivr
from tests.cli.test_keeping import PASSPHRASE
from tests.cli.test_serving import IVR, environment
from tests.shipped import ROOT


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return tmp_path / "data"


@pytest.fixture
def founded(data: Path, tmp_path: Path) -> Path:
    code, said = ivr("init", "--passphrase-file", str(tmp_path / "passphrase"), "--print-secrets")
    assert code == 0, said
    return data


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "mounted" / "shelf"


def report() -> None:
    assert ivr("call", "--keys", WHOLE_REPORT["English"])[0] == 0


def backup(shelf: Path) -> tuple[int, str]:
    """On one line, however wide the terminal is."""
    code, said = ivr("backup", str(shelf))
    return code, " ".join(said.split())


def names(shelf: Path) -> list[str]:
    return sorted(path.name for path in shelf.iterdir())


def rows(shelf: Path, name: str) -> int:
    [file] = [path for path in shelf.iterdir() if path.name.startswith(name)]
    with closing(sqlite3.connect(file)) as looking:
        [count] = looking.execute(f"SELECT count(*) FROM {'reports' if name == 'data' else 'report_keys'}").fetchone()
        return int(count)


def test_it_says_what_it_wrote_and_what_to_mind(founded: Path, shelf: Path) -> None:
    days = {str(SystemClock().now().date())}
    report()
    code, said = backup(shelf)
    days.add(str(SystemClock().now().date()))
    keys, made = names(shelf)[1], names(shelf)[0]
    assert (keys, code) == (KEYS, 0)
    assert made in {f"data-{day}.db" for day in days}
    assert said == (
        f"Wrote {made} (1 report) and keys.db into {shelf}. "
        "Keep keys.db in one place only: a copy of it that is kept defeats forgetting."
    )
    report()
    yesterday = SystemClock().now().date() - timedelta(days=1)
    for old in ("data-2020-02-28.db", "data-2020-02-29.db", f"data-{yesterday}.db"):
        (shelf / old).write_bytes(b"")
    assert f"(2 reports) and keys.db into {shelf}. Removed 2 older ones. Keep" in backup(shelf)[1]
    (shelf / "data-2020-02-28.db").write_bytes(b"")
    assert "Removed 1 older one. Keep" in backup(shelf)[1]


def test_what_waits_in_the_spool_is_in_it(founded: Path, shelf: Path) -> None:
    report()

    async def into_the_spool() -> None:
        home, spool = (Database(f"sqlite:///{founded / name}") for name in ("porchlight.db", "spool.db"))
        [row] = await home.read(stored.page)
        key = await home.read(lambda connection: stored.sealed_key(connection, row.id))
        assert key is not None
        await home.write(lambda connection: stored.remove(connection, [row.id]))
        await Spool(spool).put(row, key)
        await home.close()
        await spool.close()

    asyncio.run(into_the_spool())
    assert "(1 report)" in backup(shelf)[1]
    assert rows(shelf, "data") == rows(shelf, "keys") == 1


def test_it_works_where_the_line_s_own_keys_are_lost(founded: Path, shelf: Path) -> None:
    report()
    (founded / "secret").write_text("another secret, of another line")
    code, said = backup(shelf)
    assert code == 0
    assert "! the line's keys were made under another IVR_SECRET" in said
    assert "(1 report)" in said
    (founded / "secret").unlink()
    assert backup(shelf)[0] == 0
    assert rows(shelf, "data") == rows(shelf, "keys") == 1


def test_without_keys_there_is_nothing_to_back_up(
    founded: Path, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in a new folder nor in one that somebody misspelt, though the organisation's key is in the settings."""
    report()
    backup(shelf)
    before = (shelf / KEYS).read_bytes()
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "dta"))
    for key in ("", (founded / "organisation-key").read_text()):
        monkeypatch.setenv("IVR_ORGANISATION_KEY", key.strip())
        code, said = backup(shelf)
        assert (code, "ivr init" in said) == (2, True)
    assert (shelf / KEYS).read_bytes() == before


def test_a_folder_that_cannot_be_written_into_is_told(founded: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "shelf", Path("/proc/shelf")):
        code, said = backup(place)
        assert code == 2
        assert f"The backup cannot be written into {place} (" in said
        assert "name another folder" in said


def test_a_disk_that_is_full_is_told_and_the_former_files_stay(founded: Path, shelf: Path) -> None:
    """A limit on the size of files stands for the disk."""
    for _ in range(2):
        report()
    backup(shelf)
    before = {name: (shelf / name).read_bytes() for name in names(shelf)}
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 64 && exec "$0" "$@"', IVR, "backup", shelf],
        cwd=ROOT,
        env=environment(founded),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stdout
    assert "see that this user may write there and that there is room" in done.stderr
    assert str(shelf) in done.stderr
    assert "Traceback" not in done.stderr
    assert {name: (shelf / name).read_bytes() for name in names(shelf)} == before


def test_a_database_that_is_away_is_told(founded: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/line")
    code, said = backup(shelf)
    assert code == 2
    assert "PostgreSQL runs" in said
    assert not shelf.exists()


def test_the_data_folder_is_no_place_for_it(founded: Path) -> None:
    code, said = backup(founded / "run" / "..")
    assert (code, "another disk" in said) == (2, True)
    assert not (founded / KEYS).exists()


def test_while_another_one_runs_it_says_so(founded: Path, shelf: Path) -> None:
    with Folder(shelf).claimed():
        code, said = backup(shelf)
    assert (code, "wait until it has ended" in said) == (2, True)
