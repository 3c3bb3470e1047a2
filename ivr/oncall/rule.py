"""The days of a repeated shift: the part of RFC 5545's recurrence rules (RRULE) that says what it means to somebody who
reads it. Whatever else a calendar can write is refused, with what to write instead.

Nothing is expanded: whether a day belongs to a rule is arithmetic, however long ago the rule began."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

EXAMPLE = "write FREQ=WEEKLY;BYDAY=FR,SA"

LONGEST = 200
"""Characters of a rule."""
MOST_COUNTED = 366
"""The largest COUNT."""
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)
"""Days that the rota knows."""
LOOKS_AHEAD = 15_000
"""Days: the rarest that can be asked for is a Friday 29 February, which may come only after forty years."""

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = timedelta(days=1)
_WEEK = 7


class RuleWrong(ValueError):
    """Nobody can be on duty by this rule; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From `first` on. `weekdays` are numbers from Monday, 0, each with which of the month it is: 0 for every, 1 for
    the first, -1 for the last. What is empty limits nothing."""

    first: date
    freq: str
    interval: int = 1
    weekdays: frozenset[tuple[int, int]] = frozenset()
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    week_start: int = 0
    until: date = LATEST

    def includes(self, day: date) -> bool:
        return (
            self.first <= day <= self.until
            and (not self.months or day.month in self.months)
            and self._falls_in_turn(day)
            and self._is_of_weekdays(day)
            and self._is_of_month_days(day)
        )

    def _falls_in_turn(self, day: date) -> bool:
        """Whether the day's week, month or year is one of those that are not left out."""
        first = self.first
        match self.freq:
            case "DAILY":
                passed = day.toordinal() - first.toordinal()
            case "WEEKLY":
                passed = self._week(day) - self._week(first)
            case "MONTHLY":
                passed = (day.year - first.year) * 12 + day.month - first.month
            case _:
                passed = day.year - first.year
        return passed % self.interval == 0

    def _week(self, day: date) -> int:
        return (day.toordinal() - 1 - self.week_start) // _WEEK

    def _is_of_weekdays(self, day: date) -> bool:
        if not self.weekdays:
            return self.freq != "WEEKLY" or day.weekday() == self.first.weekday()
        weekday, last = day.weekday(), monthrange(day.year, day.month)[1]
        nth, nth_last = (day.day - 1) // _WEEK + 1, -((last - day.day) // _WEEK + 1)
        return any((weekday, which) in self.weekdays for which in (0, nth, nth_last))

    def _is_of_month_days(self, day: date) -> bool:
        if self.month_days:
            last = monthrange(day.year, day.month)[1]
            return day.day in self.month_days or day.day - last - 1 in self.month_days
        if self.weekdays or self.freq not in ("MONTHLY", "YEARLY"):
            return True
        return day.day == self.first.day and (self.freq == "MONTHLY" or day.month == self.first.month)


def check_rule(rule: str, first: date) -> None:
    """Raises RuleWrong for what is no rule of days, or names none."""
    read = parse(rule, first)
    last = min(read.until, LATEST, first + LOOKS_AHEAD * _DAY)
    if not any(read.includes(first + n * _DAY) for n in range((last - first).days + 1)):
        raise RuleWrong(f"`{rule}` names no day from {first.isoformat()} on")


def falls_on(rule: str, first: date, day: date) -> bool:
    """Whether it names this day. What is no rule names none."""
    read = _parsed(rule, first)
    return isinstance(read, Rule) and read.includes(day)


def parse(rule: str, first: date) -> Rule:
    """Raises RuleWrong."""
    found = _parsed(rule, first)
    if isinstance(found, RuleWrong):
        raise found
    return found


@lru_cache(maxsize=8192)
def _parsed(rule: str, first: date) -> Rule | RuleWrong:
    """What is wrong is remembered too: it may lie in the database, and be read at every transfer."""
    try:
        return _read(rule, first)
    except RuleWrong as error:
        return RuleWrong(str(error))


