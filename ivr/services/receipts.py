"""What a receipt opens: finding its report without reading it, and taking it back.
The code itself goes no further than the slow hash; wrong codes are answered like unknown ones."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Connection

from ivr.flow.line import CONSENTS
from ivr.services.custody.signing import is_signed, signed_row, statement_of
from ivr.services.custody.trust import LineKeys, LineKeysLost, line_epochs, line_keys_in, signers
from ivr.store import contributions
from ivr.store import epochs as stored_epochs
from ivr.store import reports as stored
from ivr.store.database import Database
from ivr.store.reports import MAX_TURN, ReportRow
from ivr.vault import receipts, sealing
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin

AT_ONCE = 2
TAKEN_BACK = "taken_back"

TRIES_A_DAY = 1000
BURST = 60
LONGEST_WAIT = timedelta(seconds=20)

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
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slow-hash")

    async def of(self, code: str, *, site_salt: bytes) -> bytes:
        """The slow hash of a receipt code."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._slow(code, site_salt=site_salt))

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class Budget:
    """How many receipts may be tried, by everybody together: a bucket that fills evenly over the day.

    1,000 tries a day against 10,000 living receipts of 10^12 codes hit one with a chance of 10^-5 a day. Above it
    nobody is locked out: each try waits a little longer, up to 20 s.
    """

    left: float = BURST
    filled_at: datetime | None = None
    debt: int = 0

    def wait(self, now: datetime) -> timedelta:
        """How long the next try, made now, must wait."""
        if self.filled_at is not None:
            days = max(now - self.filled_at, timedelta()) / timedelta(days=1)
            self.left = min(BURST, self.left + days * TRIES_A_DAY)
        self.filled_at = now
        if self.left >= 1:
            self.left -= 1
            self.debt = 0
            return timedelta()
        self.debt += 1
        return min(timedelta(seconds=self.debt), LONGEST_WAIT)


class Withdrawal(StrEnum):
    """What came of taking a report back."""

    TAKEN_BACK = "taken back"
    ALREADY = "already taken back"
    UNKNOWN = "unknown"
    """No living report has this receipt: never, or its time is over."""


@dataclass(slots=True)
class Receipts:
    """What may be done with a receipt; one per process and event loop."""

    database: Database
    host: HostKey
    pin: Pin
    slow_hashes: SlowHashes
    budget: Budget = field(default_factory=Budget)

    async def withdraw(self, code: str) -> Withdrawal:
        """Make a report unreadable for good: its key, its notes and whatever was derived from it are deleted, in one
        transaction; what stays is a tombstone. Doubled, it says ALREADY.

        The database's own leftovers are cleaned by `forgotten`, which the caller of this awaits or repeats.
        Raises NotSetUp, LineKeysLost, StoreUnavailable.
        """
        keys = await self.database.read(lambda connection: line_keys_in(connection, self.host, self.pin))
        slow = await self.slow_hashes.of(code, site_salt=keys.site_salt)
        return await self.database.write(lambda connection: _withdraw(connection, slow, keys, self.pin))


async def forgotten(database: Database, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> bool:
    """Clean what deleted rows left in the database's journal, as soon as nobody reads there. True once it is clean;
    False after a minute of trying: the next sweep tries again."""
    for _ in range(FORGET_TRIES):
        if await database.forget_deleted():
            return True
        await pause(FORGET_PAUSE)
    return False


def _withdraw(connection: Connection, slow: bytes, keys: LineKeys, pin: Pin) -> Withdrawal:
    epochs = line_epochs(connection, keys, pin)
    tags = {epoch.id: receipts.tag(epoch.receipt_key, slow) for epoch in epochs.values()}
    found = stored.tagged(connection, tags)
    if not found:
        _require_all(connection, epochs)
        return Withdrawal.UNKNOWN
    # Somebody may have copied her tag to a row of her own, or written here that it was taken back.
    left = [row for row in found if row.state != TAKEN_BACK or stored.sealed_key(connection, row.id) is not None]
    if not left:
        return Withdrawal.ALREADY
    trusted = signers(connection, pin)
    for row in left:
        stored.take_back(connection, _tombstone(row, keys, is_true=is_signed(row, trusted)))
    contributions.forget(connection, receipts.handle(slow))
    return Withdrawal.TAKEN_BACK


def _require_all(connection: Connection, usable: Collection[str]) -> None:
    """That no report has a receipt is known only where every month can be asked. Raises LineKeysLost."""
    unusable = [row.id for row in stored_epochs.all_epochs(connection) if row.id not in usable]
    if unusable:
        raise LineKeysLost(
            f"no report that the line can find has this receipt, and in {', '.join(unusable)} it finds none: "
            "`ivr keys status` says why, and what to do. Then try again"
        )


def _tombstone(row: ReportRow, keys: LineKeys, *, is_true: bool) -> ReportRow:
    """What stays, so that a late save writes nothing and a doubled withdrawal is understood. What was planted or
    altered keeps its signature, and shows."""
    statement = replace(statement_of(row), turn=MAX_TURN, consent=CONSENTS[0], state=TAKEN_BACK, body=sealing.noise())
    return signed_row(statement, keys.signer) if is_true else replace(row, **asdict(statement))
