"""A rate limit that all workers share: a token bucket in the live database, for everybody together. It counts what is
tried in vain and knows nothing of who tries: no caller has a count of their own.

Whoever tries for the first time in a call has the reserve to themselves, so that calls which try again and again do not
keep others out. What turns out right costs nothing."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection

from ivr.store import budgets
from ivr.store.budgets import Level
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import milliseconds
from ivr.vault.derivation import derive

ONE = 24 * 60
"""A try, in the unit in which the bucket counts: so many a day fill it by as many units a minute."""

WITHIN_SECONDS = 0.4
"""Somebody waits on the phone, and what they asked for is still to be looked up."""

_ID_SIZE = 16
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """In any 24 hours at most `a_day` + `burst` tries fail, and what `longest_wait` lends: at most a minute's share for
    each minute of it, and one try.

    `reserve`: so many of the burst are kept for first tries. `longest_wait`: whoever comes when nothing is left is told
    to wait if a try is there for them by then; that one is theirs."""

    name: str
    a_day: int
    burst: int
    reserve: int = 0
    longest_wait: timedelta = timedelta()

    def filled(self, level: Level, now: datetime) -> Level:
        """A clock that goes back fills nothing, and does not stop the filling."""
        minute = _minute(now)
        passed = max(minute - level.minute, 0)
        return Level(min(level.left + passed * self.a_day, self.burst * ONE), minute)

    def drawn(self, level: Level, now: datetime, *, is_first: bool) -> tuple[Level, timedelta | None]:
        """What is left after one more try, and how long it must wait; None: it may not be made."""
        level = self.filled(level, now)
        after = level._replace(left=level.left - ONE)
        lacks = (0 if is_first else self.reserve * ONE) - after.left
        if lacks <= 0:
            return after, timedelta()
        ready_at = (level.minute + ceil(lacks / self.a_day)) * _MINUTE
        wait = timedelta(seconds=ceil(ready_at - now.timestamp()))
        return (after, wait) if wait <= self.longest_wait else (level, None)


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

    def __init__(self, live: Database, seconds: float = WITHIN_SECONDS) -> None:
        self._live = live
        self._seconds = seconds
        self._returning: set[asyncio.Task[None]] = set()

    async def take(
        self, limit: Limit, attempt: Attempt, now: datetime, *, has_waited: bool = False
    ) -> timedelta | None:
        """How long this try must wait; None: not now. It counts as wrong until it is given back. Whoever `has_waited`
        as long as they were told has paid already. Raises StoreUnavailable: then nothing may be tried."""

        def taken(connection: Connection) -> timedelta | None:
            level = budgets.level(connection, limit.name, otherwise=Level(limit.burst * ONE, _minute(now)))
            told = budgets.waited(connection, attempt.id)
            if told is not None:
                return timedelta(seconds=told)
            left, wait = (level, timedelta()) if has_waited else limit.drawn(level, now, is_first=attempt.is_first)
            if wait is not None:
                budgets.set_level(connection, limit.name, left)
                budgets.count(connection, attempt.id, wait=int(wait.total_seconds()), at=milliseconds(now))
            return wait

        try:
            async with asyncio.timeout(self._seconds):
                return await self._live.write(taken)
        except TimeoutError as error:
            raise StoreUnavailable(
                "the database of live calls does not answer in time: see whether it is busy"
            ) from error

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
            level = budgets.level(connection, limit.name, otherwise=Level(limit.burst * ONE, _minute(now)))
            if budgets.give_back(connection, attempt.id):
                level = limit.filled(level, now)
                budgets.set_level(connection, limit.name, level._replace(left=level.left + ONE))

        with suppress(StoreUnavailable):
            await self._live.write(given)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // _MINUTE
