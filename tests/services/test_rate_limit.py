"""A limit that all workers share: no day lets more through, what is right costs nothing, and first tries go first."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ivr.services.rate_limit import Attempt, Limit, RateLimits
from ivr.store import live
from ivr.store.budgets import Level
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import ONE_TRY
from tests.store.databases import KINDS, database_of

NOW = datetime(2027, 3, 10, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATIENT = 60.0
LIMIT = Limit("tries", a_day=144, burst=6, reserve=3)
"""One in ten minutes."""
LENDING = Limit("tries", a_day=144, burst=6, reserve=3, longest_wait=10 * MINUTE)
NONE, AT_ONCE = None, timedelta()

Story = Callable[[RateLimits, RateLimits], Coroutine[Any, Any, None]]


@contextmanager
def two_workers(kind: str, folder: Path) -> Iterator[Callable[[Story], None]]:
    with database_of(kind, folder) as url:

        async def main(story: Story) -> None:
            one, other = Database(url), Database(url)
            await one.furnish(live.create)
            limits = RateLimits(one, PATIENT), RateLimits(other, PATIENT)
            try:
                await story(*limits)
            finally:
                for limit in limits:
                    await limit.close()
                await one.close()
                await other.close()

        yield lambda story: asyncio.run(main(story))


def first(n: int, limit: Limit = LIMIT) -> Attempt:
    return Attempt.of(n.to_bytes(16), 1, limit=limit, is_first=True)


def later(n: int, turn: int = 2, limit: Limit = LIMIT) -> Attempt:
    return Attempt.of(n.to_bytes(16), turn, limit=limit, is_first=False)


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_share_what_is_left_also_at_one_moment(tmp_path: Path, kind: str) -> None:
    async def story(one: RateLimits, other: RateLimits) -> None:
        tries = [(one, other)[n % 2].take(LIMIT, first(n), NOW) for n in range(30)]
        waits = await asyncio.gather(*tries)
        assert sorted(map(repr, waits)) == sorted(map(repr, [AT_ONCE] * 6 + [NONE] * 24))
        assert await one.take(LIMIT, first(30), NOW + 9 * MINUTE) is NONE
        assert await other.take(LIMIT, first(31), NOW + 10 * MINUTE) == AT_ONCE

    with two_workers(kind, tmp_path) as told:
        told(story)


@pytest.mark.parametrize("kind", KINDS)
def test_a_webhook_that_comes_twice_is_one_try_and_given_back_once(tmp_path: Path, kind: str) -> None:
    async def story(one: RateLimits, other: RateLimits) -> None:
        for n in range(5):
            assert await one.take(LIMIT, first(n), NOW) == AT_ONCE
        again = [(one, other)[n % 2].take(LIMIT, first(5), NOW) for n in range(10)]
        assert set(await asyncio.gather(*again)) == {AT_ONCE}
        assert await other.take(LIMIT, first(6), NOW) is NONE
        for _ in range(3):
            one.give_back(LIMIT, first(5), NOW)
            other.give_back(LIMIT, first(5), NOW)
        await one.close()
        await other.close()
        assert await other.take(LIMIT, first(7), NOW) == AT_ONCE
        assert await other.take(LIMIT, first(8), NOW) is NONE

    with two_workers(kind, tmp_path) as told:
        told(story)


def test_what_was_never_taken_is_not_given_back(tmp_path: Path) -> None:
    async def story(one: RateLimits, _other: RateLimits) -> None:
        for n in range(6):
            await one.take(LIMIT, first(n), NOW)
        one.give_back(LIMIT, first(100), NOW)
        await one.close()
        assert await one.take(LIMIT, first(6), NOW) is NONE

    with two_workers("sqlite", tmp_path) as told:
        told(story)


def test_what_is_given_back_after_the_rows_were_lost_empties_nothing(tmp_path: Path) -> None:
    async def story(one: RateLimits, other: RateLimits) -> None:
        one.give_back(LIMIT, first(100), NOW)
        await one.close()
        at = live.milliseconds(NOW + MINUTE)
        await other.in_time(other._live.write(partial(live.sweep, ended=at, asked=at, joined=at, ahead=at + 1)))
        assert [await other.take(LIMIT, first(n), NOW + MINUTE) for n in range(6)] == [AT_ONCE] * 6

    with two_workers("sqlite", tmp_path) as told:
        told(story)


def test_those_who_try_again_in_a_call_leave_the_reserve_to_first_tries(tmp_path: Path) -> None:
    async def story(one: RateLimits, other: RateLimits) -> None:
        tried = [await one.take(LIMIT, later(1, turn), NOW) for turn in range(2, 12)]
        assert tried == [AT_ONCE] * 3 + [NONE] * 7
        assert [await other.take(LIMIT, first(n), NOW) for n in range(4)] == [AT_ONCE] * 3 + [NONE]

    with two_workers("sqlite", tmp_path) as told:
        told(story)


def test_whoever_is_told_to_wait_has_paid_and_nobody_else_gets_that_try(tmp_path: Path) -> None:
    async def story(one: RateLimits, other: RateLimits) -> None:
        for n in range(6):
            assert await one.take(LENDING, first(n), NOW) == AT_ONCE
        assert await one.take(LENDING, first(6), NOW) == 10 * MINUTE
        assert await one.take(LENDING, first(6), NOW) == 10 * MINUTE, "a repeated webhook is told the same"
        assert await other.take(LENDING, first(7), NOW) is NONE
        then = NOW + 10 * MINUTE
        assert await other.take(LENDING, first(8), then) == 10 * MINUTE, "the one that has come is somebody's"
        waited = Attempt.of((6).to_bytes(16), 2, limit=LENDING, is_first=True)
        assert await other.take(LENDING, waited, then, has_waited=True) == AT_ONCE
        other.give_back(LENDING, waited, then)
        await other.close()
        assert await one.take(LENDING, first(9), then) == 10 * MINUTE, "given back, too, after waiting"

    with two_workers("sqlite", tmp_path) as told:
        told(story)


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    level = Level(0, live.milliseconds(NOW))
    back = LIMIT.filled(level, NOW - timedelta(days=3))
    assert back.left == 0
    assert LIMIT.filled(back, NOW - timedelta(days=3) + 10 * MINUTE).left == ONE_TRY


def test_it_never_fills_above_its_burst() -> None:
    level = LIMIT.full(NOW)
    assert LIMIT.filled(level, NOW + timedelta(days=400)).left == 6 * ONE_TRY


def test_where_the_live_database_is_away_nothing_may_be_tried(tmp_path: Path) -> None:
    async def main() -> None:
        nowhere = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'live.db'}")
        with pytest.raises(StoreUnavailable):
            await RateLimits(nowhere, PATIENT).take(LIMIT, first(1), NOW)
        RateLimits(nowhere, PATIENT).give_back(LIMIT, first(1), NOW)
        await nowhere.close()

    asyncio.run(main())


def test_rows_hold_a_count_and_nothing_of_a_call(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(f"sqlite:///{tmp_path / 'live.db'}")
        await database.furnish(live.create)
        await RateLimits(database, PATIENT).take(LIMIT, first(1), NOW)
        counted = await database.read(lambda found: found.execute(select(live.budgets)).one())
        assert tuple(counted) == ("tries", 5 * ONE_TRY, 144, 6, live.milliseconds(NOW))
        tried = await database.read(lambda found: found.execute(select(live.attempts)).one())
        assert (1).to_bytes(16) not in tried.id
        await database.close()

    asyncio.run(main())


def test_attempts_are_swept_with_what_else_is_over(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(f"sqlite:///{tmp_path / 'live.db'}")
        await database.furnish(live.create)
        await RateLimits(database, PATIENT).take(LIMIT, first(1), NOW)
        for due, left in ((NOW, 1), (NOW + MINUTE, 0)):
            at = live.milliseconds(due)
            await database.write(partial(live.sweep, ended=at, asked=at, joined=at, ahead=at + 1))
            assert len(await database.read(lambda found: found.execute(select(live.attempts)).all())) == left
        swept = await database.read(lambda found: found.execute(select(live.budgets)).one())
        assert swept.at == live.milliseconds(NOW + MINUTE), "nor is it known when the last came"
        assert swept.left == LIMIT.filled(Level(5 * ONE_TRY, live.milliseconds(NOW)), NOW + MINUTE).left
        await database.write(
            partial(live.sweep, ended=at + 400 * ONE_TRY, asked=at, joined=at, ahead=at + 401 * ONE_TRY)
        )
        assert (await database.read(lambda found: found.execute(select(live.budgets)).one())).left == 6 * ONE_TRY
        await database.close()

    asyncio.run(main())