def _read(rule: str, first: date) -> Rule:
    if len(rule) > LONGEST:
        raise RuleWrong(f"a rule has at most {LONGEST} characters: {EXAMPLE}")
    if not EARLIEST <= first <= LATEST:
        raise RuleWrong(f"{first.isoformat()} is no day to begin on: it is not between {EARLIEST} and {LATEST}")
    parts = _parts(rule)
    freq = parts.get("FREQ", "")
    if freq not in _TAKES:
        raise RuleWrong(f"`{rule}` is no rule of days: {EXAMPLE}. The hours stand apart")
    if strange := [name for name in parts if name not in _TAKES[freq]]:
        raise RuleWrong(f"`{rule}`: {strange[0]} does not go with {freq}: {_INSTEAD.get(strange[0], EXAMPLE)}")
    read = Rule(
        first,
        freq,
        _interval(rule, freq, parts.get("INTERVAL", "1")),
        frozenset(map(_weekday, _listed(parts, "BYDAY"))),
        frozenset(_number(part, "BYMONTHDAY", -31, 31) for part in _listed(parts, "BYMONTHDAY")),
        frozenset(_number(part, "BYMONTH", 1, 12) for part in _listed(parts, "BYMONTH")),
        _WEEKDAYS.index(_one_of(parts.get("WKST", "MO"), "WKST")),
    )
    _require_clear(rule, read)
    return _ended(rule, read, parts)


def _parts(rule: str) -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for part in rule.upper().split(";"):
        found = re.fullmatch(r"([A-Z]+)=([-+0-9A-Z,]+)", part)
        if found is None:
            raise RuleWrong(f"`{rule}` is no rule of days: {EXAMPLE}. The hours stand apart")
        if found[1] in parts:
            raise RuleWrong(f"`{rule}` says {found[1]} twice: say it once, with commas between, as in BYDAY=FR,SA")
        parts[found[1]] = found[2]
    return parts


_ALWAYS = frozenset({"FREQ", "INTERVAL", "UNTIL", "WKST", "BYDAY", "BYMONTH"})
_TAKES: Mapping[str, frozenset[str]] = {
    "DAILY": _ALWAYS | {"COUNT"},
    "WEEKLY": _ALWAYS | {"COUNT"},
    "MONTHLY": _ALWAYS | {"BYMONTHDAY"},
    "YEARLY": _ALWAYS | {"BYMONTHDAY"},
}
_INSTEAD = {
    "COUNT": "say the last day, as UNTIL=20271231",
    "BYMONTHDAY": "write FREQ=MONTHLY;BYMONTHDAY=13",
    "BYSETPOS": "write the first Monday as FREQ=MONTHLY;BYDAY=1MO, the last as FREQ=MONTHLY;BYDAY=-1MO",
    "BYWEEKNO": "write every second week as FREQ=WEEKLY;INTERVAL=2;BYDAY=FR",
    "BYYEARDAY": "write FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24",
    "BYHOUR": f"the hours stand apart: {EXAMPLE}",
}
_LONGEST_INTERVAL = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 24, "YEARLY": 10}


def _interval(rule: str, freq: str, written: str) -> int:
    longest = _LONGEST_INTERVAL[freq]
    if re.fullmatch(r"[0-9]{1,3}", written) and 1 <= int(written) <= longest:
        return int(written)
    raise RuleWrong(f"`{rule}`: INTERVAL is from 1 to {longest} with {freq}: every second one is INTERVAL=2")


def _listed(parts: Mapping[str, str], name: str) -> list[str]:
    return parts[name].split(",") if name in parts else []


def _number(written: str, name: str, lowest: int, highest: int) -> int:
    if re.fullmatch(r"[-+]?[0-9]{1,2}", written) and lowest <= int(written) <= highest and int(written) != 0:
        return int(written)
    raise RuleWrong(f"`{name}={written}` is none: {name} is a number from {1 if lowest < 0 else lowest} to {highest}")


def _weekday(written: str) -> tuple[int, int]:
    found = re.fullmatch(r"([-+]?[1-5])?([A-Z]{2})", written)
    if found is None:
        raise RuleWrong(f"`BYDAY={written}` is no day of the week: {EXAMPLE}, or 1MO for the first Monday of a month")
    return _WEEKDAYS.index(_one_of(found[2], "BYDAY")), int(found[1] or 0)


