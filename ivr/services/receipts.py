"""Receipt codes: what trying one costs, and taking a report back for whoever tells one.
The code itself goes no further than the slow hash; wrong codes are answered like unknown ones."""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from ivr.services.custody.trust import keys_to_sign_with, line_keys_of
from ivr.services.tagged import Withdrawal, withdraw
from ivr.store.database import Database
from ivr.vault import receipts
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin

AT_ONCE = 2

FORGET_TRIES = 60
FORGET_PAUSE = 1.0
"""Seconds between two tries at cleaning."""


class Slow(Protocol):
    """What a slow hash is made with."""

    def __call__(self, code: str, *, site_salt: bytes) -> bytes: ...


class SlowHashes:
    """The slow hashes of one process: off the event loop, two at once; whoever comes third waits her turn."""

    def __init__(self, slow: Slow = receipts.slow) -> None:
        self._slow = slow
        self._free = threading.Semaphore(AT_ONCE)
        self._kept = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slow-hash")
        self._tried = ThreadPoolExecutor(1, thread_name_prefix="slow-hash-tried", initializer=give_way)

    async def of(self, code: str, *, site_salt: bytes, gives_way: bool = False) -> bytes:
        """The slow hash of a receipt code. One that `gives_way` delays no turn and leaves one of the two to those that
        do not: however many receipts are tried, reports are saved. If cancelled before its turn, it is not made."""
        thread = self._tried if gives_way else self._kept
        return await asyncio.get_running_loop().run_in_executor(thread, self._made, code, site_salt)

    def close(self) -> None:
        """Begin no more."""
        for threads in (self._kept, self._tried):
            threads.shutdown(wait=False, cancel_futures=True)

    def _made(self, code: str, site_salt: bytes) -> bytes:
        with self._free:
            return self._slow(code, site_salt=site_salt)


def give_way() -> None:
    """This thread runs only while nobody else wants its core, and leaves it at once: being merely less urgent it would
    still end its time slice first, and the turns on that core would wait. Only Linux knows this of a single thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


@dataclass(slots=True)
class Receipts:
    """What advocates do with a receipt that they were told; one per process and event loop."""

    database: Database
    host: HostKey
    pin: Pin
    slow_hashes: SlowHashes

    async def withdraw(self, code: str) -> Withdrawal:
        """Make a report unreadable for good: its key, its notes and whatever was derived from it are deleted, in one
        transaction; what stays is a tombstone. Doubled, it says ALREADY.

        The database's own leftovers are cleaned by `forgotten`, which the caller of this awaits or repeats.
        Raises NotSetUp, LineKeysLost, StoreUnavailable.
        """
        keys = await line_keys_of(self.database, self.host, self.pin)
        slow = await self.slow_hashes.of(code, site_salt=keys.site_salt)

        def taken_back(connection: Connection) -> Withdrawal:
            return withdraw(connection, slow, keys_to_sign_with(connection, self.host, self.pin), self.pin)

        return await self.database.write(taken_back)


async def forgotten(database: Database, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> bool:
    """Clean what deleted rows left in the database's journal, as soon as nobody reads there. True once it is clean;
    False after a minute of trying: the next sweep tries again."""
    for _ in range(FORGET_TRIES):
        if await database.forget_deleted():
            return True
        await pause(FORGET_PAUSE)
    return False
