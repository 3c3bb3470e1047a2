"""Which days a rule names: as the standard says, where it means what it says; and in a few steps, whatever it is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.oncall import rule as rules
from ivr.oncall.people import PersonId
from ivr.oncall.rota import Shift
from ivr.oncall.rule import LATEST, RuleWrong, check_rule, falls_on, parse

FIRST = date(2026, 1, 1)
DAY = timedelta(days=1)
YEARS = 3 * 365
MOST_STEPS = 150
"""Lines of Python to know whether a shift covers a moment; 90 were the most that was seen."""

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def some(of: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(of, min_size=1, max_size=most).map(",".join)


weekday = st.sampled_from(WEEKDAYS)
counted = st.builds("{}{}".format, st.sampled_from([*range(-5, 0), *range(1, 6)]), weekday)
month_day = st.sampled_from([*range(-31, 0), *range(1, 32)]).map(str)
month = st.integers(1, 12).map(str)
until = st.dates(date(2026, 1, 1), date(2031, 1, 1)).map("{:%Y%m%d}".format)


@st.composite
def written(draw: st.DrawFn) -> str:
    """Every kind of rule that is taken, and some that are not."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": freq}
    may = st.booleans()
    if draw(may):
        parts["INTERVAL"] = str(draw(st.integers(1, 10)))
    if draw(may):
        parts["BYDAY"] = draw(some(weekday) if freq in ("DAILY", "WEEKLY") or draw(may) else some(counted | weekday))
    if freq in ("MONTHLY", "YEARLY") and draw(may):
        parts["BYMONTHDAY"] = draw(some(month_day))
    if draw(may):
        parts["BYMONTH"] = draw(some(month))
    if draw(may):
        parts["WKST"] = draw(weekday)
    match draw(st.sampled_from(["", "UNTIL", "COUNT"])):
        case "UNTIL":
            parts["UNTIL"] = draw(until)
        case "COUNT":
            parts["COUNT"] = str(draw(st.integers(1, 40)))
    return ";".join(f"{name}={value}" for name, value in draw(st.permutations(list(parts.items()))))


def is_taken(rule: str, first: date) -> bool:
    try:
        parse(rule, first)
    except RuleWrong:
        return False
    return True


firsts = st.dates(date(2015, 1, 1), date(2028, 12, 31))


@settings(max_examples=150, deadline=None)
@given(rule=written(), first=firsts, begin=st.dates(date(2026, 1, 1), date(2028, 12, 31)))
def test_a_rule_that_is_taken_names_the_days_that_the_standard_says(rule: str, first: date, begin: date) -> None:
    if not is_taken(rule, first):
        return
    ours = [begin + n * DAY for n in range(400) if falls_on(rule, first, begin + n * DAY)]
    ends = "" if "COUNT" in rule or "UNTIL" in rule else f";UNTIL={begin + 400 * DAY:%Y%m%d}"
    parsed = rrulestr(rule + ends, dtstart=datetime.combine(first, time()))
    theirs = parsed.between(datetime.combine(begin, time()), datetime.combine(begin + 399 * DAY, time()), inc=True)
    assert ours == [moment.date() for moment in theirs]


def test_most_of_what_the_test_above_draws_is_taken() -> None:
    drawn = [
        ("DAILY", ""),
        ("WEEKLY", ";BYDAY=FR,SA"),
        ("MONTHLY", ";BYDAY=-1FR"),
        ("MONTHLY", ";BYMONTHDAY=13;BYDAY=FR"),
    ]
    for freq, days in (*drawn, ("YEARLY", ";BYMONTH=12;BYMONTHDAY=24,25"), ("YEARLY", ""), ("MONTHLY", "")):
        for end in ("", ";UNTIL=20271231", ";WKST=SU;INTERVAL=2"):
            assert is_taken(f"FREQ={freq}{days}{end}", FIRST)


