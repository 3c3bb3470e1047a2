"""Shifts as they are written, read, told and exchanged with a spreadsheet; and the hours on which nobody answers."""

import csv
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.oncall import timetable, writing
from ivr.oncall.coverage import Gap, gaps
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.rota import Rota, Shift
from ivr.oncall.timetable import TimetableWrong
from ivr.oncall.writing import ShiftWrong

FIRST = date(2027, 3, 1)
LONDON, NEW_YORK = "Europe/London", "America/New_York"
BO = Person(PersonId(b"bo"), "bo", "+12125550143", ("en",), Tier.ON_CALL, NEW_YORK)
LUZ = Person(PersonId(b"luz"), "luz", "+12125550144", ("es",), Tier.ON_CALL, LONDON)


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [("22:00-06:00", time(22), time(6)), ("00:00-24:00", time(), time()), (" 09:30-17:00 ", time(9, 30), time(17))],
)
def test_hours_are_read_as_a_clock_shows_them(written: str, start: time, end: time) -> None:
    assert writing.hours(written) == (start, end)


@pytest.mark.parametrize("written", ["9-5", "25:00-26:00", "22:00", "10:60-12:00", "24:00-06:00", "22:00 to 06:00", ""])
def test_hours_that_no_clock_shows_are_refused_with_some_that_one_does(written: str) -> None:
    with pytest.raises(ShiftWrong, match="22:00-06:00"):
        writing.hours(written)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("every day", "FREQ=DAILY"),
        ("sat,fri", "FREQ=WEEKLY;BYDAY=FR,SA"),
        ("Mon", "FREQ=WEEKLY;BYDAY=MO"),
        ("once", ""),
        ("freq=monthly;byday=1sa", "FREQ=MONTHLY;BYDAY=1SA"),
    ],
)
def test_days_are_read_in_words_or_as_a_rule(written: str, rule: str) -> None:
    assert writing.rule(written, first=FIRST) == rule


@pytest.mark.parametrize("written", ["fridays", "mon-fri", "FREQ=SECONDLY", "mon,,tue"])
def test_days_that_are_none_are_refused(written: str) -> None:
    with pytest.raises(ShiftWrong, match="FREQ=WEEKLY"):
        writing.rule(written, first=FIRST)


def test_a_last_day_ends_what_is_repeated() -> None:
    rule = writing.rule("every day", first=FIRST, until=date(2027, 3, 7))
    shift = Shift(b"", BO.id, FIRST, time(9), time(17), NEW_YORK, rule)
    assert [shift.falls_on(date(2027, 3, day)) for day in (1, 7, 8)] == [True, True, False]
    assert writing.last_day(shift) == date(2027, 3, 7)
    with pytest.raises(ShiftWrong, match="no day from 2027-03-01"):
        writing.rule("every day", first=FIRST, until=date(2027, 2, 1))


