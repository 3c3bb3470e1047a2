"""Who is on duty: overnight, when clocks change, on breaks, and by her own decision for now."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.rota import Rota, Shift, Switch

ZONES = ("America/New_York", "America/Phoenix", "Europe/London", "Pacific/Chatham", "Asia/Kolkata")
NEW_YORK = "America/New_York"
FIRST = date(2026, 1, 1)
DAILY = "FREQ=DAILY"


def person(name: str, zone: str = NEW_YORK) -> Person:
    return Person(PersonId(name.encode()), name, "+12125550143", ("en",), Tier.ON_CALL, zone)


ANA, BO, CY = person("ana"), person("bo"), person("cy")


def clock(text: str) -> time:
    return time.fromisoformat(text)


def shift(
    who: Person, hours: str, rule: str = DAILY, *, first: date = FIRST, zone: str = "", off: bool = False
) -> Shift:
    start, end = map(clock, hours.split("-"))
    return Shift(f"{who.name} {hours} {rule}".encode(), who.id, first, start, end, zone or who.zone, rule, is_break=off)


def at(text: str, zone: str = NEW_YORK, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def names(rota: Rota, moment: datetime) -> list[str]:
    return [one.name for one in rota.on_duty(moment)]


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    rota = Rota((BO,), (shift(BO, "22:00-06:00", "FREQ=WEEKLY;BYDAY=MO"),))
    on = {
        text: names(rota, at(text)) == ["bo"]
        for text in ("2027-03-01 02:00", "2027-03-01 21:59", "2027-03-01 22:00", "2027-03-02 02:00", "2027-03-02 06:00")
    }  # 1 March 2027 is a Monday
    assert on == {
        "2027-03-01 02:00": False,
        "2027-03-01 21:59": False,
        "2027-03-01 22:00": True,
        "2027-03-02 02:00": True,
        "2027-03-02 06:00": False,
    }


def test_a_shift_of_a_whole_day_and_one_that_is_once() -> None:
    rota = Rota((ANA, BO), (shift(ANA, "00:00-00:00"), shift(BO, "20:00-02:00", "", first=date(2027, 3, 13))))
    assert names(rota, at("2027-03-13 23:00")) == ["ana", "bo"]
    assert names(rota, at("2027-03-14 01:59")) == ["ana", "bo"]
    assert names(rota, at("2027-03-14 20:30")) == ["ana"]
    assert names(rota, at("2025-12-31 12:00")) == []


def test_every_second_week_means_every_second_week() -> None:
    rota = Rota((BO,), (shift(BO, "18:00-20:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", first=date(2027, 3, 5)),))
    fridays = [date(2027, 3, 5) + timedelta(weeks=week) for week in range(6)]
    assert [bool(names(rota, at(f"{day} 19:00"))) for day in fridays] == [True, False] * 3


def test_a_break_takes_away_what_shifts_give_and_a_decision_for_now_stands_over_both() -> None:
    night = shift(BO, "22:00-06:00")
    away = shift(BO, "00:00-00:00", "FREQ=DAILY;UNTIL=20270307", first=date(2027, 3, 1), off=True)
    rota = Rota((BO,), (night, away))
    assert names(rota, at("2027-03-03 23:00")) == []
    assert names(rota, at("2027-03-08 23:00")) == ["bo"]
    for_now = Rota((BO,), (night, away), (Switch(BO.id, is_on=True, until_at=at("2027-03-03 23:30")),))
    assert names(for_now, at("2027-03-03 23:00")) == ["bo"]
    assert names(for_now, at("2027-03-03 23:30")) == []
    off = Rota((BO,), (night,), (Switch(BO.id, is_on=False),))
    assert names(off, at("2027-03-09 23:00")) == []
    assert off.is_planned(BO.id, at("2027-03-09 23:00"))


@pytest.mark.parametrize("zone", ZONES)
def test_for_every_hour_of_three_years_who_is_on_is_who_the_clock_on_the_wall_says(zone: str) -> None:
    shifts = (
        shift(ANA, "06:00-14:00", zone=zone),
        shift(BO, "14:00-22:00", zone=zone),
        shift(CY, "22:00-06:00", zone=zone),
    )
    rota = Rota((ANA, BO, CY), shifts)
    here, moment = ZoneInfo(zone), datetime(2026, 1, 2, tzinfo=UTC)
    while moment < datetime(2029, 1, 1, tzinfo=UTC):
        hour = moment.astimezone(here).hour
        expected = "cy" if hour < 6 or hour >= 22 else "ana" if hour < 14 else "bo"
        assert names(rota, moment) == [expected], moment
        moment += timedelta(hours=1)


@pytest.mark.parametrize("zone", ZONES)
@given(
    cuts=st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=5, unique=True), minutes=st.integers(0, 3 * 525_600)
)
def test_shifts_that_follow_each_other_leave_no_moment_out_and_share_none(
    zone: str, cuts: list[int], minutes: int
) -> None:
    clocks = [time(*divmod(cut, 60)) for cut in sorted(cuts)]
    following = [*clocks[1:], clocks[0]]
    people = tuple(person(f"p{number}", zone) for number in range(len(clocks)))
    shifts = tuple(
        Shift(one.id, one.id, FIRST, start, end, zone, DAILY)
        for one, start, end in zip(people, clocks, following, strict=True)
    )
    rota = Rota(people, shifts)
    # Around every change of clocks too: the hours of those days come from the same range.
    moment = datetime(2026, 1, 3, tzinfo=UTC) + timedelta(minutes=minutes)
    assert len(rota.on_duty(moment)) == 1


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [(NEW_YORK, "2027-03-14 06:30", "2027-03-14 07:30"), (NEW_YORK, "2027-11-07 05:30", "2027-11-07 06:30")],
)
def test_whoever_is_on_through_the_night_is_on_while_clocks_change(zone: str, before: str, after: str) -> None:
    rota = Rota((BO,), (shift(BO, "22:00-06:00", zone=zone),))
    for text in (before, after):
        assert names(rota, datetime.fromisoformat(text).replace(tzinfo=UTC)) == ["bo"]


def test_the_week_is_cut_where_somebody_comes_or_goes() -> None:
    rota = Rota((ANA, BO), (shift(ANA, "08:00-20:00"), shift(BO, "18:00-02:30")))
    stretches = rota.between(at("2027-03-13 00:00"), at("2027-03-15 00:00"))
    told = [
        (f"{one.begins_at.astimezone(ZoneInfo(NEW_YORK)):%d %H:%M}", [person.name for person in one.people])
        for one in stretches
    ]
    assert told == [
        ("13 00:00", ["bo"]),
        ("13 02:30", []),
        ("13 08:00", ["ana"]),
        ("13 18:00", ["ana", "bo"]),
        ("13 20:00", ["bo"]),
        ("14 03:00", []),  # half past two does not come: clocks go from two to three
        ("14 08:00", ["ana"]),
        ("14 18:00", ["ana", "bo"]),
        ("14 20:00", ["bo"]),
    ]
    assert stretches[-1].ends_at == at("2027-03-15 00:00")


@pytest.mark.parametrize("zone", ZONES)
def test_between_says_what_on_duty_says_at_every_moment(zone: str) -> None:
    shifts = (
        shift(ANA, "07:10-19:50", zone=zone),
        shift(BO, "01:30-02:15", zone=zone),
        shift(CY, "23:00-01:45", zone=zone),
    )
    switches = (Switch(ANA.id, is_on=False, until_at=datetime(2027, 4, 4, 9, 7, tzinfo=UTC)),)
    rota = Rota((ANA, BO, CY), shifts, switches)
    for begins_at in (datetime(2027, month, 1, tzinfo=UTC) for month in (3, 4, 9, 10, 11)):
        ends_at = begins_at + timedelta(days=14)
        stretches = iter(rota.between(begins_at, ends_at))
        stretch = next(stretches)
        moment = begins_at
        while moment < ends_at:
            if moment >= stretch.ends_at:
                stretch = next(stretches)
            assert rota.on_duty(moment) == stretch.people, moment
            moment += timedelta(minutes=13)


def test_a_person_is_shown_without_her_number() -> None:
    assert "555" not in repr(Rota((ANA,)))
