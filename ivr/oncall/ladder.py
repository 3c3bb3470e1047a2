"""Whom to ring next for one caller. A function of what happened so far and the time: whoever asks, whenever, however
often, hears the same, so nobody needs to remember to ask.

A rung of the ladder rings those of one tier, for its time; whoever has passed or missed the call is not rung again.
When a rung has nobody left, the next one begins at once, and keeps the time that was left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.ring_limits import RingLimits

RINGS_FOR = timedelta(seconds=20)
"""Long enough to wake and reach for it, too short for most voicemail to pick up."""

ASKS_EVERY = timedelta(seconds=11)
"""A waiting caller asks what is next at least so often (the rule hold-too-long proves it): she is told in time only if
the last asking comes before."""

SHORTEST_RING = timedelta(seconds=8)
"""Less wakes somebody for nothing."""


class State(StrEnum):
    """What became of an offer. The first three are active: her phone rings, or she hears what it is."""

    RESERVED = "reserved"
    RINGING = "ringing"
    ANSWERED = "answered"
    TAKEN = "taken"
    PASSED = "passed"
    MISSED = "missed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DIALLED = "dialled"
    """Rung by the phone company itself, together with others: what came of it nobody tells for each of them."""


ACTIVE = frozenset({State.RESERVED, State.RINGING, State.ANSWERED})


@dataclass(frozen=True, slots=True)
class Offer:
    """A call offered to one person. `ends_at`: when it counts as missed, whatever her phone does."""

    person: PersonId
    state: State
    ends_at: datetime

    def is_active(self, now: datetime) -> bool:
        return self.state in ACTIVE and now < self.ends_at


@dataclass(frozen=True, slots=True)
class Rung:
    """Those of a tier, for a time."""

    tier: Tier
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Ladder:
    """One caller's. `on_duty` is who could be rung now, without those who are `engaged` with another caller;
    `languages` are the flow's, in its order, and `language` is hers."""

    rungs: tuple[Rung, ...]
    began_at: datetime
    language: str
    languages: tuple[str, ...]
    on_duty: tuple[Person, ...]
    engaged: frozenset[PersonId] = frozenset()
    ringing: frozenset[PersonId] = frozenset()
    """Those of the engaged whose phones only ring: they may be free again in time."""
    limits: RingLimits = field(default_factory=RingLimits)

    @property
    def ends_at(self) -> datetime:
        """When the phones stop. The promise is the sum of the rungs: until then somebody has taken the call, or the
        caller is told that nobody can; and she hears it when she asks."""
        return max(self.promised_at - ASKS_EVERY, self.began_at)

    @property
    def promised_at(self) -> datetime:
        return self.began_at + sum((rung.lasts for rung in self.rungs), timedelta())

    def may_come_free(self, asked: set[PersonId]) -> bool:
        """Does somebody's phone ring for another caller who was not asked for this one?"""
        tiers = {rung.tier for rung in self.rungs}
        return any(one.tier in tiers and one.id in self.ringing and one.id not in asked for one in self.on_duty)

    def room(self, offers: Sequence[Offer], now: datetime) -> int:
        """How many more phones may ring for this caller now."""
        tiers = {rung.tier for rung in self.rungs}
        on_duty = [person.id for person in self.on_duty if person.tier in tiers]
        return self.limits.room(
            active=sum(offer.is_active(now) for offer in offers),
            rung=rung_so_far(offers),
            free=sum(one not in self.engaged and not self.limits.is_spent(one, now) for one in on_duty),
            on_duty=len(on_duty),
            now=now,
        )

    def in_order(self, tier: Tier) -> tuple[Person, ...]:
        """Of this tier, first those who speak her language, then by the first of the flow's languages they speak."""
        preferred = (self.language, *self.languages)

        def place(person: Person) -> int:
            return next((number for number, spoken in enumerate(preferred) if person.speaks(spoken)), len(preferred))

        free = [person for person in self.on_duty if person.tier is tier and person.id not in self.engaged]
        return tuple(sorted(free, key=place))


@dataclass(frozen=True, slots=True)
class Ring:
    """Offer the call to these, each until `until_at`."""

    people: tuple[Person, ...]
    until_at: datetime