@pytest.mark.parametrize(
    ("rule", "cure"),
    [
        ("FREQ=WEEKLY;INTERVAL=0;BYDAY=FR", "INTERVAL is from 1 to 52 with WEEKLY"),
        ("FREQ=WEEKLY;INTERVAL=9999;BYDAY=FR", "INTERVAL is from 1 to 52 with WEEKLY"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL is from 1 to 366"),
        ("FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=DAILY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=WEEKLY;BYMONTHDAY=13", "write FREQ=MONTHLY;BYMONTHDAY=13"),
        ("FREQ=DAILY;BYMONTHDAY=13", "write FREQ=MONTHLY;BYMONTHDAY=13"),
        ("FREQ=WEEKLY;BYDAY=FR;BYDAY=SA", "BYDAY=FR,SA"),
        ("FREQ=WEEKLY;FREQ=DAILY", "FREQ twice"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20271231", "two ends"),
        ("FREQ=DAILY;COUNT=0", "COUNT is from 1 to 366"),
        ("FREQ=DAILY;COUNT=9999", "UNTIL=20271231"),
        ("FREQ=DAILY;BYDAY=MO;COUNT=3", "UNTIL=20271231"),
        ("FREQ=MONTHLY;COUNT=3", "UNTIL=20271231"),
        ("FREQ=DAILY;UNTIL=20271301", "UNTIL is the last day"),
        ("FREQ=DAILY;UNTIL=20271231T235959Z", "UNTIL is the last day"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=-1MO"),
        ("FREQ=MONTHLY;BYDAY=2FR;BYMONTHDAY=13", "BYMONTHDAY=13 or BYDAY=2FR"),
        ("FREQ=MONTHLY;BYDAY=FR,1MO", "two shifts"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTH=13;BYMONTHDAY=1", "from 1 to 12"),
        ("FREQ=MONTHLY;BYMONTH=5", "on which days"),
        ("FREQ=YEARLY;BYMONTHDAY=1", "in which month"),
        ("FREQ=YEARLY;BYDAY=20MO", "1MO for the first Monday"),
        ("FREQ=YEARLY;BYDAY=1MO", "in which month"),
        ("FREQ=YEARLY;BYWEEKNO=20", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"),
        ("FREQ=YEARLY;BYYEARDAY=200", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24"),
        ("FREQ=WEEKLY;BYEASTER=0", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=WEEKLY;BYDAY=FR;WKST=1", "WKST"),
        ("FREQ=WEEKLY;BYDAY=", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=WEEKLY;BYDAY=FR;", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=WEEKLY;BYDAY=ＦＲ", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=WEEKLY;INTERVAL=１;BYDAY=FR", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("BYDAY=FR", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=WEEKLY;" + "BYDAY=" + "FR," * 100 + "FR", "at most 200 characters"),
        *(
            (rule, "FREQ=WEEKLY;BYDAY=FR,SA")
            for rule in ("FREQ=SECONDLY", "FREQ=MINUTELY;BYDAY=FR", "FREQ=HOURLY", "on fridays", "DTSTART:20270101", "")
        ),
        ("FREQ=WEEKLY;BYHOUR=3", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "names no day from 2026-01-01"),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "names no day"),  # from 2026: 2030, 2034 ...
        ("FREQ=DAILY;UNTIL=20251231", "names no day from 2026-01-01"),
    ],
)
def test_what_does_not_mean_what_it_says_is_refused_with_what_to_write(rule: str, cure: str) -> None:
    with pytest.raises(RuleWrong) as refused:
        check_rule(rule, FIRST)
    assert cure in str(refused.value)
    assert "FREQ=" in cure or len(str(refused.value)) < 240


@pytest.mark.parametrize("first", [date.min, date.max, date(1969, 12, 31), date(2200, 1, 1)])
def test_a_first_day_that_no_rota_knows_is_refused(first: date) -> None:
    with pytest.raises(RuleWrong, match="no day to begin on"):
        check_rule("FREQ=DAILY", first)
    assert not falls_on("FREQ=DAILY", first, FIRST)


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;INTERVAL=0;BYDAY=FR", "FREQ=SECONDLY", "\0", "💣" * 1000])
def test_what_is_no_rule_names_no_day(rule: str) -> None:
    assert not any(falls_on(rule, FIRST, FIRST + n * DAY) for n in range(14))


# ---- steps ----


@contextmanager
def steps() -> Iterator[Callable[[], int]]:
    """How many lines of ours, and of what we call, are run meanwhile."""
    count = 0

    def trace(_frame: FrameType, what: str, _arg: Any) -> Any:  # as sys.settrace takes it
        nonlocal count
        count += what == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: count
    finally:
        sys.settrace(before)


def most_steps(shift: Shift, moments: list[datetime]) -> int:
    """The most that it takes to know whether it covers one of these, when its rule has just been read."""
    rules._parsed.cache_clear()  # otherwise the second time would be cheap, whatever the first was
    found = 0
    ZoneInfo(shift.zone)  # its file is read once
    for moment in moments:
        falls_on(shift.rule, shift.first, FIRST)
        with steps() as counted:
            shift.covers(moment)
            found = max(found, counted())
    return found


ancient = st.dates(date(1, 1, 1), date(9999, 12, 31))
anything = (
    written()
    | st.text(max_size=60)
    | st.sampled_from(
        [
            "FREQ=WEEKLY;INTERVAL=0;BYDAY=FR",
            "FREQ=SECONDLY",
            "FREQ=DAILY;COUNT=366",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        ]
    )
)


@settings(max_examples=150, deadline=None)
@given(rule=anything, first=firsts | ancient, minutes=st.lists(st.integers(0, YEARS * 1440), min_size=1, max_size=5))
def test_whatever_the_rule_a_moment_in_three_years_is_known_in_a_few_steps(
    rule: str, first: date, minutes: list[int]
) -> None:
    """Also where it lies in the database, and nobody would take it."""
    shift = Shift(b"", PersonId(b""), first, time(), time(), "UTC", rule)
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=one) for one in minutes]
    assert most_steps(shift, moments) <= MOST_STEPS


@settings(max_examples=150, deadline=None)
@given(rule=anything, first=firsts | ancient)
def test_reading_a_rule_takes_a_few_steps_too(rule: str, first: date) -> None:
    with steps() as counted:
        is_taken(rule, first)
        assert counted() <= 4000


def test_mutant_a_rule_that_is_walked_from_its_beginning_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def walked(rule: str, first: date, day: date) -> bool:
        return any(moment.date() == day for moment in rrulestr(rule, dtstart=datetime.combine(first, time())))

    monkeypatch.setattr("ivr.oncall.rota.falls_on", walked)  # no constructor takes it
    shift = Shift(b"", PersonId(b""), date(2015, 1, 1), time(), time(), "UTC", "FREQ=DAILY;COUNT=4000")
    assert most_steps(shift, [datetime(2026, 1, 1, tzinfo=UTC)]) > MOST_STEPS


def test_the_last_day_of_a_count_is_never_after_what_a_rota_knows() -> None:
    assert parse("FREQ=DAILY;INTERVAL=366;COUNT=366", FIRST).until == LATEST
    assert Path(rules.__file__).read_text("utf-8").count("while") == 0
