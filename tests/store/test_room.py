"""How much of a folder live rows may take, and that they take no more."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from ivr.store import live
from ivr.store.database import Database, StoreUnavailable
from ivr.store.room import MOST_BYTES, PAGE, Room

MEGABYTE = 1024 * 1024


class Narrow(Room):
    """A folder of one megabyte, whatever this one has."""

    @classmethod
    def beside(cls, _file: Path) -> Room:
        return Room(rows=MEGABYTE // 2, log=MEGABYTE // 8)


def test_it_is_a_part_of_what_is_free_and_never_more_than_a_maximum(tmp_path: Path) -> None:
    (tmp_path / "live.db").write_bytes(b"")
    room = Room.beside(tmp_path / "live.db")
    assert 0 < room.log < room.rows < MOST_BYTES
    assert room.rows + room.log <= MOST_BYTES


@pytest.mark.parametrize("kilobytes", [0, 64, 512, 4096, 32768])
def test_all_that_one_commit_writes_fits_into_the_log(kilobytes: int) -> None:
    room = Room(rows=kilobytes * 768, log=kilobytes * 256)
    assert 1 <= room.pieces_at_once <= 256
    assert room.pieces_at_once == 1 or room.pieces_at_once * 5 * PAGE < room.log


def test_a_live_file_grows_to_its_limit_and_takes_rows_again_once_some_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.store.sqlite.Room", Narrow)  # no constructor takes it

    def add(connection: Connection, n: int) -> None:
        row = {"id": n.to_bytes(16), "body": bytes(4008), "claimed": 0, "until": n}
        connection.execute(insert(live.conversations).values(row))

    async def main() -> None:
        database = Database(f"sqlite:///{tmp_path / 'live.db'}")
        await database.furnish(live.create)
        await database.limit()
        with pytest.raises(StoreUnavailable):
            for n in range(1_000):
                await database.write(partial(add, n=n))
        assert (tmp_path / "live.db").stat().st_size <= MEGABYTE // 2
        assert (tmp_path / "live.db-wal").stat().st_size <= MEGABYTE // 8
        await database.write(lambda connection: connection.execute(live.conversations.delete()).close())
        await database.write(partial(add, n=0))
        await database.close()

    asyncio.run(main())
