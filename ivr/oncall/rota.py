"""Who is on duty at a moment. Hours are what a clock on the wall shows, in the zone of the shift: whoever is on call
from 22:00 to 06:00 is so in the night when clocks change too, and one shift ends when the next begins, all year."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ivr.oncall.people import Person, PersonId
from ivr.oncall.rule import falls_on

_DAY = timedelta(days=1)
_GRID = timedelta(minutes=30)
"""Clocks are changed at whole half hours of UTC."""


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
        return falls_on(self.rule, self.first, day) if self.rule else day == self.first


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
class _Own:
    """What there is of one person."""

    shifts: list[Shift] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rota:
    """Everybody, and their hours. `people` are in the order of their names. Nothing here takes longer than a few steps
    for each shift and day that is looked at, however long ago a shift began."""

    people: tuple[Person, ...] = ()
    shifts: tuple[Shift, ...] = ()
    switches: tuple[Switch, ...] = ()
    _own: Mapping[PersonId, "_Own"] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own: dict[PersonId, _Own] = {}
        for shift in self.shifts:
            own.setdefault(shift.person, _Own()).shifts.append(shift)
        for switch in self.switches:
            own.setdefault(switch.person, _Own()).switches.append(switch)
        object.__setattr__(self, "_own", MappingProxyType(own))

    def on_duty(self, at: datetime) -> tuple[Person, ...]:
        """Who can be rung at this moment, in the order of names. `at` is aware."""
        return tuple([person for person in self.people if self.is_on(person.id, at)])

    def is_on(self, person: PersonId, at: datetime) -> bool:
        decided = _decided(self._of(person).switches, at)
        return self.is_planned(person, at) if decided is None else decided

    def is_planned(self, person: PersonId, at: datetime) -> bool:
        """Whether she is on by her shifts, whatever she decided for now."""
        own = [shift for shift in self._of(person).shifts if shift.covers(at)]
        return bool(own) and not any(shift.is_break for shift in own)

    def own(self, person: PersonId) -> "Rota":
        """What there is of one person alone."""
        own = self._of(person)
        return Rota(tuple([one for one in self.people if one.id == person]), tuple(own.shifts), tuple(own.switches))

    def between(self, begins_at: datetime, ends_at: datetime) -> tuple[Stretch, ...]:
        """The whole time, cut where somebody comes or goes. Both aware."""
        begins_at, ends_at = begins_at.astimezone(UTC), ends_at.astimezone(UTC)
        changes = sorted(
            (moment, number, is_on)
            for number, person in enumerate(self.people)
            for moment, is_on in self._changes(person.id, begins_at, ends_at)
        )
        on, stretches = set[int](), list[Stretch]()
        for moment, together in groupby(changes, lambda change: change[0]):
            for _, number, is_on in together:
                (on.add if is_on else on.discard)(number)
            if stretches:
                stretches[-1] = Stretch(stretches[-1].begins_at, moment, stretches[-1].people)
            stretches.append(Stretch(moment, ends_at, tuple(self.people[number] for number in sorted(on))))
        return tuple(stretches) or (Stretch(begins_at, ends_at, ()),)

    def _of(self, person: PersonId) -> "_Own":
        return self._own.get(person, _NOTHING)

    def _changes(self, person: PersonId, begins_at: datetime, ends_at: datetime) -> Iterator[tuple[datetime, bool]]:
        """Whether somebody is on when it begins, and each time that this changes."""
        own = self._of(person)
        events = [(begins_at, 0, 0)]
        for shift in own.shifts:
            step = (0, 1) if shift.is_break else (1, 0)
            for begin, end in _times(shift, begins_at, ends_at):
                events += [(begin, *step), (end, -step[0], -step[1])]
        ends = [one.until_at.astimezone(UTC) for one in own.switches if one.until_at is not None]
        events += [(end, 0, 0) for end in ends if begins_at < end]
        shifts, breaks, was_on = 0, 0, None
        for moment, together in groupby(sorted(events), lambda event: event[0]):
            if moment >= ends_at:
                return
            for _, of_shifts, of_breaks in together:
                shifts, breaks = shifts + of_shifts, breaks + of_breaks
            decided = _decided(own.switches, moment)
            is_on = shifts > 0 and not breaks if decided is None else decided
            if is_on != was_on:
                yield moment, is_on
            was_on = is_on


_NOTHING = _Own()


def _decided(switches: Sequence[Switch], at: datetime) -> bool | None:
    """What somebody decided for that moment; None: nothing."""
    return next((switch.is_on for switch in switches if switch.holds(at)), None)


def _times(shift: Shift, begins_at: datetime, ends_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Every stretch of UTC on which a shift's clock shows its hours: two where an hour comes twice."""
    for begin, end, offset in _offsets(shift.zone, begins_at, ends_at):
        day, last = (begin + offset).date() - _DAY, (end + offset).date()
        while day <= last:
            if shift.falls_on(day):
                closes = day if shift.start < shift.end else day + _DAY
                starts_at = datetime.combine(day, shift.start, UTC) - offset
                stops_at = datetime.combine(closes, shift.end, UTC) - offset
                if max(starts_at, begin) < min(stops_at, end):
                    yield max(starts_at, begin), min(stops_at, end)
            day += _DAY


def _offsets(zone: str, begins_at: datetime, ends_at: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The whole time, cut where the clocks of a zone are changed, with how far they are ahead of UTC."""
    here, begin = ZoneInfo(zone), begins_at
    while begin < ends_at:
        offset, end = _ahead(begin, here), begin
        while end < ends_at and _ahead(min(end + _DAY, ends_at), here) == offset:
            end = min(end + _DAY, ends_at)
        if end < ends_at:
            end = end.replace(minute=0, second=0, microsecond=0)
            while end <= begin or (end < ends_at and _ahead(end, here) == offset):
                end += _GRID
        yield begin, min(end, ends_at), offset
        begin = min(end, ends_at)


def _ahead(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