SHIFTS = st.builds(
    lambda person, first, start, end, zone, rule, is_break: Shift(
        b"", person.id, first, start, end, zone, rule, is_break=is_break
    ),
    st.sampled_from([BO, LUZ]),
    st.dates(date(2026, 1, 1), date(2028, 1, 1)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from([LONDON, NEW_YORK]),
    st.sampled_from(
        ["", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=DAILY;UNTIL=20290101", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"]
    ),
    st.booleans(),
)


@given(st.lists(SHIFTS, max_size=6))
def test_what_a_spreadsheet_is_given_comes_back_the_same(shifts: list[Shift]) -> None:
    text = timetable.written(Rota((BO, LUZ), tuple(shifts)))
    names = {"bo": BO.id, "luz": LUZ.id}
    back = [
        (names[name], one.first, one.start, one.end, one.zone, one.rule, one.is_break)
        for name, one in timetable.read(text, (BO, LUZ))
    ]
    given_ = [(one.person, one.first, one.start, one.end, one.zone, one.rule, one.is_break) for one in shifts]
    assert sorted(back) == sorted(given_)
    assert "555" not in text


NAMES = (
    *(
        f"{first}HYPERLINK(1)"
        for first in ("=", "+", "-", "@", "'=", "''+", "'", " =", "\t=", "\r=", "\n=", "＝", "＠")
    ),
    "\x1b[31mred\x1b[0m",
    "\u202egnol",
    "a,b",
    'a"b',
    "bo\nname,on",
    " bo ",
    "\x9b2J",
)


def is_formula(cell: str) -> bool:
    return cell.lstrip(" ")[:1] in tuple("=+-@\t\r\n＝＋－＠")


def test_no_name_makes_a_formula_or_moves_a_cursor_and_every_name_comes_back() -> None:
    people = tuple(replace(BO, id=PersonId(name.encode()), name=name) for name in NAMES)
    shifts = tuple(Shift(b"", one.id, FIRST, time(9), time(17), NEW_YORK, "FREQ=DAILY") for one in people)
    text = timetable.written(Rota(people, shifts))
    assert text.replace("\n", "").isprintable()
    assert not [cell for line in csv.reader(StringIO(text)) for cell in line if is_formula(cell)]
    assert sorted(name for name, _ in timetable.read(text, people)) == sorted(NAMES)


def test_a_spreadsheet_that_is_too_long_or_none_at_all_is_refused_with_a_sentence() -> None:
    line = "bo,mon,09:00-17:00,2027-03-01\n"
    header = "name,days,hours,first\n"
    assert len(timetable.read(header + line * timetable.MOST_LINES, (BO,))) == timetable.MOST_LINES
    with pytest.raises(TimetableWrong, match="more than 5,000 lines: write rules"):
        timetable.read(header + line * 200_000, (BO,))
    with pytest.raises(TimetableWrong, match="this is no CSV"):
        timetable.read(header + '"' + "x" * 200_000, (BO,))
    with pytest.raises(TimetableWrong) as wrong:
        timetable.read(header + "nobody,mon,9,x\n" * 3000, (BO,))
    assert wrong.value.problems[-1] == f"and {3000 - timetable.MOST_PROBLEMS} more"


def test_what_a_spreadsheet_left_out_is_hers_and_its_mark_at_the_beginning_is_nothing() -> None:
    [(name, shift)] = timetable.read("\ufeffname,days,hours,first\nluz,mon,09:00-17:00,2027-03-01\n", (BO, LUZ))
    assert (name, shift.zone, shift.is_break) == ("luz", LONDON, False)


def test_every_line_that_is_wrong_is_told_at_once() -> None:
    lines = (
        "name,kind,days,hours,first",
        "bo,on,mon,9-5,2027-03-01",
        "xx,on,mon,09:00-17:00,2027-03-01",
        "bo,off,mon,09:00-17:00,2027-03-01",
        "bo,on,mon,09:00-17:00,1.3.27",
    )
    with pytest.raises(TimetableWrong) as wrong:
        timetable.read("\n".join(lines), (BO, LUZ))
    assert [problem.split(":")[0] for problem in wrong.value.problems] == ["line 2", "line 3", "line 4", "line 5"]
    with pytest.raises(TimetableWrong, match="no column hours, first"):
        timetable.read("name,days\nbo,mon\n", (BO, LUZ))
    with pytest.raises(TimetableWrong, match="no column name"):
        timetable.read("", (BO, LUZ))


def test_hours_without_anybody_and_without_her_language_are_told_apart() -> None:
    here = ZoneInfo(NEW_YORK)
    day = datetime(2027, 3, 3, tzinfo=here)
    hours = ((BO, 6, 14), (LUZ, 12, 20))
    shifts = tuple(Shift(b"", who.id, FIRST, time(a), time(b), NEW_YORK, "FREQ=DAILY") for who, a, b in hours)
    found = gaps(Rota((BO, LUZ), shifts), ("en", "es"), day, day + timedelta(days=1))

    def at(hour: int) -> datetime:
        return day + timedelta(hours=hour)

    assert found == (
        Gap(at(0), at(6)),
        Gap(at(20), at(24)),
        Gap(at(14), at(20), "en"),
        Gap(at(6), at(12), "es"),
    )


def test_a_rota_without_a_gap_has_none() -> None:
    always = Shift(b"", BO.id, FIRST, time(), time(), NEW_YORK, "FREQ=DAILY")
    begins_at = datetime(2027, 3, 8, tzinfo=ZoneInfo(NEW_YORK))
    assert gaps(Rota((BO,), (always,)), ("en",), begins_at, begins_at + timedelta(weeks=40)) == ()
