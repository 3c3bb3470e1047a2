"""How calls that somebody took ended, as she keyed it afterwards: counted by the week, and of no call in particular.
Rough, because she may key nothing, or the wrong thing; internal, because small numbers tell of single people."""

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ivr.services.reports import week_of
from ivr.store import tallies
from ivr.store.database import Database, StoreUnavailable

TRANSFER = "transfer"
"""The kind of what is counted here."""

_WEEK = re.compile(r"(\d{4})-W(\d\d)")
_THURSDAY = 4


class Outcome(StrEnum):
    """What she may key; `untold` if she keys nothing."""

    HELPED = "helped"
    REFERRED = "referred"
    HUNG_UP = "hung_up"
    UNTOLD = "untold"


_KEYED = frozenset(outcome.value for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class Counted:
    """The outcomes of a month (YYYY-MM) or a week (YYYY-Www)."""

    when: str
    numbers: Mapping[Outcome, int]


async def count_outcome(database: Database, what: Outcome, today: date) -> None:
    """One more, in this day's week. Never raises: lost where the database is away.

    It counts as often as it is asked to: whoever asks sees to it that a webhook that comes twice asks once."""
    with suppress(StoreUnavailable):
        await database.write(lambda found: tallies.count_one(found, week_of(today), TRANSFER, what.value))


async def by_week(database: Database) -> tuple[Counted, ...]:
    """Every week in which something was counted, the earliest first. Raises StoreUnavailable."""
    numbers: dict[str, Counter[Outcome]] = {}
    for row in await database.read(lambda found: tallies.of_kind(found, TRANSFER)):
        if row.what in _KEYED and month_of(row.week):  # or another hand wrote it
            numbers.setdefault(row.week, Counter())[Outcome(row.what)] += row.count
    return tuple(Counted(week, of_week) for week, of_week in numbers.items())


async def by_month(database: Database) -> tuple[Counted, ...]:
    """The same by months. Raises StoreUnavailable."""
    numbers: dict[str, Counter[Outcome]] = {}
    for week in await by_week(database):
        numbers.setdefault(month_of(week.when), Counter()).update(week.numbers)
    return tuple(Counted(month, of_month) for month, of_month in numbers.items())


def month_of(week: str) -> str:
    """The month (YYYY-MM) that most of a week (YYYY-Www) lies in: that of its Thursday. Empty for what is no week."""
    found = _WEEK.fullmatch(week)
    with suppress(ValueError):
        return f"{date.fromisocalendar(int(found[1]), int(found[2]), _THURSDAY):%Y-%m}" if found else ""
    return ""
