"""A file that SQLite says is not whole goes out of the way, and no other does; nothing is ever deleted."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ivr.store.aside import set_aside
from ivr.store.database import Database, FileDamaged, StoreUnavailable
from ivr.store.failures import Reason
from ivr.store.folder import Folder

NOISE = bytes(range(1, 256)) * 800
PAGE = 4096


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A whole database, with tables."""
    asyncio.run(migrated(tmp_path / "line.db"))
    return tmp_path / "line.db"


async def migrated(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    await database.close()


def noise(file: Path) -> None:
    file.write_bytes(NOISE)


def noise_behind_the_first_page(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:PAGE] + NOISE[: len(whole) - PAGE])


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 2 * PAGE])


DAMAGE = (noise, noise_behind_the_first_page, cut_short)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_is_not_whole_is_told_apart_and_kept_beside_a_new_one(
    file: Path, damage: Callable[[Path], None]
) -> None:
    damage(file)
    before = file.read_bytes()

    async def main() -> Path | None:
        database = Database(f"sqlite:///{file}", cures={Reason.DAMAGED: "a cure of its own"})
        with pytest.raises(FileDamaged, match=r"line\.db cannot be used .*: a cure of its own"):
            await database.migrate()
        await database.close()
        database = Database(f"sqlite:///{file}")
        aside = await database.set_aside()
        await database.migrate()
        assert await database.set_aside() is None
        await database.close()
        return aside

    aside = asyncio.run(main())
    assert aside == file.with_name("line.db.damaged-1")
    assert aside.read_bytes() == before


def test_its_log_goes_with_it_and_what_was_set_aside_before_stays(file: Path) -> None:
    """Somebody still has it open: her log must not be taken for the new file's, nor the new file's for hers."""
    logs = ("", "-shm", "-wal")
    for n in (1, 2):
        asyncio.run(migrated(file))
        noise_behind_the_first_page(file)
        with closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA schema_version").fetchone()
            assert set_aside(file) == file.with_name(f"line.db.damaged-{n}")
            assert {path.name for path in file.parent.iterdir()} >= {f"line.db.damaged-{n}{log}" for log in logs}
            asyncio.run(migrated(file))
            with closing(sqlite3.connect(file, isolation_level=None)) as new:
                new.execute("INSERT INTO facts VALUES ('colour', 'red')")
                other.close()
                assert file.with_name("line.db-wal").exists()
        assert set_aside(file) is None
        file.unlink()
    assert file.with_name("line.db.damaged-1").is_file()


def test_a_file_that_is_whole_locked_or_not_there_stays_as_it_is(file: Path, tmp_path: Path) -> None:
    assert set_aside(file) is None
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert set_aside(file) is None
    assert set_aside(tmp_path / "no.db") is None
    assert file.is_file()


def test_two_at_once_do_not_meet(file: Path) -> None:
    noise(file)

    async def main() -> None:
        database = Database(f"sqlite:///{file}")
        with Folder(file.parent).claimed():
            assert await database.set_aside() is None
        await database.close()

    asyncio.run(main())
    assert file.read_bytes() == NOISE


def test_a_disk_that_takes_nothing_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise(file)

    def fails(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(Folder, "rename", fails)

    async def main() -> None:
        database = Database(f"sqlite:///{file}")
        with pytest.raises(StoreUnavailable):
            await database.set_aside()
        await database.close()

    asyncio.run(main())
    assert file.read_bytes() == NOISE
