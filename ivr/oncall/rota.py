"""Who is on duty at a moment. Hours are what a clock on the wall shows, in the zone of the shift: whoever is on call
from 22:00 to 06:00 is so in the night when clocks change too, and one shift ends when the next begins, all year."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from ivr.oncall.people import Person, PersonId

_DAY = timedelta(days=1)
_GRID = timedelta(minutes=30)
"""Clocks are changed at whole half hours of UTC."""
_PART = re.compile(
    r"FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)|UNTIL=\d{8}|WKST=[A-Z]{2}|BYDAY=[-+0-9A-Z,]+"
    r"|(?:INTERVAL|COUNT)=\d{1,4}|BY(?:MONTH|MONTHDAY|SETPOS|WEEKNO|YEARDAY)=[-+0-9,]+"
)


class RuleWrong(ValueError):
    """Nobody can be on duty by this rule; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours on which somebody is on duty; or, if it `is_break`, on which she is not, whatever her other shifts say.

    `rule` is an RRULE (RFC 5545) without its beginning, which is `first`; empty: on `first` alone. It names days.
    `start` to `end` on the clock; an `end` that is not after `start` is the next day's, so 00:00 to 00:00 is a day."""

    id: bytes
    person: PersonId
    first: date
    start: time
    end: time
    zone: str
    rule: str = ""
    is_break: bool = False

    def covers(self, at: datetime) -> bool:
        wall = at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        today = wall.date()
        if self.start < self.end:
            return self.start <= wall.time() < self.end and self.falls_on(today)
        return (wall.time() >= self.start and self.falls_on(today)) or (
            wall.time() < self.end and self.falls_on(today - _DAY)
        )

    def falls_on(self, day: date) -> bool:
        """Whether one of its days begins on this one."""
        if day < self.first:
            return False
        return day in _days(self.rule, self.first, day.year) if self.rule else day == self.first


@dataclass(frozen=True, slots=True)
class Switch:
    """What somebody decided for now, over her shifts: on or off, until a moment, or until she decides anew."""

    person: PersonId
    is_on: bool
    until_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return self.until_at is None or at < self.until_at


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time on which the same people are on duty."""

    begins_at: datetime
    ends_at: datetime
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Rota:
    """Everybody, and their hours. `people` are in the order of their names."""

    people: tuple[Person, ...] = ()
    shifts: tuple[Shift, ...] = ()
    switches: tuple[Switch, ...] = ()

    def on_duty(self, at: datetime) -> tuple[Person, ...]:
        """Who can be rung at this moment, in the order of names. `at` is aware."""
        return tuple([person for person in self.people if self.is_on(person.id, at)])

    def is_on(self, person: PersonId, at: datetime) -> bool:
        for switch in self.switches:
            if switch.person == person and switch.holds(at):
                return switch.is_on
        return self.is_planned(person, at)

    def is_planned(self, person: PersonId, at: datetime) -> bool:
        """Whether she is on by her shifts, whatever she decided for now."""
        own = [shift for shift in self.shifts if shift.person == person and shift.covers(at)]
        return bool(own) and not any(shift.is_break for shift in own)

    def own(self, person: PersonId) -> "Rota":
        """What there is of one person alone."""
        return Rota(
            tuple([one for one in self.people if one.id == person]),
            tuple([shift for shift in self.shifts if shift.person == person]),
            tuple([switch for switch in self.switches if switch.person == person]),
        )

    def between(self, begins_at: datetime, ends_at: datetime) -> tuple[Stretch, ...]:
        """The whole time, cut where somebody comes or goes. Both aware."""
        points = sorted({begins_at, ends_at, *self._changes(begins_at, ends_at)})
        stretches: list[Stretch] = []
        for begin, end in pairwise(points):
            people = self.on_duty(begin)
            if stretches and stretches[-1].people == people:
                stretches[-1] = Stretch(stretches[-1].begins_at, end, people)
            else:
                stretches.append(Stretch(begin, end, people))
        return tuple(stretches)

    def _changes(self, begins_at: datetime, ends_at: datetime) -> Iterator[datetime]:
        """Every moment at which somebody may come or go: nothing changes between two of them."""
        for moment in self._moments(begins_at, ends_at):
            if begins_at < moment < ends_at:
                yield moment

    def _moments(self, begins_at: datetime, ends_at: datetime) -> Iterator[datetime]:
        grid = begins_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while (grid := grid + _GRID) < ends_at:
            yield grid
        yield from (switch.until_at for switch in self.switches if switch.until_at is not None)
        for shift in self.shifts:
            zone = ZoneInfo(shift.zone)
            day, last = begins_at.astimezone(zone).date(), ends_at.astimezone(zone).date()
            while day <= last:
                for clock in (shift.start, shift.end):
                    # An hour that comes twice: both.
                    for fold in (0, 1):
                        yield datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC)
                day += _DAY


def check_rule(rule: str, first: date) -> None:
    """Raises RuleWrong for what is no rule of days, or names none."""
    if not all(map(_PART.fullmatch, rule.upper().split(";"))):
        raise RuleWrong(f"`{rule}` is no rule of days: write FREQ=WEEKLY;BYDAY=FR,SA. The hours stand apart")
    try:
        day = next(iter(rrulestr(rule, dtstart=datetime.combine(first, time()))), None)
    except (ValueError, TypeError) as error:
        raise RuleWrong(f"`{rule}` is not understood: write FREQ=WEEKLY;BYDAY=FR,SA") from error
    if day is None:
        raise RuleWrong(f"`{rule}` names no day from {first.isoformat()} on")


@lru_cache(maxsize=4096)
def _days(rule: str, first: date, year: int) -> frozenset[date]:
    """The days of a rule in one year."""
    parsed = rrulestr(rule, dtstart=datetime.combine(first, time()))
    found = parsed.between(datetime(year, 1, 1), datetime(year, 12, 31), inc=True)  # noqa: DTZ001  # days have no zone
    return frozenset(moment.date() for moment in found)