class Waiting(StrEnum):
    """What a caller waits for."""

    RINGING = "ringing"
    """Phones ring for them."""
    BUSY = "busy"
    """Nobody can be rung yet: those on duty are engaged, or were rung so often that they are left alone for a while."""
    SILENT = "silent"
    """A key: nobody knows whether they are still there."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before `until_at`, if no phone is answered or passed on, and nobody comes free."""

    until_at: datetime
    why: Waiting = Waiting.RINGING


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody is left to ring, or the promised time is over."""


Decision = Ring | Wait | GiveUp


def decide(ladder: Ladder, offers: Sequence[Offer], now: datetime) -> Decision:
    """What to do now. `offers` are all there were for this caller; one that was taken is somebody else's question."""
    if now >= ladder.ends_at:
        return GiveUp()
    active = [offer for offer in offers if offer.is_active(now)]
    asked = {offer.person for offer in offers}
    room = ladder.room(offers, now)
    rungs = tuple(_rungs(ladder))
    so_far: dict[Tier, None] = {}
    for (tier, ends_at), (_, next_ends_at) in zip(rungs, (*rungs[1:], (None, None)), strict=True):
        so_far[tier] = None
        if now >= ends_at:
            continue
        # Those of an earlier rung for whom there was no time are still to be asked.
        left = [person for one in so_far for person in _ringable(ladder, one, asked, now)]
        if left and room > 0 and ends_at - now >= SHORTEST_RING:
            return Ring(tuple(left[:room]), min(now + RINGS_FOR, ends_at))
        # Somebody who thinks about it keeps those of the next rung waiting, but not until it is too late to ring them.
        is_last_chance = next_ends_at is not None and now + ASKS_EVERY > next_ends_at - SHORTEST_RING
        if active and not is_last_chance:
            return Wait(min(ends_at, *(offer.ends_at for offer in active)))
    if active:
        return Wait(min(ladder.ends_at, *(offer.ends_at for offer in active)))
    return _nobody_rings(ladder, offers, now)


def _nobody_rings(ladder: Ladder, offers: Sequence[Offer], now: datetime) -> Wait | GiveUp:
    """Whether anybody can still be rung in time."""
    asked = {offer.person for offer in offers}
    latest = ladder.ends_at - SHORTEST_RING
    free = (person.id for rung in ladder.rungs for person in ladder.in_order(rung.tier))
    left = [one for one in free if one not in asked]
    if now <= latest and any(ladder.limits.due_at(one) <= latest for one in left):
        return Wait(ladder.ends_at, Waiting.SILENT if ladder.limits.needs_a_key(rung_so_far(offers)) else Waiting.BUSY)
    return Wait(ladder.ends_at, Waiting.BUSY) if ladder.may_come_free(asked) else GiveUp()


def at_once(ladder: Ladder, offers: Sequence[Offer] = (), *, now: datetime | None = None) -> tuple[Person, ...]:
    """Whom to ring all together, where nobody can be rung one by one: those of the first rung that has anybody who was
    not asked before. `now`: else the ladder's beginning."""
    now = now or ladder.began_at
    asked = {offer.person for offer in offers}
    for rung in ladder.rungs:
        people = list(_ringable(ladder, rung.tier, asked, now))
        if people:
            return tuple(people[: max(ladder.room(offers, now), 0)])
    return ()


def rung_so_far(offers: Sequence[Offer]) -> int:
    """How many phones rang, or do."""
    return sum(offer.state is not State.FAILED for offer in offers)


def _ringable(ladder: Ladder, tier: Tier, asked: set[PersonId], now: datetime) -> Iterator[Person]:
    for person in ladder.in_order(tier):
        if person.id not in asked and ladder.limits.may_ring(person.id, now):
            yield person


def _rungs(ladder: Ladder) -> Iterator[tuple[Tier, datetime]]:
    """Each rung's tier and end."""
    ends_at = ladder.began_at
    for rung in ladder.rungs:
        ends_at += rung.lasts
        yield rung.tier, min(ends_at, ladder.ends_at)
