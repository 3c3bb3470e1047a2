"""A change that is claimed is made once, whoever else claims it, and the claim is gone after its second night."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import select

from ivr.store import claims
from ivr.store.database import Database
from ivr.store.tables import claims as table


def with_databases(url: str, main: Callable[[Database, Database], Coroutine[Any, Any, None]]) -> None:
    """Two processes with one database."""

    async def run() -> None:
        one, other = Database(url), Database(url)
        await one.migrate()
        try:
            await main(one, other)
        finally:
            await one.close()
            await other.close()

    asyncio.run(run())


async def claim(database: Database, claim_id: bytes) -> bool:
    return await database.write(lambda connection: claims.claim(connection, claim_id))


def test_of_many_who_claim_at_once_one_is_first(url: str) -> None:
    async def main(one: Database, other: Database) -> None:
        for n in range(4):
            claimed = await asyncio.gather(*(claim(of, bytes([n]) * 16) for of in (one, other, one, other)))
            assert claimed.count(True) == 1

    with_databases(url, main)


def test_a_claim_whose_change_failed_was_never_made(url: str) -> None:
    class Failed(Exception):
        """What the change fails at."""

    async def main(one: Database, other: Database) -> None:
        def fails(connection: Any) -> None:
            assert claims.claim(connection, b"c" * 16)
            raise Failed

        for _ in range(2):
            try:
                await one.write(fails)
            except Failed:
                continue
            raise AssertionError("it has not failed")
        assert await claim(other, b"c" * 16)

    with_databases(url, main)


def test_a_claim_outlives_one_night_and_no_second(url: str) -> None:
    async def main(one: Database, other: Database) -> None:
        async def left() -> list[int]:
            return await one.read(lambda connection: list(connection.execute(select(table.c.nights)).scalars()))

        await claim(one, b"c" * 16)
        assert await left() == [2]
        await one.write(claims.count_night)
        assert not await claim(other, b"c" * 16)
        assert await left() == [1]
        await claim(one, b"d" * 16)
        await one.write(claims.count_night)
        assert await left() == [1]
        assert await claim(other, b"c" * 16)

    with_databases(url, main)
