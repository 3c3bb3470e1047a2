"""Whom to ring next: played second by second against people who take, pass, sleep, fail and are engaged."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.oncall.ladder import (
    RINGS_FOR,
    SHORTEST_RING,
    Decision,
    GiveUp,
    Ladder,
    Offer,
    Ring,
    Rung,
    State,
    Wait,
    at_once,
    decide,
)
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.ring_limits import WAVE

BEGAN = datetime(2027, 3, 10, 2, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RUNGS = (Rung(Tier.ON_CALL, 25 * SECOND), Rung(Tier.BACKUP, 25 * SECOND))


def person(name: str, *languages: str, tier: Tier = Tier.ON_CALL) -> Person:
    return Person(PersonId(name.encode()), name, "+12125550143", languages or ("en",), tier, "America/New_York")


ANA, BO, CY, DI = (person(name) for name in ("ana", "bo", "cy", "di"))
EVE = person("eve", tier=Tier.BACKUP)
LUZ = person("luz", "es", "en")


def ladder(
    *people: Person,
    language: str = "en",
    engaged: frozenset[PersonId] = frozenset(),
    ringing: frozenset[PersonId] = frozenset(),
) -> Ladder:
    return Ladder(RUNGS, BEGAN, language, ("en", "es"), people, engaged, ringing)


def names(decision: Decision) -> list[str]:
    assert isinstance(decision, Ring), decision
    return [one.name for one in decision.people]


def offer(who: Person, state: State, *, since: int = 0) -> Offer:
    return Offer(who.id, state, BEGAN + since * SECOND + RINGS_FOR)


def test_three_phones_ring_at_once_and_a_fourth_when_one_passes() -> None:
    of = ladder(ANA, BO, CY, DI)
    first = decide(of, [], BEGAN)
    assert first == Ring((ANA, BO, CY), BEGAN + RINGS_FOR)
    ringing = [offer(one, State.RINGING) for one in (ANA, BO, CY)]
    assert decide(of, ringing, BEGAN + 2 * SECOND) == Wait(BEGAN + RINGS_FOR)
    passed = [offer(ANA, State.PASSED), *ringing[1:]]
    assert names(decide(of, passed, BEGAN + 3 * SECOND)) == ["di"]


def test_whoever_passed_missed_or_failed_is_not_rung_again_and_the_backup_is_rung_at_once() -> None:
    of = ladder(ANA, BO, CY, EVE)
    over = [offer(ANA, State.PASSED), offer(BO, State.FAILED), offer(CY, State.MISSED)]
    assert names(decide(of, over, BEGAN + 4 * SECOND)) == ["eve"]
    assert decide(of, [*over, offer(EVE, State.PASSED)], BEGAN + 6 * SECOND) == GiveUp()


def test_a_phone_that_rang_its_time_counts_as_missed_whatever_nobody_told_us() -> None:
    of = ladder(ANA, EVE)
    assert decide(of, [offer(ANA, State.RINGING)], BEGAN + 19 * SECOND) == Wait(BEGAN + RINGS_FOR)
    assert names(decide(of, [offer(ANA, State.RINGING)], BEGAN + 20 * SECOND)) == ["eve"]


@pytest.mark.parametrize("first", range(11))
@pytest.mark.parametrize("piece", [1, 5, 8, 11])
def test_a_mailbox_keeps_nobody_from_ringing_the_backup_however_the_askings_fall(first: int, piece: int) -> None:
    of = ladder(ANA, EVE)
    listens = [Offer(ANA.id, State.ANSWERED, BEGAN + 45 * SECOND)]
    askings = range(first, 40, piece)
    decisions = [decide(of, listens, BEGAN + second * SECOND) for second in askings]
    assert [names(one) for one in decisions if isinstance(one, Ring)][:1] == [["eve"]]
    assert isinstance(decisions[0], Wait), "she who listens has time to think"


def test_whoever_was_asked_is_not_among_those_who_are_rung_all_at_once() -> None:
    of = ladder(ANA, BO, EVE)
    asked = [offer(one, State.MISSED) for one in (ANA, BO, EVE)]
    assert at_once(of, asked[:1]) == (BO,)
    assert at_once(of, asked[:2]) == (EVE,)
    assert at_once(of, asked) == ()


def test_a_ring_too_short_to_wake_anybody_is_not_begun() -> None:
    of = ladder(ANA, BO, CY, DI, EVE)
    tired = [offer(one, State.PASSED) for one in (ANA, BO, CY)]
    assert names(decide(of, tired, BEGAN + 25 * SECOND - SHORTEST_RING)) == ["di"]
    assert names(decide(of, tired, BEGAN + 26 * SECOND - SHORTEST_RING)) == ["di", "eve"], "with the next rung's time"


def test_whose_phone_rings_for_another_caller_may_come_free_and_who_talks_may_not() -> None:
    busy = frozenset({ANA.id})
    assert isinstance(decide(ladder(ANA, engaged=busy, ringing=busy), [], BEGAN), Wait)
    assert decide(ladder(ANA, engaged=busy), [], BEGAN) == GiveUp()
    passed = [offer(ANA, State.PASSED)]
    assert decide(ladder(ANA, engaged=busy, ringing=busy), passed, BEGAN) == GiveUp()


def test_nobody_on_duty_or_everybody_engaged_is_told_at_once() -> None:
    assert decide(ladder(), [], BEGAN) == GiveUp()
    assert decide(ladder(ANA, engaged=frozenset({ANA.id})), [], BEGAN) == GiveUp()


def test_who_speaks_her_language_is_rung_first_and_others_rather_than_nobody() -> None:
    assert names(decide(ladder(ANA, BO, LUZ, language="es"), [], BEGAN)) == ["luz", "ana", "bo"]
    only = person("mar", "es")
    assert names(decide(ladder(only, language="en"), [], BEGAN)) == ["mar"]
    assert [one.name for one in at_once(ladder(EVE, ANA, LUZ, language="es"))] == ["luz", "ana"]
    assert at_once(ladder(EVE)) == (EVE,)
    assert at_once(ladder()) == ()


@dataclass(frozen=True)
class Habit:
    """What somebody does when her phone rings: the state it ends in, after so many seconds."""

    ends: State
    after: int


HABITS = st.builds(
    Habit,
    st.sampled_from([State.TAKEN, State.PASSED, State.MISSED, State.FAILED, State.RINGING, State.ANSWERED]),
    st.integers(0, 30),
)
PEOPLE = st.lists(
    st.tuples(st.sampled_from(list(Tier)), st.sampled_from([("en",), ("es",), ("es", "en")]), HABITS, st.booleans()),
    max_size=9,
)
SPANS = st.lists(st.tuples(st.sampled_from(list(Tier)), st.integers(1, 60)), min_size=1, max_size=4)


@given(PEOPLE, SPANS, st.sampled_from(["en", "es"]))
def test_whatever_people_do_the_promised_time_is_kept_and_nobody_is_rung_twice(
    drawn: list[tuple[Tier, tuple[str, ...], Habit, bool]], spans: list[tuple[Tier, int]], language: str
) -> None:
    people = [person(f"p{number}", *speaks, tier=tier) for number, (tier, speaks, _, _) in enumerate(drawn)]
    habits = {one.id: habit for one, (_, _, habit, _) in zip(people, drawn, strict=True)}
    engaged = frozenset(one.id for one, (*_, busy) in zip(people, drawn, strict=True) if busy)
    rungs = tuple(Rung(tier, seconds * SECOND) for tier, seconds in spans)
    of = Ladder(rungs, BEGAN, language, ("en", "es"), tuple(people), engaged)
    rang_at: dict[PersonId, datetime] = {}
    offers: dict[PersonId, Offer] = {}
    now = BEGAN
    while True:
        for who, since in rang_at.items():
            habit = habits[who]
            if offers[who].is_active(now) and now >= since + habit.after * SECOND:
                offers[who] = replace(offers[who], state=habit.ends)
        if any(one.state is State.TAKEN for one in offers.values()):
            break
        decision = decide(of, list(offers.values()), now)
        if isinstance(decision, GiveUp):
            assert not any(one.is_active(now) for one in offers.values()) or now >= of.ends_at
            break
        if isinstance(decision, Ring):
            assert decision.people
            for one in decision.people:
                assert one.id not in offers, "rung twice"
                assert one.id not in engaged
                offers[one.id] = Offer(one.id, State.RINGING, decision.until_at)
                rang_at[one.id] = now
            assert now + SHORTEST_RING <= decision.until_at <= min(now + RINGS_FOR, of.ends_at)
            assert sum(one.is_active(now) for one in offers.values()) <= WAVE
            continue
        assert now < decision.until_at <= of.ends_at
        now += SECOND
    assert now <= of.ends_at


@pytest.mark.parametrize("late", [0, 1, 600])
def test_when_the_promised_time_is_over_it_is_over(late: int) -> None:
    of = ladder(ANA)
    assert decide(of, [offer(ANA, State.ANSWERED, since=40)], of.ends_at + late * SECOND) == GiveUp()