def _one_of(written: str, name: str) -> str:
    if written in _WEEKDAYS:
        return written
    raise RuleWrong(f"`{name}={written}` is no day of the week, which are {', '.join(_WEEKDAYS)}: {EXAMPLE}")


def _require_clear(rule: str, read: Rule) -> None:
    """Raises RuleWrong for what the standard allows, and few would read as it does."""
    is_counted = any(which for _, which in read.weekdays)
    if is_counted and not all(which for _, which in read.weekdays):
        raise RuleWrong(f"`{rule}` has some weekdays counted and others not: write two shifts, BYDAY=1MO and BYDAY=FR")
    if read.freq in ("DAILY", "WEEKLY") and is_counted:
        raise RuleWrong(f"`{rule}`: the first Monday of each month is FREQ=MONTHLY;BYDAY=1MO; every Monday is BYDAY=MO")
    if is_counted and read.month_days:
        raise RuleWrong(f"`{rule}`: a day of the month by its number or by its weekday: BYMONTHDAY=13 or BYDAY=2FR")
    if read.freq == "YEARLY" and (read.weekdays or read.month_days) and not read.months:
        raise RuleWrong(f"`{rule}` does not say in which month: write FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24")
    if read.freq in ("MONTHLY", "YEARLY") and read.months and not (read.weekdays or read.month_days):
        raise RuleWrong(f"`{rule}` does not say on which days: add BYMONTHDAY=24, BYDAY=1MO or BYDAY=MO")


def _ended(rule: str, read: Rule, parts: Mapping[str, str]) -> Rule:
    if "UNTIL" in parts and "COUNT" in parts:
        raise RuleWrong(f"`{rule}` has two ends: write UNTIL=20271231 or COUNT=10")
    until = read.until
    if "UNTIL" in parts:
        until = _last(rule, parts["UNTIL"])
    elif "COUNT" in parts:
        until = _counted(rule, read, parts["COUNT"])
    return Rule(
        read.first, read.freq, read.interval, read.weekdays, read.month_days, read.months, read.week_start, until
    )


def _last(rule: str, written: str) -> date:
    try:
        if not re.fullmatch(r"[0-9]{8}", written):
            raise ValueError
        return date.fromisoformat(written)
    except ValueError:
        raise RuleWrong(f"`{rule}`: UNTIL is the last day, as UNTIL=20271231") from None


def _counted(rule: str, read: Rule, written: str) -> date:
    """The last of so many days. Few steps: a counted rule is of days or of weeks, and leaves none of them out."""
    if not re.fullmatch(r"[0-9]{1,3}", written) or not 1 <= int(written) <= MOST_COUNTED:
        raise RuleWrong(f"`{rule}`: COUNT is from 1 to {MOST_COUNTED}: for more say the last day, as UNTIL=20271231")
    if read.months or (read.freq == "DAILY" and read.weekdays):
        raise RuleWrong(f"`{rule}`: COUNT does not go with this: say the last day, as UNTIL=20271231")
    count = int(written)
    if read.freq == "DAILY":
        return _bounded(read.first.toordinal() + (count - 1) * read.interval)
    chosen = sorted((day - read.week_start) % _WEEK for day, _ in read.weekdays) or [_in_week(read)]
    in_first = sum(1 for day in chosen if day >= _in_week(read))
    week, at = divmod(max(count - in_first, 0) + len(chosen) - 1, len(chosen))
    at = at if count > in_first else len(chosen) - in_first + count - 1
    begins = read.first.toordinal() - _in_week(read)
    return _bounded(begins + week * read.interval * _WEEK + chosen[at])


def _in_week(read: Rule) -> int:
    """How far into its week the first day is."""
    return (read.first.weekday() - read.week_start) % _WEEK


def _bounded(ordinal: int) -> date:
    return date.fromordinal(min(ordinal, LATEST.toordinal()))
