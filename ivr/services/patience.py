"""Giving up on work that takes too long, without breaking it off. Knows nothing of what the work is."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from ivr.store.database import StoreUnavailable

CLOSE_SECONDS = 5.0

T = TypeVar("T")


class GivenUp(StoreUnavailable):
    """Nobody waits for it any more. It may be done all the same."""


class Patience:
    """What is still under way, of one process and event loop."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Future[Any]] = set()  # Any: what each gives is its caller's

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """The work's result, if it is there in time; else GivenUp, and the work is left to end by itself:
        to cancel a driver in the middle of a statement can hang it, and the process with it."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise GivenUp(f"the database has not answered within {seconds} s")
        return task.result()

    async def close(self) -> None:
        """Let what was given up on come to its end, for a few seconds. Call it before the database's."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSE_SECONDS)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        """Also for work that was given up on: its failure has been told, and is looked at so that nothing warns."""
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()
