"""How much one caller may make phones ring: a line of several phones and calls, played by chance."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.oncall import ring_limits
from ivr.oncall.ladder import RINGS_FOR, SHORTEST_RING, GiveUp, Ladder, Offer, Ring, State, Wait, Waiting, decide
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.ring_limits import (
    FREE_RINGS,
    FREE_RINGS_AGAIN,
    HOLDS_FIRST,
    PAUSES,
    PERIOD,
    SAME_PHONE_AFTER,
    SILENT_FIRST_WAVE_AFTER,
    WAVE,
    RingLimits,
    rings_from,
)
from tests.oncall.test_ladder import ANA, BEGAN, BO, CY, DI, EVE, RUNGS, SECOND, names, offer, person

PLAYED = 420
"""Seconds of each story played by chance."""


def ladder(*people: Person, limits: RingLimits, engaged: Iterable[Person] = ()) -> Ladder:
    busy = frozenset(one.id for one in engaged)
    return Ladder(RUNGS, BEGAN, "en", ("en",), people, busy, limits=limits)


def first() -> RingLimits:
    return RingLimits(asked_at=BEGAN)


def again(
    own: Mapping[PersonId, datetime] | None = None, all_rings: Mapping[PersonId, list[datetime]] | None = None
) -> RingLimits:
    return RingLimits(asks_again=True, asked_at=BEGAN, own=own or {}, all_rings=all_rings or {})


def silent() -> RingLimits:
    return RingLimits(is_silent=True, asked_at=BEGAN)


# ---- the last free phone ----


def test_whoever_asks_first_may_take_every_phone_and_others_leave_one() -> None:
    assert names(decide(ladder(ANA, BO, CY, limits=first()), [], BEGAN)) == ["ana", "bo", "cy"]
    assert names(decide(ladder(ANA, BO, CY, limits=again()), [], BEGAN)) == ["ana", "bo"]
    assert names(decide(ladder(ANA, BO, CY, limits=silent()), [], BEGAN)) == ["ana", "bo"]


def test_the_last_free_phone_is_not_for_whoever_asks_again_who_holds_with_words() -> None:
    of = ladder(ANA, BO, limits=again(), engaged=[ANA])
    assert decide(of, [], BEGAN) == Wait(of.ends_at, Waiting.BUSY)
    assert names(decide(ladder(ANA, BO, limits=first(), engaged=[ANA]), [], BEGAN)) == ["bo"]


def test_where_only_one_is_on_duty_nothing_is_left_for_others() -> None:
    assert names(decide(ladder(ANA, limits=again()), [], BEGAN)) == ["ana"]
    assert names(decide(ladder(ANA, limits=silent()), [], BEGAN)) == ["ana"]


def test_a_silent_caller_whose_first_wave_has_not_rung_gets_the_last_phone_after_a_while() -> None:
    of = ladder(ANA, BO, limits=silent(), engaged=[ANA])
    assert decide(of, [], BEGAN) == Wait(of.ends_at, Waiting.BUSY)
    assert names(decide(of, [], BEGAN + SILENT_FIRST_WAVE_AFTER)) == ["bo"]


# ---- silence ----


def test_a_silent_caller_gets_one_wave_then_is_asked_for_a_key() -> None:
    of = ladder(ANA, BO, CY, DI, EVE, limits=silent())
    assert names(decide(of, [], BEGAN)) == ["ana", "bo", "cy"]
    missed = [offer(one, State.MISSED) for one in (ANA, BO, CY)]
    at = BEGAN + 21 * SECOND
    assert decide(of, missed, at) == Wait(of.ends_at, Waiting.SILENT)
    assert names(decide(replace(of, limits=first()), missed, at)) == ["di", "eve"], "with a key the next ones ring"
    assert decide(of, missed, of.ends_at) == GiveUp(), "and without one the promised time ends as promised"


def test_a_wave_of_a_silent_caller_goes_on_to_the_backup_and_past_numbers_that_fail() -> None:
    of = ladder(ANA, DI, EVE, limits=silent())
    asked = [offer(ANA, State.FAILED), offer(DI, State.MISSED)]
    assert names(decide(of, asked, BEGAN + 21 * SECOND)) == ["eve"]


# ---- again, and again ----


def test_the_pause_grows_from_one_ringing_to_the_next_and_the_first_two_have_none() -> None:
    reachable = [ANA.id]
    assert rings_from(first(), [], reachable=reachable, now=BEGAN) == BEGAN
    for number, pause in enumerate(PAUSES, 1):
        earlier = [BEGAN - number * SECOND for number in range(number)]
        assert rings_from(again(), earlier, reachable=reachable, now=BEGAN) == BEGAN + pause
    many = [BEGAN] * 20
    assert rings_from(again(), many, reachable=reachable, now=BEGAN) == BEGAN + PAUSES[-1]
    assert rings_from(again(), [BEGAN], reachable=reachable, now=BEGAN + 50 * SECOND) == BEGAN + 50 * SECOND


def test_whoever_asks_again_waits_until_a_phone_may_ring_again_and_then_has_the_whole_promised_time() -> None:
    of = again(own={ANA.id: BEGAN, BO.id: BEGAN + 5 * SECOND})
    at = BEGAN + 10 * SECOND
    assert rings_from(of, [BEGAN], reachable=[ANA.id, BO.id], now=at) == BEGAN + SAME_PHONE_AFTER
    assert rings_from(of, [BEGAN], reachable=[ANA.id, CY.id], now=at) == at, "hers has not rung"


def test_nobody_is_promised_to_be_called_again_where_nobody_can_be() -> None:
    assert rings_from(again(), [BEGAN] * 5, reachable=[], now=BEGAN) == BEGAN


# ---- the budget of a phone ----


def often(many: int) -> dict[PersonId, list[datetime]]:
    return {ANA.id: [BEGAN - SECOND * n for n in range(many)]}


def test_a_phone_that_rang_often_rings_once_a_minute_for_whoever_holds_the_line() -> None:
    of = replace(first(), all_rings=often(FREE_RINGS))
    assert replace(of, all_rings=often(FREE_RINGS - 1)).may_ring(ANA.id, BEGAN)
    assert not of.may_ring(ANA.id, BEGAN)
    assert not of.may_ring(ANA.id, BEGAN + SAME_PHONE_AFTER - SECOND)
    assert of.may_ring(ANA.id, BEGAN + SAME_PHONE_AFTER)
    came_now = replace(of, asked_at=BEGAN + SAME_PHONE_AFTER)
    assert not came_now.may_ring(ANA.id, BEGAN + SAME_PHONE_AFTER), "whoever hangs up at once uses nothing up"
    assert came_now.may_ring(ANA.id, BEGAN + SAME_PHONE_AFTER + HOLDS_FIRST)
    assert of.may_ring(ANA.id, BEGAN + PERIOD)


def test_whoever_asks_again_leaves_a_part_of_the_budget_to_others() -> None:
    assert again(all_rings=often(FREE_RINGS_AGAIN - 1)).may_ring(ANA.id, BEGAN)
    assert not again(all_rings=often(FREE_RINGS_AGAIN)).may_ring(ANA.id, BEGAN + PERIOD - FREE_RINGS * SECOND)


def test_above_the_budget_a_caller_holds_to_the_promised_end() -> None:
    of = ladder(ANA, limits=replace(first(), all_rings=often(FREE_RINGS)))
    assert decide(of, [], BEGAN) == Wait(of.ends_at, Waiting.BUSY)
    assert decide(of, [], of.ends_at) == GiveUp()


# ---- by chance ----


@dataclass
class Wish:
    """One time that a call asked. `wish` and those before it are of one call."""

    asked_at: datetime
    rings_from: datetime
    offers: dict[PersonId, Offer] = field(default_factory=dict)
    first_rung_at: datetime | None = None


@dataclass
class Call:
    wishes: list[Wish] = field(default_factory=list)
    holds: bool = False
    is_silent: bool = False
    own: dict[PersonId, list[datetime]] = field(default_factory=dict)


@dataclass
class Line:
    """What live rows would say, as values."""

    people: tuple[Person, ...]
    talking: frozenset[PersonId]
    now: datetime = BEGAN
    calls: list[Call] = field(default_factory=list)
    rings: dict[PersonId, list[datetime]] = field(default_factory=dict)
    engaged: dict[PersonId, datetime] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    first_served: int = 0

    def busy(self) -> frozenset[PersonId]:
        return self.talking | {one for one, until in self.engaged.items() if self.now < until}

    def limits(self, call: Call, asked_at: datetime) -> RingLimits:
        own = {one: max(times) for one, times in call.own.items()}
        return RingLimits(bool(self.earlier(call)), call.is_silent, asked_at, own, self.rings)

    def earlier(self, call: Call) -> list[datetime]:
        began = (wish.first_rung_at for wish in call.wishes[:-1] if wish.first_rung_at is not None)
        return [at for at in began if self.now - at < PERIOD]

    def asks(self, call: Call, *, by_key: bool) -> None:
        call.is_silent = bool(call.wishes) or not by_key
        call.wishes.append(Wish(self.now, self.now))
        call.holds = True
        reachable = [one.id for one in self.people if one.id not in self.busy()]
        call.wishes[-1].rings_from = ring_limits.rings_from(
            self.limits(call, self.now), self.earlier(call), reachable=reachable, now=self.now
        )
        self.polls(call)

    def polls(self, call: Call) -> None:
        wish = call.wishes[-1]
        if self.now < wish.rings_from:
            return
        limits = self.limits(call, wish.asked_at)
        of = Ladder(RUNGS, wish.rings_from, "en", ("en",), self.people, self.busy(), limits=limits)
        decision = decide(of, list(wish.offers.values()), self.now)
        is_first = not limits.asks_again and not limits.is_silent
        if is_first and not wish.offers and self._free() and self.now <= of.ends_at - SHORTEST_RING:
            self.first_served += 1
            if not isinstance(decision, Ring):
                self.wrong.append(f"a first caller was answered {decision} while phones were free")
        if isinstance(decision, Ring):
            self._ring(call, decision, limits)
        elif isinstance(decision, GiveUp):
            self.leaves(call)

    def _free(self) -> list[PersonId]:
        """Whoever is not engaged, and whose phone has not rung too often."""
        often = {one for one, times in self.rings.items() if sum(self.now - at < PERIOD for at in times) >= FREE_RINGS}
        return [one.id for one in self.people if one.id not in self.busy() and one.id not in often]

    def _ring(self, call: Call, decision: Ring, limits: RingLimits) -> None:
        wish = call.wishes[-1]
        patient = self.now - wish.asked_at >= SILENT_FIRST_WAVE_AFTER and not wish.offers
        for one in decision.people:
            if any(self.now - at < SAME_PHONE_AFTER for at in call.own.get(one.id, [])):
                self.wrong.append(f"{one.name} rang twice within a minute for one call")
            wish.offers[one.id] = Offer(one.id, State.RINGING, self.now + RINGS_FOR)
            wish.first_rung_at = wish.first_rung_at or self.now
            call.own.setdefault(one.id, []).append(self.now)
            self.rings.setdefault(one.id, []).append(self.now)
            self.engaged[one.id] = self.now + RINGS_FOR
        leaves_one = limits.asks_again or (limits.is_silent and not patient)
        if leaves_one and len(self.people) > 1 and all(one.id in self.busy() for one in self.people):
            self.wrong.append("the last free phone was taken")
        if limits.is_silent and len(wish.offers) > WAVE:
            self.wrong.append("a second wave rang for a silent caller")

    def leaves(self, call: Call) -> None:
        call.holds = False
        for one in call.wishes[-1].offers.values():
            if one.is_active(self.now):
                self.engaged.pop(one.person, None)

    def judged(self) -> list[str]:
        for who, times in self.rings.items():
            most = max(sum(timedelta() <= at - since < PERIOD for at in times) for since in times)
            if most > FREE_RINGS + PERIOD // SAME_PHONE_AFTER:
                self.wrong.append(f"{who!r} rang {most} times")
        return self.wrong


def played(people: int, talking: int, calls: int, seed: int) -> Line:
    chance = Random(seed)
    crew = [person(f"p{n}", tier=chance.choice((Tier.ON_CALL, Tier.ON_CALL, Tier.BACKUP))) for n in range(people)]
    line = Line(tuple(crew), frozenset(one.id for one in chance.sample(crew, min(talking, people))))
    line.calls = [Call() for _ in range(calls)]
    hasty = chance.random()
    while line.now < BEGAN + PLAYED * SECOND:
        line.now += chance.choice((0.3, 1, 4)) * SECOND
        call = chance.choice(line.calls)
        does = chance.random()
        if not call.holds:
            line.asks(call, by_key=does < 0.8)
        elif does < hasty * 0.7:
            line.leaves(call)
            if chance.random() < 0.3:  # another call begins in its place
                line.calls[line.calls.index(call)] = Call()
        else:
            call.is_silent = call.is_silent and does < 0.9
            line.polls(call)
    return line


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 6), st.integers(0, 3), st.integers(1, 6), st.integers(0, 2**32))
def test_no_sequence_of_asks_breaks_a_limit(people: int, talking: int, calls: int, seed: int) -> None:
    assert played(people, talking, calls, seed).judged() == []


def no_minute(self: RingLimits, person: PersonId, now: datetime) -> bool:
    return not self.is_spent(person, now)


def no_budget(self: RingLimits, person: PersonId, now: datetime) -> bool:
    return now >= self.due_at(person)


def nothing_kept(self: RingLimits, rung: int, now: datetime) -> bool:
    del self, rung, now
    return False


def budget_of_all(self: RingLimits, person: PersonId, now: datetime) -> bool:
    return now >= self.due_at(person) and not self.is_spent(person, now) and self.asks_again


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("may_ring", no_minute, "twice within a minute"),
        ("may_ring", no_budget, "times"),
        ("_leaves_one", nothing_kept, "the last free phone"),
        ("may_ring", budget_of_all, "a first caller"),
    ],
)
def test_mutant_a_limit_that_is_not_kept_is_seen(
    name: str, fault: Callable[..., bool], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RingLimits, name, fault)
    assert any(words in wrong for seed in range(40) for wrong in played(3, 0, 3, seed).judged())


def test_first_callers_come_to_phones_in_these_stories() -> None:
    assert sum(played(4, 1, 4, seed).first_served for seed in range(20)) > 100
