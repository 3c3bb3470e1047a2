"""One person's duty, as she hears it and changes it: through the night, on breaks, while clocks change, twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.oncall import duty
from ivr.oncall.duty import AN_HOUR, LOOKS_AHEAD, ComesNext, OwnDuty, duty_of, next_on
from ivr.oncall.people import PersonId
from ivr.oncall.rota import Rota, Shift, Switch
from tests.oncall.test_rota import ANA, BO, CY, NEW_YORK, ZONES, at, shift

EVENING, NIGHT, NOON = at("2027-03-03 20:00"), at("2027-03-03 23:30"), at("2027-03-04 12:00")
SIX = at("2027-03-04 06:00")
TEN = at("2027-03-04 22:00")
NIGHTS = Rota((ANA, BO), (shift(BO, "22:00-06:00"), shift(ANA, "08:00-20:00")))


def after(rota: Rota, switch: Switch | None) -> Rota:
    """The rota, once this is written: on without an end is as her shifts say."""
    if switch is None:
        return rota
    others = tuple(one for one in rota.switches if one.person != switch.person)
    kept = () if switch.is_on and switch.until_at is None else (switch,)
    return replace(rota, switches=(*others, *kept))


def off(rota: Rota, now: datetime) -> Rota:
    return after(rota, duty.switched_off(rota, BO.id, now))


def on(rota: Rota, now: datetime) -> Rota:
    return after(rota, duty.switched_on(rota, BO.id, now))


def more(rota: Rota, told: datetime | None, now: datetime) -> Rota:
    return after(rota, duty.hour_more(rota, BO.id, told=told, now=now))


# ---- how she stands ----


def test_on_the_night_shift_she_hears_its_end_and_off_it_its_beginning() -> None:
    assert duty_of(NIGHTS, BO.id, NIGHT) == OwnDuty(True, until_at=SIX)
    assert duty_of(NIGHTS, BO.id, at("2027-03-04 05:59")) == OwnDuty(True, until_at=SIX)
    assert duty_of(NIGHTS, BO.id, SIX) == OwnDuty(False, next_at=TEN)
    assert duty_of(NIGHTS, BO.id, NOON) == OwnDuty(False, next_at=TEN)


def test_shifts_that_follow_each_other_are_one_stretch_and_a_break_cuts_one() -> None:
    rota = Rota((BO,), (*NIGHTS.shifts, shift(BO, "06:00-07:00"), shift(BO, "03:00-03:30", off=True)))
    assert duty_of(rota, BO.id, NIGHT) == OwnDuty(True, until_at=at("2027-03-04 03:00"))
    assert duty_of(rota, BO.id, at("2027-03-04 03:10")) == OwnDuty(False, next_at=at("2027-03-04 03:30"))
    assert duty_of(rota, BO.id, at("2027-03-04 03:30")) == OwnDuty(True, until_at=at("2027-03-04 07:00"))


@pytest.mark.parametrize(
    ("night", "ends_at", "hours"),
    [("2027-03-13 22:00", "2027-03-14T10:00+00:00", 7), ("2027-11-06 22:00", "2027-11-07T11:00+00:00", 9)],
)
def test_the_night_on_which_clocks_change_ends_at_six_on_the_clock(night: str, ends_at: str, hours: int) -> None:
    begins_at = at(night).astimezone(UTC)
    found = duty_of(NIGHTS, BO.id, begins_at)
    assert found.until_at == datetime.fromisoformat(ends_at)
    assert found.until_at - begins_at == timedelta(hours=hours)
    extended = more(NIGHTS, found.until_at, begins_at)
    assert duty_of(extended, BO.id, begins_at).until_at == datetime.fromisoformat(ends_at) + AN_HOUR


def test_what_is_further_than_a_week_ahead_is_not_told() -> None:
    always = Rota((BO,), (shift(BO, "00:00-00:00"),))
    assert duty_of(always, BO.id, NIGHT) == OwnDuty(True)
    late = Rota((BO,), (shift(BO, "20:00-22:00", "", first=date(2027, 3, 10)),))
    assert duty_of(late, BO.id, EVENING) == OwnDuty(False), "to the minute a week"
    assert duty_of(late, BO.id, NIGHT) == OwnDuty(False, next_at=at("2027-03-10 20:00"))


def test_somebody_who_is_not_on_the_rota_is_off_and_stays_so() -> None:
    nobody = PersonId(b"nobody")
    assert duty_of(NIGHTS, nobody, NIGHT) == OwnDuty(False)
    assert duty.switched_off(NIGHTS, nobody, NIGHT) is None
    assert duty.switched_on(NIGHTS, nobody, NIGHT) is None
    assert duty.hour_more(NIGHTS, nobody, told=None, now=NIGHT) is None
    assert duty.hour_more(NIGHTS, nobody, told=NIGHT, now=NIGHT) is None


SHIFTS = st.builds(
    lambda who, zone, start, end, is_break, days: shift(
        who, f"{start}-{end}", f"FREQ=WEEKLY;BYDAY={','.join(sorted(days))}", zone=zone, off=is_break
    ),
    st.sampled_from([ANA, BO, CY]),
    st.sampled_from(ZONES),
    st.sampled_from(["00:00", "01:30", "02:15", "09:00", "22:00"]),
    st.sampled_from(["00:00", "02:30", "06:00", "17:45", "23:00"]),
    st.booleans(),
    st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1),
)


@given(st.lists(SHIFTS, max_size=5), st.sampled_from(["2027-03-08", "2027-03-28", "2027-11-05"]), st.integers(0, 4000))
def test_what_she_hears_is_so_at_every_minute_until_it_changes(shifts: list[Shift], day: str, minutes: int) -> None:
    rota = Rota((ANA, BO, CY), tuple(shifts))
    now = at(f"{day} 00:00").astimezone(UTC) + timedelta(minutes=minutes)
    for person in rota.people:
        found = duty_of(rota, person.id, now)
        assert found.is_on == rota.is_on(person.id, now)
        changes_at = found.until_at or found.next_at
        ends_at = changes_at or now + LOOKS_AHEAD
        moment = now
        while moment < ends_at:
            assert rota.is_on(person.id, moment) == found.is_on, moment
            moment += timedelta(minutes=15)
        if changes_at is not None:
            assert rota.is_on(person.id, changes_at) != found.is_on


# ---- who comes next ----


def test_whoever_comes_next_is_the_first_who_is_not_there_yet() -> None:
    rota = Rota((ANA, BO, CY), (*NIGHTS.shifts, shift(CY, "22:00-23:00"), shift(ANA, "21:00-23:45")))
    assert next_on(rota, NIGHT) == ComesNext(CY, TEN), "ana, who goes and comes back before, is there now"
    assert next_on(rota, at("2027-03-03 23:50")) == ComesNext(ANA, at("2027-03-04 08:00"))
    assert next_on(rota, NOON) == ComesNext(BO, TEN), "of two who come together, the first by name"
    assert next_on(NIGHTS, EVENING) == ComesNext(BO, at("2027-03-03 22:00"))
    assert next_on(Rota((ANA, BO)), NIGHT) is None
    assert next_on(Rota((BO,), (shift(BO, "00:00-00:00"),)), NIGHT) is None


def test_whoever_switched_herself_off_does_not_come_on_before_that_ends() -> None:
    always = Rota((ANA, BO), (shift(BO, "00:00-00:00"), shift(ANA, "08:00-09:00")))
    until = replace(always, switches=(Switch(BO.id, is_on=False, until_at=SIX),))
    assert next_on(until, NIGHT) == ComesNext(BO, SIX)
    assert next_on(off(always, NIGHT), NIGHT) == ComesNext(ANA, at("2027-03-04 08:00"))


@given(st.lists(SHIFTS, max_size=5), st.integers(0, 20_000))
def test_nobody_comes_before_whoever_comes_next(shifts: list[Shift], minutes: int) -> None:
    rota = Rota((ANA, BO, CY), tuple(shifts))
    now = at("2027-03-05 00:00").astimezone(UTC) + timedelta(minutes=minutes)
    coming = [(own.next_at, one.name) for one in rota.people if (own := duty_of(rota, one.id, now)).next_at]
    found = next_on(rota, now)
    assert (min(coming) if coming else None) == ((found.at, found.person.name) if found else None)


# ---- off ----


def test_off_lasts_until_the_end_of_what_she_is_on_for_and_her_next_shift_rings_her_again() -> None:
    rota = off(NIGHTS, NIGHT)
    assert rota.switches == (Switch(BO.id, is_on=False, until_at=SIX),)
    assert duty_of(rota, BO.id, NIGHT) == OwnDuty(False, next_at=TEN, is_switched=True)
    assert rota.is_on(BO.id, TEN)
    assert off(rota, NIGHT + timedelta(minutes=1)) == rota, "said twice it is said once"


def test_off_when_she_is_off_is_nothing() -> None:
    assert duty.switched_off(NIGHTS, BO.id, NOON) is None
    longer = replace(NIGHTS, switches=(Switch(BO.id, is_on=False),))
    assert duty.switched_off(longer, BO.id, NIGHT) is None, "somebody decided more, and it stays"


def test_off_of_a_duty_without_an_end_has_none() -> None:
    always = Rota((BO,), (shift(BO, "00:00-00:00"),))
    rota = off(always, NIGHT)
    assert duty_of(rota, BO.id, NIGHT) == OwnDuty(False, is_switched=True)
    assert on(rota, NOON) == always


# ---- on ----


def test_on_within_her_shift_is_her_shift_again() -> None:
    assert on(off(NIGHTS, NIGHT), NIGHT + timedelta(minutes=5)) == NIGHTS
    assert duty.switched_on(NIGHTS, BO.id, NIGHT) is None


def test_on_without_a_shift_is_an_hour_and_said_twice_no_longer() -> None:
    rota = on(NIGHTS, NOON)
    assert duty_of(rota, BO.id, NOON) == OwnDuty(True, until_at=NOON + AN_HOUR, is_switched=True)
    assert on(rota, NOON + timedelta(seconds=40)) == rota
    assert on(replace(NIGHTS, switches=(Switch(BO.id, is_on=False),)), NOON) == rota, "in the place of an off"


def test_off_and_on_again_while_on_for_an_hour_begins_an_hour() -> None:
    rota = off(on(NIGHTS, NOON), NOON + timedelta(minutes=30))
    assert duty_of(rota, BO.id, NOON + timedelta(minutes=30)).next_at == TEN
    again = on(rota, NOON + timedelta(minutes=40))
    assert duty_of(again, BO.id, NOON + timedelta(minutes=40)).until_at == NOON + timedelta(minutes=100)


# ---- an hour more ----


def test_an_hour_more_is_one_hour_after_the_end_that_she_was_told_however_often_it_comes() -> None:
    seven, eight = SIX + AN_HOUR, SIX + AN_HOUR * 2
    once = more(NIGHTS, SIX, NIGHT)
    assert duty_of(once, BO.id, NIGHT) == OwnDuty(True, until_at=seven, is_switched=True)
    assert more(once, SIX, NIGHT) == once
    twice = more(once, seven, NIGHT)
    assert duty_of(twice, BO.id, NIGHT).until_at == eight
    assert more(twice, SIX, NIGHT) == twice, "what comes late shortens nothing"


def test_an_hour_more_of_nothing_is_an_hour_from_now_however_often_it_comes() -> None:
    once = more(NIGHTS, None, NOON)
    assert duty_of(once, BO.id, NOON) == OwnDuty(True, until_at=NOON + AN_HOUR, is_switched=True)
    assert more(once, None, NOON + timedelta(seconds=50)) == once
    assert more(off(NIGHTS, NIGHT), None, NIGHT).is_on(BO.id, NIGHT), "also when she had switched herself off"


def test_an_hour_more_over_a_break_is_an_hour_and_up_to_her_next_shift_all_of_it() -> None:
    rota = Rota((BO,), (*NIGHTS.shifts, shift(BO, "02:00-04:00", off=True), shift(BO, "06:30-09:00")))
    two, nine = at("2027-03-04 02:00"), at("2027-03-04 09:00")
    assert duty_of(more(rota, two, NIGHT), BO.id, NIGHT).until_at == two + AN_HOUR
    assert duty_of(more(rota, SIX, at("2027-03-04 05:00")), BO.id, at("2027-03-04 05:00")).until_at == nine


def test_an_hour_more_that_was_asked_for_just_before_the_end_counts_just_after_it() -> None:
    late = SIX + timedelta(seconds=20)
    assert duty_of(more(NIGHTS, SIX, late), BO.id, late).until_at == SIX + AN_HOUR


def test_an_hour_more_from_before_she_was_switched_off_or_from_long_ago_is_nothing() -> None:
    rota = off(NIGHTS, NIGHT)
    assert more(rota, SIX, NIGHT + timedelta(minutes=1)) == rota
    assert duty.hour_more(NIGHTS, BO.id, told=SIX, now=SIX + AN_HOUR) is None


def test_an_hour_more_of_a_duty_without_an_end_is_nothing() -> None:
    always = Rota((BO,), (shift(BO, "00:00-00:00"),))
    assert duty.hour_more(always, BO.id, told=None, now=NIGHT) is None
    assert duty.hour_more(always, BO.id, told=SIX, now=NIGHT) is None


def test_the_hour_of_somebody_else_is_not_touched() -> None:
    rota = off(on(NIGHTS, NOON), NOON)
    assert all(switch.person == BO.id for switch in rota.switches)
    assert duty_of(rota, ANA.id, NOON) == OwnDuty(True, until_at=at("2027-03-04 20:00", NEW_YORK))
