"""Time for a line's own chores: what they sleep through passes on a virtual clock, one waking after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from starlette.routing import Router

from ivr.kit.clock import VirtualClock

CHORES = 10
"""What each worker does by itself; `awake` waits for all of them to sleep, so one more here is one that never comes."""

Sleeper = tuple[datetime, int, "asyncio.Future[None]"]


@dataclass
class Metronome:
    """`pause` for the chores of some workers, and the clock that they go by. Nothing is done while it stands still."""

    clock: VirtualClock
    sleepers: int = 0
    _asleep: list[Sleeper] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)
    _fell_asleep: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, seconds: float) -> None:
        """Sleep until the clock has been moved on by so much."""
        waking = asyncio.get_running_loop().create_future()
        heappush(self._asleep, (self.clock.now() + timedelta(seconds=seconds), next(self._order), waking))
        self._fell_asleep.set()
        await waking

    async def until(self, moment: datetime) -> None:
        """Let time pass, and every chore do what falls into it, this moment included."""
        await self._all_asleep()
        while self._asleep and self._asleep[0][0] <= moment:
            at, _, waking = heappop(self._asleep)
            self.clock.at = max(self.clock.at, at)
            waking.set_result(None)
            await self._all_asleep()
        self.clock.at = moment

    @asynccontextmanager
    async def at_work(self, *workers: Router) -> AsyncIterator[None]:
        """The chores of these workers, from the start of each to its end, as a server runs them."""
        async with AsyncExitStack() as stack:
            for worker in workers:
                self.sleepers += CHORES
                await stack.enter_async_context(worker.lifespan_context(worker))
                await self._all_asleep()
            yield
        self._asleep.clear()
        self.sleepers -= CHORES * len(workers)

    async def _all_asleep(self) -> None:
        while len(self._asleep) < self.sleepers:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()
