"""Setting a line up, once; and an advocate unlocking what is hers."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, select

from ivr.services import custody
from ivr.services.custody import Inventory, NotSetUp, UnknownAdvocate
from ivr.store import advocates as stored_advocates
from ivr.store.database import Database
from ivr.store.tables import metadata
from ivr.vault import advocates
from ivr.vault.advocates import Effort, WrongPassphrase
from ivr.vault.host import HostKey, WrongSecret

SECRET = b"a secret of this host's own"
NOVEMBER = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEBRUARY = datetime(2027, 2, 3, 12, tzinfo=UTC)
CHEAP = Effort(passes=1, memory=8192)


async def set_up(
    database: Database, *, name: str = "ana", secret: bytes = SECRET, now: datetime = NOVEMBER, demo: bool = False
) -> Inventory:
    return await custody.init(
        database, secret=secret, advocate_name=name, passphrase="correct horse", now=now, demo=demo, effort=CHEAP
    )


async def execute(database: Database, statement: Executable) -> None:
    def run(connection: Connection) -> None:
        connection.execute(statement)

    await database.write(run)


async def everything(database: Database) -> dict[str, list[Any]]:
    def look(connection: Connection) -> dict[str, list[Any]]:
        return {
            name: [tuple(row) for row in connection.execute(select(table))] for name, table in metadata.tables.items()
        }

    return await database.read(look)


def all_bytes_in(directory: Path) -> bytes:
    """The database with its journals."""
    return b"".join(path.read_bytes() for path in directory.iterdir())


def with_database(directory: Path, main: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        database = Database(f"sqlite:///{directory / 'line.db'}")
        await database.migrate()
        try:
            await main(database)
        finally:
            await database.close()

    asyncio.run(run())


def test_a_new_line_gets_its_first_advocate_this_month_s_epoch_and_three_ahead(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        made = await set_up(database)
        assert (made.advocates, made.new_advocates) == (("ana",), ("ana",))
        assert made.epochs == made.new_epochs == ("2026-11", "2026-12", "2027-01", "2027-02")
        assert await custody.inventory(database) == Inventory(("ana",), made.epochs, (), (), is_demo=False)

    with_database(tmp_path, main)


def test_a_second_time_changes_nothing_and_says_what_there_is(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await set_up(database)
        before = await everything(database)
        again = await set_up(database, name="bo", demo=True)
        assert (again.advocates, again.new_advocates, again.new_epochs, again.is_demo) == (("ana",), (), (), False)
        assert await everything(database) == before

    with_database(tmp_path, main)


def test_months_later_it_adds_the_epochs_that_are_due_for_the_same_advocates(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await set_up(database)
        assert (await set_up(database, now=FEBRUARY)).new_epochs == ("2027-03", "2027-04", "2027-05")
        ana = await custody.unlock(database, passphrase="correct horse")
        assert sorted(ana.epoch_keys)[-1] == "2027-05"
        assert len(ana.epoch_keys) == 7

    with_database(tmp_path, main)


def test_two_that_set_up_at_once_make_one_line(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        other = Database(f"sqlite:///{tmp_path / 'line.db'}")
        try:
            await asyncio.gather(set_up(database), set_up(other, name="bo"))
        finally:
            await other.close()
        there = await everything(database)
        counts = {name: len(rows) for name, rows in there.items()}
        assert (counts["advocates"], counts["line_keys"], counts["epochs"], counts["epoch_wraps"]) == (1, 1, 4, 4)

    with_database(tmp_path, main)


def test_another_secret_is_noticed_and_changes_nothing(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await set_up(database)
        before = await everything(database)
        with pytest.raises(WrongSecret, match="IVR_SECRET"):
            await set_up(database, secret=b"another", now=FEBRUARY)
        assert await everything(database) == before

    with_database(tmp_path, main)


def test_demo_data_is_marked(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        assert not await custody.is_demo(database)
        assert (await set_up(database, demo=True)).is_demo
        assert await custody.is_demo(database)

    with_database(tmp_path, main)


def test_a_wrong_passphrase_or_name_unlocks_nothing(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        with pytest.raises(NotSetUp, match="ivr init"):
            await custody.unlock(database, passphrase="correct horse")
        await set_up(database)
        with pytest.raises(WrongPassphrase):
            await custody.unlock(database, passphrase="wrong horse")
        with pytest.raises(UnknownAdvocate, match="ana"):
            await custody.unlock(database, passphrase="correct horse", name="bo")

    with_database(tmp_path, main)


def test_where_there_are_several_advocates_she_says_who_she_is(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await set_up(database)
        bo = custody.row_of(advocates.enrol("bo", "battery", effort=CHEAP))
        await database.write(lambda connection: stored_advocates.add(connection, bo))
        with pytest.raises(UnknownAdvocate, match="ana, bo"):
            await custody.unlock(database, passphrase="battery")
        assert (await custody.unlock(database, passphrase="battery", name="bo")).epoch_keys == {}

    with_database(tmp_path, main)


def test_a_line_key_planted_in_the_database_is_not_the_line_s(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await set_up(database)
        own = await custody.line_keys_of(database, HostKey.of(SECRET))
        planted = {"signer": b"\0" * 8, "public_key": b"p" * 32, "sealed": b"s" * 72}
        await execute(database, metadata.tables["line_keys"].insert().values(planted))
        assert await custody.line_keys_of(database, HostKey.of(SECRET)) == own

    with_database(tmp_path, main)


def test_no_secret_is_stored_or_shown(tmp_path: Path) -> None:
    async def main(database: Database) -> None:
        await set_up(database)
        ana = await custody.unlock(database, passphrase="correct horse")
        line = await custody.line_keys_of(database, HostKey.of(SECRET))
        stored = all_bytes_in(tmp_path)
        for secret in (*ana.epoch_keys.values(), line.signing_key, line.site_salt, SECRET, b"correct horse"):
            assert secret not in stored
            assert repr(secret)[2:-1] not in repr((ana, line))

    with_database(tmp_path, main)
