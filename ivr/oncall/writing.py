"""Shifts as people write them, and as they are told. Reading raises ShiftWrong with what to write."""

import re
from datetime import date, time
from functools import cache
from zoneinfo import available_timezones

from ivr.oncall.rota import Shift
from ivr.oncall.rule import EARLIEST, LATEST, RuleWrong, check_rule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = "every day"
ONCE = "once"

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_WEEKLY = re.compile(r"FREQ=WEEKLY;BYDAY=([A-Z]{2}(?:,[A-Z]{2})*)((?:;UNTIL=\d{8})?)")
_DAILY = re.compile(r"FREQ=DAILY((?:;UNTIL=\d{8})?)")


class ShiftWrong(ValueError):
    """What was written is no shift; the message says what to write."""


def hours(written: str) -> tuple[time, time]:
    """`22:00-06:00`: from and to on the clock, the next day's where it is not later. `24:00` is the end of the day."""
    found = _HOURS.fullmatch(written.strip())
    try:
        if found is None:
            raise ValueError
        start, end = time(int(found[1]), int(found[2])), _end(int(found[3]), int(found[4]))
    except ValueError:
        raise ShiftWrong(f"`{written}` is no time of day: write 22:00-06:00, or 00:00-24:00 for a whole day") from None
    return start, end


def rule(written: str, *, first: date, until: date | None = None) -> str:
    """`every day`, `fri,sat`, `once` or an RRULE, as a rule from `first` until and with `until`."""
    words = written.strip().lower()
    if words in (ONCE, ""):
        return ""
    if words in (EVERY_DAY, "every-day", "daily"):
        made = "FREQ=DAILY"
    elif all(word.strip() in DAYS for word in words.split(",")):
        chosen = {word.strip() for word in words.split(",")}
        made = "FREQ=WEEKLY;BYDAY=" + ",".join(day[:2].upper() for day in DAYS if day in chosen)
    elif "=" in words:
        made = written.strip().upper()
    else:
        raise ShiftWrong(f"`{written}` are no days: write mon,wed or `every day`, or a rule like FREQ=WEEKLY;BYDAY=FR")
    if until is not None and "UNTIL=" not in made:
        made = f"{made};UNTIL={until:%Y%m%d}"
    try:
        check_rule(made, first)
    except RuleWrong as error:
        raise ShiftWrong(str(error)) from error
    return made


def day(written: str) -> date:
    """`2027-03-13`."""
    try:
        if not _DATE.fullmatch(written.strip()):
            raise ValueError
        read = date.fromisoformat(written.strip())
    except ValueError:
        raise ShiftWrong(f"`{written}` is no day: write it as 2027-03-13") from None
    if not EARLIEST <= read <= LATEST:
        raise ShiftWrong(f"`{written}` is no day that a rota knows: it is not between {EARLIEST} and {LATEST}")
    return read


def zone(written: str) -> str:
    """A name of the time zone database."""
    if not is_zone(written):
        raise ShiftWrong(f"`{written}` is no time zone: write one like America/New_York")
    return written


def is_zone(written: str) -> bool:
    return written in _zones()


@cache
def _zones() -> frozenset[str]:
    """Looking for them reads hundreds of files."""
    return frozenset(available_timezones())


def told_hours(shift: Shift) -> str:
    """`22:00-06:00`."""
    end = "24:00" if shift.end == time() else f"{shift.end:%H:%M}"
    return f"{shift.start:%H:%M}-{end}"


def told_days(shift: Shift) -> str:
    """As `rule` reads it: `every day`, `fri,sat`, `once`, or the rule itself."""
    if not shift.rule:
        return ONCE
    if found := _DAILY.fullmatch(shift.rule):
        return EVERY_DAY
    if found := _WEEKLY.fullmatch(shift.rule):
        chosen = found[1].split(",")
        return ",".join(name for name in DAYS if name[:2].upper() in chosen)
    return shift.rule


def last_day(shift: Shift) -> date | None:
    """The day after which its rule names no more."""
    found = re.search(r"UNTIL=(\d{4})(\d\d)(\d\d)", shift.rule)
    return date(*map(int, found.groups())) if found else None


def _end(hour: int, minute: int) -> time:
    return time() if (hour, minute) == (24, 0) else time(hour, minute)
