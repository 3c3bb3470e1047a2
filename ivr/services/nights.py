"""Nights: which of them is to be worked, how many have passed, and how many a request to be called has left. A request
has no date: each night counts it down, wherever it lies."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from ivr.store import reports as stored

JOB = "night"
COUNTED = "counted"
"""The last night that followed on the one before it: what a clock that was wrong for a moment leaves alone."""
BEGINS_AT = 3
"""The hour, where the line is: the fewest calls. A line that was off then does its work when it is on again."""

MOST_DAYS_OFF = 7
"""After more days without a night's work the clock may be wrong: nothing is forgotten by one look at it. The next
night, which it must see too, forgets what has expired; so does `ivr reports purge`."""


LOOKS = 60
"""A line looks once a minute. What it did not see begin, at three o'clock, it believes after so many looks."""
ON_TIME_MINUTES = 10


@dataclass(slots=True)
class Looks:
    """Whether a serving line believes its clock that it is this night: one that jumps there is wrong more often than it
    is set right, and comes back within the hour. A line that was off waits so long too."""

    night: date | None = None
    count: int = 0
    has_begun: bool = False

    def is_believed(self, here: datetime) -> bool:
        """One look; `here`: now, where the line is."""
        night = last(here)
        if night != self.night:
            is_next = self.night is not None and night - self.night == timedelta(days=1)
            self.has_begun = is_next and here.hour == BEGINS_AT and here.minute < ON_TIME_MINUTES
            self.night, self.count = night, 0
        self.count += 1
        return self.has_begun or self.count > LOOKS


def due(here: datetime, before: str | None) -> date | None:
    """The night to be worked at this moment, where the line is; `before`: the one that was last (YYYY-MM-DD). Before
    three o'clock only one that was missed: who asks to be called then must not pay for the nights the line was off."""
    night = last(here)
    return night if night == here.date() or (before is not None and passed(before, night)) else None


def last(here: datetime) -> date:
    """The night that was last at this moment, where the line is."""
    return here.date() if here.hour >= BEGINS_AT else here.date() - timedelta(days=1)


def passed(before: str | None, night: date) -> int:
    """How many nights this one counts for: also those that were missed. 0: time has passed otherwise than night by
    night, and nothing is to be forgotten."""
    if before is None:
        return 1
    try:
        days = (night - date.fromisoformat(before)).days
    except ValueError:  # no day at all: another hand wrote it
        return 0
    return days if 0 < days <= MOST_DAYS_OFF else 0


def count_down(connection: Connection, nights: int) -> Counter[str]:
    """So many nights less for every request; those that have none left are deleted. How many, by form."""
    gone: Counter[str] = Counter()
    for request in stored.requests(connection):
        if request.nights_left is None:
            continue
        left = request.nights_left - nights
        if left > 0:
            stored.set_nights_left(connection, request.id, left)
        else:
            stored.remove(connection, [request.id])
            gone[request.form] += 1
    return gone


def left_at_home(left: int, *, counted: str | None, at_home: str | None) -> int:
    """The nights left of a request that comes home out of a spool. `counted`, `at_home`: the last night (YYYY-MM-DD)
    that was counted there and here. What the database has yet to count is not counted twice, nor left out."""
    try:
        days = (date.fromisoformat(counted or "") - date.fromisoformat(at_home or "")).days
    except ValueError:  # one of the two has counted none yet
        return left
    return left + days if abs(days) <= MOST_DAYS_OFF else left
