"""The time, handed in. The only module that may ask the machine what time it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

BELIEVED = timedelta(days=366)
"""How far ahead of a plausible clock something may lie that was kept before."""


class Clock(Protocol):
    """What tells the time: an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class NotBefore:
    """A clock that never shows less than a moment that is known to be over. Where the one behind it does (a machine
    without a battery begins in 1970 or 2019), it is set forward by whole days, as many as are needed: time goes on as
    usual, and every process with the same floor agrees. Once the other is right, it counts again.

    A floor more than a year ahead of a clock that is itself not before `built` is not believed: then it was another
    clock, far ahead, that the floor came from.
    """

    def __init__(self, clock: Clock, built: datetime) -> None:
        self._clock = clock
        self._built = built
        self._floor = built
        self._ahead = timedelta()

    def now(self) -> datetime:
        now = self._clock.now()
        if now >= self._floor:
            self._ahead = timedelta()
            return now
        return now + self._days_ahead(now)

    @property
    def is_behind(self) -> bool:
        """Whether the clock behind this one is wrong at this moment."""
        self.now()
        return bool(self._ahead)

    def not_before(self, moment: datetime) -> None:
        """From now on no less than this either."""
        self._floor = max(self._floor, moment)

    def _days_ahead(self, now: datetime) -> timedelta:
        """Kept while it is enough: what was shown once must not come again."""
        if now >= self._built and self._floor - now > BELIEVED:
            return timedelta()
        if now + self._ahead < self._floor:
            self._ahead = timedelta(days=-((now - self._floor) // timedelta(days=1)))
        return self._ahead


@dataclass(slots=True)
class VirtualClock:
    """A clock that moves only when it is told to: for talks, the terminal phone and tests."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def advance(self, span: timedelta) -> None:
        self.at += span
