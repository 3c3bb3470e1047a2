"""How many receipts may be tried in vain, by all callers of all workers together: so few that guessing finds none."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection

from ivr.engine.asks import Busy, Crowded, NotNow
from ivr.engine.call import Call
from ivr.services.rate_limit import Attempt, Limit, RateLimits
from ivr.store import reports as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.vault.receipts import DIGITS

GUESSED_A_DAY = 10.0**-5
"""The chance that all wrong tries of a day hit somebody's receipt, however many receipts there are."""

MOST_A_DAY = 20_000
"""Where there are few receipts: each try costs a slow hash."""

ASSUMED = 10_000
"""So many receipts, as long as nobody has counted."""

COUNTED_EVERY = timedelta(minutes=10)
LONGEST_WAIT = timedelta(seconds=30)


def limit_for(receipts: int) -> Limit:
    """The tries of any 24 hours are `most` at most, times the share of the codes that open something: GUESSED_A_DAY.

    With 10,000 receipts 1,000 tries a day, with 500 and fewer 20,000. Half of the burst is kept for first tries."""
    most = min(int(GUESSED_A_DAY * 10**DIGITS) // max(receipts, 1), MOST_A_DAY)
    burst = max(most // 11, 1)
    lent = 2 + most // 700  # what somebody waits for when a day begins, or the minute in which it ends brings
    a_day = max(most - burst - lent, 1)
    return Limit("receipts", a_day=a_day, burst=burst, reserve=burst // 2, longest_wait=LONGEST_WAIT)


@dataclass(slots=True)
class ReceiptTries:
    """One per process and event loop. `database` knows how many receipts there are, the limits are everybody's."""

    limits: RateLimits
    database: Database
    _limit: Limit = field(default_factory=lambda: limit_for(ASSUMED))
    _counted_at: datetime | None = None

    async def take(self, call: Call, now: datetime, *, has_waited: bool) -> Busy | Crowded | NotNow | None:
        """None: a receipt may be looked up now. It counts as wrong until it is given back."""
        limit = await self._counted(now)
        try:
            wait = await self.limits.take(limit, _attempt(call, limit), now, has_waited=has_waited)
        except StoreUnavailable:
            return NotNow()
        if wait is None:
            return Crowded()
        return Busy(ceil(wait.total_seconds())) if wait else None

    def give_back(self, call: Call, now: datetime) -> None:
        """It was right."""
        self.limits.give_back(self._limit, _attempt(call, self._limit), now)

    async def _counted(self, now: datetime) -> Limit:
        if self._counted_at is None or abs(now - self._counted_at) >= COUNTED_EVERY:
            self._counted_at = now  # also where it fails: nobody else need wait for it
            try:
                self._limit = limit_for(await self.limits.in_time(self.database.read(_living)))
            except StoreUnavailable:
                self._limit = limit_for(ASSUMED)
        return self._limit


def _living(connection: Connection) -> int:
    return stored.count_with_receipt(connection)


def _attempt(call: Call, limit: Limit) -> Attempt:
    return Attempt.of(call.seed, call.turn, limit=limit, is_first=not call.tries)
