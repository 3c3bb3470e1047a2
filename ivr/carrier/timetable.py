"""What happens when, in virtual time: the clock goes on to the next moment only when everybody waits for one. Equal
moments come in the order in which they were noted. Never knows what happens at them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

from ivr.kit.clock import VirtualClock

Word = TypeVar("Word")


@dataclass(slots=True, order=True)
class Timer:
    """Something that will happen, unless it is called off."""

    moment: datetime
    number: int
    act: Callable[[], None] = field(compare=False)
    is_off: bool = field(default=False, compare=False)


class Doze(Generic[Word]):
    """One sleep of one task, until somebody wakes it with a word."""

    def __init__(self, table: "Timetable") -> None:
        self._table = table
        self._future: asyncio.Future[Word] = asyncio.get_running_loop().create_future()

    async def sleep(self) -> Word:
        """Only a task that `Timetable.begin` began may: while it sleeps, time may go on."""
        self._table.rests()
        return await self._future

    def wake(self, word: Word) -> None:
        if not self._future.done():
            self._table.stirs()
            self._future.set_result(word)


class Timetable:
    """Moves one clock. `settled` waits until the line has done what it does when nobody waits for it."""

    def __init__(
        self, clock: VirtualClock, settled: Callable[[], Awaitable[object]] | None, *, at_once: bool = False
    ) -> None:
        """`at_once`: all that happens at one moment begins together, else each thing waits for the one before."""
        self._clock = clock
        self._at_once = at_once
        self._settled = settled
        self._timers: list[Timer] = []
        self._numbers = count()
        self._awake = 0
        self._still = asyncio.Event()
        self._still.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def now(self) -> datetime:
        return self._clock.now()

    def after(self, seconds: float, act: Callable[[], None]) -> Timer:
        """`act` must not wait: it wakes somebody, or begins something."""
        timer = Timer(self.now() + timedelta(seconds=seconds), next(self._numbers), act)
        heappush(self._timers, timer)
        return timer

    def begin(self, work: Coroutine[object, object, None]) -> None:
        """Work that waits for moments; what it raises is raised by `run`."""
        self.stirs()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def run(self, *, until: datetime | None, enough: Callable[[], bool] = lambda: False) -> bool:
        """Goes on until it is enough (true), or until that moment, or until nothing is left to happen (false)."""
        while True:
            await self._calm()
            if enough():
                return True
            timer = self._next(until)
            if timer is None:
                if until is not None:
                    self._go_to(until)
                return False
            self._go_to(timer.moment)
            timer.act()
            while self._at_once and (timer := self._next(self.now())) is not None:
                timer.act()

    async def close(self) -> None:
        """Whoever still waits, waits no more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._timers.clear()
        self._awake = 0

    def fail(self, failure: BaseException) -> None:
        """`run` will raise it."""
        self._failures.append(failure)

    def rests(self) -> None:
        self._awake -= 1
        if not self._awake:
            self._still.set()

    def stirs(self) -> None:
        self._awake += 1
        self._still.clear()

    async def _calm(self) -> None:
        """Until nobody is awake, the line included: what it did last may have woken somebody again."""
        while True:
            await self._still.wait()
            if self._settled is not None:
                await self._settled()
            if self._failures:
                raise self._failures.pop(0)
            if not self._awake:
                return

    def _next(self, until: datetime | None) -> Timer | None:
        while self._timers and self._timers[0].is_off:
            heappop(self._timers)
        if not self._timers or (until is not None and self._timers[0].moment > until):
            return None
        return heappop(self._timers)

    def _go_to(self, moment: datetime) -> None:
        # Whoever tests may have moved the clock by hand: it never goes back.
        self._clock.advance(max(moment - self.now(), timedelta()))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.rests()
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failures.append(failure)
