"""A restore brings back what opens, into an empty database or not at all; halves that do not belong together are told
apart."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select

from ivr.kit.clock import VirtualClock
from ivr.services.backup import KEYS
from ivr.services.custody import members
from ivr.services.receipts import Receipts
from ivr.services.restore import Restored, RestoreFailed, find, restore, try_out
from ivr.services.retention import Night
from ivr.store import facts
from ivr.store.database import Database, StoreUnavailable
from ivr.store.folder import Folder
from ivr.store.tables import contributions, jobs, metadata
from ivr.vault.advocates import Role
from ivr.vault.host import HostKey
from tests.founded import CHEAP, NOW, PASSPHRASE, Office, in_office
from tests.services.test_backup import DATA, TODAY, backup_of, save
from tests.shipped import flow
from tests.store.databases import KINDS, database_of
from tests.store.test_migrations import ROTA, made

LATER = timedelta(days=1)
NEXT = f"data-{TODAY + LATER}.db"

Main = Callable[[Office, Path], Coroutine[Any, Any, None]]


def with_backup(folder: Path, main: Main) -> None:
    """A line with two reports, backed up into `shelf`."""

    async def run(of: Office) -> None:
        kept = of.reports()
        for caller in (1, 2):
            await save(kept, caller)
        await backup_of(of).into(Folder(folder / "shelf"))
        await main(of, folder / "shelf")
        await kept.close()

    in_office(folder, run)


async def restored(shelf: Path, of: Office, url: str = "", *, name: str | None = None) -> Restored:
    database = Database(url or f"sqlite:///{shelf.parent / 'new' / 'porchlight.db'}")
    try:
        return await restore(database, find(shelf, name), pin=of.pin, host=of.host)
    finally:
        await database.close()


async def rows_in(url: str) -> dict[str, int]:
    database = Database(url)

    def count(connection: Connection) -> dict[str, int]:
        every = metadata.sorted_tables
        return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in every}

    try:
        await database.migrate()
        return await database.read(count)
    finally:
        await database.close()


def files_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as other:
        for statement in statements:
            other.execute(statement)
        other.commit()


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_comes_back_on_either_database(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, shelf: Path) -> None:
        with database_of(kind, tmp_path / "new") as url:
            done = await restored(shelf, of, url)
            assert await rows_in(url) == await rows_in(f"sqlite:///{tmp_path / 'porchlight.db'}")
        assert (done.reports, done.withdrawn, done.line) == ({"2026-11": 2}, 0, "")
        assert [member.name for member in done.members] == ["ana"]
        assert done.months == ("2026-11", "2026-12", "2027-01", "2027-02")

    (tmp_path / "new").mkdir()
    with_backup(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_a_database_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, shelf: Path) -> None:
        with database_of(kind, tmp_path / "new") as url:
            other = Database(url)
            await other.migrate()
            await other.write(lambda connection: facts.add(connection, "colour", value=b"blue"))
            before = await rows_in(url)
            for work in (restore, try_out):
                with pytest.raises(RestoreFailed, match=r"something in this database already .in the table facts"):
                    await work(other, find(shelf), pin=of.pin, host=of.host)
            await other.close()
            assert await rows_in(url) == before

    (tmp_path / "new").mkdir()
    with_backup(tmp_path, main)


def test_tables_of_somebody_else_are_something_too(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        (tmp_path / "new").mkdir()
        execute(tmp_path / "new" / "porchlight.db", "CREATE TABLE diary (day)", "INSERT INTO diary VALUES (1)")
        with pytest.raises(RestoreFailed, match="diary"):
            await restored(shelf, of)

    with_backup(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_dies_half_way_leaves_an_empty_database_and_can_be_repeated(tmp_path: Path, kind: str) -> None:
    """Its last table does not fit: everything before it was written already."""

    async def main(of: Office, shelf: Path) -> None:
        keys = (shelf / KEYS).read_bytes()
        execute(
            shelf / KEYS,
            "PRAGMA foreign_keys=OFF",
            "ALTER TABLE tallies RENAME COLUMN count TO number",
            "INSERT INTO tallies VALUES ('2026-W47', 'transfer', 'helped', 1)",
        )
        with database_of(kind, tmp_path / "new") as url:
            with pytest.raises((RestoreFailed, StoreUnavailable)):
                await restored(shelf, of, url)
            assert set((await rows_in(url)).values()) == {0}
            (shelf / KEYS).write_bytes(keys)
            assert sum((await restored(shelf, of, url)).reports.values()) == 2

    (tmp_path / "new").mkdir()
    with_backup(tmp_path, main)


def test_a_dry_run_says_the_same_and_makes_nothing(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        before = files_in(tmp_path)
        told = await try_out(None, find(shelf), pin=of.pin, host=of.host)
        assert files_in(tmp_path) == before
        assert told == await restored(shelf, of)

    with_backup(tmp_path, main)


# Halves of two days


def test_an_older_data_half_brings_no_report_back_that_was_withdrawn_since(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        receipt = await save(of.reports(), 3)
        await backup_of(of).into(Folder(shelf))
        await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(receipt)
        await save(of.reports(), 4)
        await backup_of(of, days=1).into(Folder(shelf))
        done = await restored(shelf, of, name=DATA)
        assert done.halves.is_data_older
        assert (done.reports, done.withdrawn) == ({"2026-11": 2}, 0)
        assert (done.left.without_key, done.left.without_body) == (1, 1)
        newest = await restored(shelf, of, f"sqlite:///{tmp_path / 'newest.db'}")
        assert (newest.reports, newest.withdrawn, newest.left.without_key) == ({"2026-11": 3}, 1, 0)

    with_backup(tmp_path, main)


def test_keys_that_are_older_are_refused_unless_the_data_file_is_named(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        shutil.copy(shelf / KEYS, tmp_path / "hoarded")
        await save(of.reports(), 3)
        await backup_of(of, days=1).into(Folder(shelf))
        shutil.copy(tmp_path / "hoarded", shelf / KEYS)
        with pytest.raises(RestoreFailed, match=rf"keys.db is older than {NEXT}.*--data {DATA}.*--data {NEXT}"):
            find(shelf)
        named = await restored(shelf, of, name=NEXT)
        assert named.halves.are_keys_older
        assert (named.reports, named.left.without_key) == ({"2026-11": 2}, 1)
        fitting = await restored(shelf, of, f"sqlite:///{tmp_path / 'fitting.db'}", name=DATA)
        assert (fitting.reports, fitting.left.without_key) == ({"2026-11": 2}, 0)

    with_backup(tmp_path, main)


def test_older_keys_bring_nothing_back_of_a_report_that_is_withdrawn_in_the_data(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        receipt = await save(of.reports(), 3)

        def derive(connection: Connection) -> None:
            row = {
                "handle": b"h" * 16,
                "kind": "warning",
                "grade": "warn_others",
                "payload": b"",
                "until": "2027-01-01",
            }
            connection.execute(insert(contributions).values(row))

        await of.database.write(derive)
        await backup_of(of).into(Folder(shelf))
        shutil.copy(shelf / KEYS, tmp_path / "hoarded")
        await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(receipt)
        await backup_of(of, days=1).into(Folder(shelf))
        shutil.copy(tmp_path / "hoarded", shelf / KEYS)
        done = await restored(shelf, of, name=NEXT)
        assert (done.reports, done.withdrawn) == ({"2026-11": 2}, 1)
        counted = await rows_in(f"sqlite:///{tmp_path / 'new' / 'porchlight.db'}")
        assert (counted["report_keys"], counted["contributions"]) == (2, 0)

    with_backup(tmp_path, main)


def test_months_are_those_of_the_keys_so_that_new_reports_open_to_somebody(tmp_path: Path) -> None:
    """Months to come are made anew where somebody is removed: those of an older data file would open to nobody."""

    async def main(of: Office, shelf: Path) -> None:
        lead = await of.session()
        await members.add(of.database, lead, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        await backup_of(of).into(Folder(shelf))
        await members.remove(of.database, lead, name="bo", now=NOW)
        await backup_of(of, days=1).into(Folder(shelf))
        done = await restored(shelf, of, name=DATA)
        assert {member.name: member.epochs for member in done.members} == {"ana": 4, "bo": 0}
        database = Database(f"sqlite:///{tmp_path / 'new' / 'porchlight.db'}")
        again = replace(of, database=database)
        assert len((await again.session("ana")).epoch_keys) == 4
        await database.close()

    with_backup(tmp_path, main)


def test_nights_are_counted_as_the_keys_count_them(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        clock = VirtualClock(NOW + LATER)
        await Night(of.database, of.host, of.pin, flow(), clock).work_if_due()
        await backup_of(of, days=1).into(Folder(shelf))
        await restored(shelf, of, name=DATA)
        database = Database(f"sqlite:///{tmp_path / 'new' / 'porchlight.db'}")
        ran = await database.read(lambda connection: connection.execute(select(jobs.c.ran_on)).scalars().all())
        await database.close()
        assert set(ran) == {(NOW + LATER).date().isoformat()}

    with_backup(tmp_path, main)


# Files that are not what they should be


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda shelf: (shelf / KEYS).unlink(), r"keys.db is missing, and without it", id="no keys"),
        pytest.param(lambda shelf: (shelf / DATA).unlink(), r"no file data-YYYY-MM-DD.db", id="no data"),
        pytest.param(lambda shelf: cut(shelf / DATA), rf"{DATA} is damaged.*put another copy", id="data cut short"),
        pytest.param(lambda shelf: cut(shelf / KEYS), r"keys.db is damaged.*newest keys.db", id="keys cut short"),
        pytest.param(lambda shelf: (shelf / DATA).write_bytes(b"x"), "no SQLite file, or it is damaged", id="noise"),
        pytest.param(lambda shelf: shutil.copy(shelf / KEYS, shelf / DATA), "is not the data half", id="keys as data"),
        pytest.param(lambda shelf: shutil.copy(shelf / DATA, shelf / KEYS), "is not the keys half", id="data as keys"),
        pytest.param(
            lambda shelf: execute(shelf / DATA, "UPDATE alembic_version SET version_num = '99'"),
            "newer version of Porchlight .99; this one knows .*use that version",
            id="a newer version",
        ),
        pytest.param(
            lambda shelf: execute(shelf / KEYS, "PRAGMA application_id=7"), "two different organisations", id="mixed"
        ),
    ],
)
def test_what_nothing_can_be_restored_from_is_told_with_its_cure(
    tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    async def main(of: Office, shelf: Path) -> None:
        spoil(shelf)
        with pytest.raises(RestoreFailed, match=told):
            find(shelf)

    with_backup(tmp_path, main)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 4096 * 3])


def test_a_damaged_data_file_names_the_one_before_it(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        await backup_of(of, days=1).into(Folder(shelf))
        cut(shelf / NEXT)
        with pytest.raises(RestoreFailed, match=f"--data {DATA}"):
            find(shelf)
        with pytest.raises(RestoreFailed, match=f"has no data file data-2020.*there are {DATA}, {NEXT}"):
            find(shelf, "data-2020-01-01.db")

    with_backup(tmp_path, main)


def test_the_backup_of_another_organisation_is_refused_also_where_it_only_claims_to_be_this_one_s(
    tmp_path: Path,
) -> None:
    async def main(of: Office, shelf: Path) -> None:
        other = type(of.pin)(bytes(reversed(of.pin)))
        database = Database(f"sqlite:///{tmp_path / 'new.db'}")
        with pytest.raises(RestoreFailed, match="another organisation than IVR_ORGANISATION_KEY"):
            await restore(database, find(shelf), pin=other, host=of.host)
        mark = int.from_bytes(other[:4]) >> 1
        for name in (DATA, KEYS):
            execute(shelf / name, f"PRAGMA application_id={mark}")
        with pytest.raises(RestoreFailed, match="not this organisation's"):
            await restore(database, find(shelf), pin=other, host=of.host)
        await database.close()
        assert set((await rows_in(f"sqlite:///{tmp_path / 'new.db'}")).values()) == {0}

    with_backup(tmp_path, main)


def test_rows_that_do_not_fit_and_tables_of_nobody_s(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        execute(shelf / KEYS, "CREATE TABLE diary (day)", "INSERT INTO diary VALUES (1)")  # is not looked at
        assert sum((await try_out(None, find(shelf), pin=of.pin, host=of.host)).reports.values()) == 2
        execute(
            shelf / DATA,
            "ALTER TABLE facts RENAME TO others",
            "CREATE TABLE facts (name, value)",
            "INSERT INTO facts VALUES ('colour', NULL)",
        )
        with pytest.raises(RestoreFailed, match="does not fit into the tables"):
            await restored(shelf, of)

    with_backup(tmp_path, main)


def test_another_secret_is_told_and_a_lead_s_roll_is_its_cure(tmp_path: Path) -> None:
    async def main(of: Office, shelf: Path) -> None:
        told = await try_out(None, find(shelf), pin=of.pin, host=HostKey.of(b"another secret, another line"))
        assert "another IVR_SECRET" in told.line
        assert "ivr keys roll" in told.line
        assert (await try_out(None, find(shelf), pin=None, host=None)).members == ()

    with_backup(tmp_path, main)


# Versions


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_of_an_older_version_is_brought_up_to_date(tmp_path: Path, kind: str) -> None:
    """As version 2 wrote it, when months and nights lay in the data half: people without PINs, no claims."""
    old = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        made(connection, "2", ROTA)
        tables = set(metadata.tables)
    engine.dispose()
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    keys = {"report_keys", "note_keys", "contributions", "epoch_wraps", "organisation_wraps", "tallies"}
    for name, dropped in ((DATA, keys), (KEYS, tables - keys)):
        shutil.copy(old, shelf / name)
        execute(
            shelf / name,
            "PRAGMA foreign_keys=OFF",
            *(f"DROP TABLE IF EXISTS {table}" for table in dropped),
            "PRAGMA application_id=12345",
        )

    async def main(url: str) -> None:
        database = Database(url)
        done = await restore(database, find(shelf), pin=None, host=None)
        assert (done.answering, done.halves.keys.day, done.halves.data.revision) == (2, None, 2)
        await database.migrate()
        await database.close()
        counted = await rows_in(url)
        assert (counted["people"], counted["shifts"], counted["switches"], counted["claims"]) == (2, 1, 1, 0)

    (tmp_path / "new").mkdir()
    with database_of(kind, tmp_path / "new") as url:
        asyncio.run(main(url))
