"""A rate limit that all workers share: a token bucket in the live database, for everybody together. It counts what is
tried in vain and knows nothing of who tries: no caller has a count of their own.

Whoever tries for the first time in a call has the reserve to themselves, so that calls which try again and again do not
keep others out. What turns out right costs nothing."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TypeVar

from sqlalchemy import Connection

from ivr.kit.time_limits import TimeLimits
from ivr.store import budgets
from ivr.store.budgets import Level
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import ONE_TRY, milliseconds
from ivr.vault.derivation import derive

_ID_SIZE = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limit:
    """In any 24 hours at most `a_day` + `burst` tries fail, and what `longest_wait` lends: what it fills by then, and
    one try.

    `reserve`: so many of the burst are kept for first tries. `longest_wait`: whoever comes when nothing is left is told
    to wait if a try is there for them by then; that one is theirs."""

    name: str
    a_day: int
    burst: int
    reserve: int = 0
    longest_wait: timedelta = timedelta()

    def full(self, now: datetime) -> Level:
        return Level(self.burst * ONE_TRY, milliseconds(now))

    def filled(self, level: Level, now: datetime) -> Level:
        """A clock that goes back fills nothing, and does not stop the filling."""
        at = milliseconds(now)
        passed = max(at - level.at, 0)
        return Level(min(level.left + passed * self.a_day, self.burst * ONE_TRY), at)

    def drawn(self, level: Level, now: datetime, *, is_first: bool) -> tuple[Level, timedelta | None]:
        """What is left after one more try, and how long it must wait; None: it may not be made."""
        level = self.filled(level, now)
        after = level._replace(left=level.left - ONE_TRY)
        lacks = (0 if is_first else self.reserve * ONE_TRY) - after.left
        if lacks <= 0:
            return after, timedelta()
        wait = timedelta(seconds=ceil(lacks / self.a_day / 1000))
        return (after, wait) if wait <= self.longest_wait else (level, None)

    def level_in(self, connection: Connection, now: datetime) -> Level:
        return budgets.level(connection, self.name, otherwise=self.full(now), a_day=self.a_day, burst=self.burst)

    def set_level(self, connection: Connection, level: Level) -> None:
        budgets.set_level(connection, self.name, level, a_day=self.a_day, burst=self.burst)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. A webhook that comes twice is one."""

    id: bytes
    is_first: bool

    @classmethod
    def of(cls, seed: bytes, turn: int, *, limit: Limit, is_first: bool) -> "Attempt":
        """That of a turn of a call. `is_first`: nothing was tried in vain in this call before."""
        message = turn.to_bytes(8) + limit.name.encode()
        return cls(derive(seed, message, purpose="attempt", size=_ID_SIZE), is_first)


class RateLimits:
    """One per process and event loop; `live` is shared by all workers of the line."""

    def __init__(self, live: Database, seconds: float = TimeLimits().rate_limit) -> None:
        self._live = live
        self._seconds = seconds
        self._returning: set[asyncio.Task[None]] = set()

    async def take(
        self, limit: Limit, attempt: Attempt, now: datetime, *, has_waited: bool = False
    ) -> timedelta | None:
        """How long this try must wait; None: not now. It counts as wrong until it is given back. Whoever `has_waited`
        as long as they were told has paid already. Raises StoreUnavailable: then nothing may be tried."""

        def taken(connection: Connection) -> timedelta | None:
            level = limit.level_in(connection, now)
            told = budgets.waited(connection, attempt.id)
            if told is not None:
                return timedelta(seconds=told)
            left, wait = (level, timedelta()) if has_waited else limit.drawn(level, now, is_first=attempt.is_first)
            if wait is not None:
                limit.set_level(connection, left)
                budgets.count(connection, attempt.id, wait=int(wait.total_seconds()), at=milliseconds(now))
            return wait

        return await self.in_time(self._live.write(taken))

    async def in_time(self, work: Awaitable[T]) -> T:
        """Raises StoreUnavailable, also where a database does not answer while somebody waits."""
        try:
            async with asyncio.timeout(self._seconds):
                return await work
        except TimeoutError as error:
            raise StoreUnavailable("the database does not answer in time: see whether it is busy") from error

    def give_back(self, limit: Limit, attempt: Attempt, now: datetime) -> None:
        """It was right. Nobody waits for it: where it fails, one try less is left."""
        task = asyncio.create_task(self._given_back(limit, attempt, now))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def close(self) -> None:
        """Let what is given back come home. Call it before the database's."""
        await asyncio.gather(*self._returning, return_exceptions=True)

    async def _given_back(self, limit: Limit, attempt: Attempt, now: datetime) -> None:
        def given(connection: Connection) -> None:
            level = limit.level_in(connection, now)
            if budgets.give_back(connection, attempt.id):
                level = limit.filled(level, now)
                limit.set_level(connection, level._replace(left=level.left + ONE_TRY))

        with suppress(StoreUnavailable):
            await self._live.write(given)
