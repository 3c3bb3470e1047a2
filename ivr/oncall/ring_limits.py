"""How much ringing one caller may cause: rate limits of a call, and of each phone for callers of any kind.

Values in, decisions out: what is known of a caller is what happened in this call. Knows no number and no other call of
the same caller. Whoever asks once and waits meets none of these limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ivr.oncall.people import PersonId

WAVE = 3
"""So many phones ring at once for one caller: Plivo starts two calls a second, and short calls cost trust."""

SAME_PHONE_AFTER = timedelta(minutes=1)
"""A phone does not ring again sooner for the same call."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0, 15, 30, 60, 120))
"""From one ringing for a call to the next one that the caller asks for: after the first, the second, ... within PERIOD.
Whoever waits until nobody is left to ring has waited most of it."""

PERIOD = timedelta(minutes=5)
"""Rings are counted for so long. Live rows of an ended transfer stay longer (ivr.store.live)."""

FREE_RINGS = 6
"""A phone rings so often within PERIOD without delay. After that it rings once a minute at most, and only for a caller
who has been holding for HOLDS_FIRST: calls that hang up at once cannot use up what is left. So a phone rings at most
FREE_RINGS + 5 times within PERIOD."""

FREE_RINGS_AGAIN = 4
"""Of these, so many for a call that phones have rung for before; the rest is kept for others."""

HOLDS_FIRST = timedelta(seconds=10)

SILENT_FIRST_WAVE_AFTER = timedelta(seconds=20)
"""A silent caller leaves the last free phone to others for so long; if none has rung for them by then, it rings: they
may be hurt, and the only one who needs it."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RingLimits:
    """The limits of one caller. `asks_again`: phones have rung for an earlier wish of this call, within
    PERIOD; `is_silent`: silence led them here, or they asked again, and they have pressed no key since. `asked_at`:
    when they asked. `own`: when each phone rang last for this call; `all_rings`: when each rang within PERIOD, for
    anybody."""

    asks_again: bool = False
    is_silent: bool = False
    asked_at: datetime = NEVER
    own: Mapping[PersonId, datetime] = field(default_factory=dict)
    all_rings: Mapping[PersonId, Sequence[datetime]] = field(default_factory=dict)

    def may_ring(self, person: PersonId, now: datetime) -> bool:
        """Whether this phone may ring for this caller now."""
        if now < self.due_at(person):
            return False
        if self.asks_again:
            return len(self._recent(person, now)) < FREE_RINGS_AGAIN
        if not self.is_spent(person, now):
            return True
        rested = now - max(self._recent(person, now)) >= SAME_PHONE_AFTER
        return rested and now - self.asked_at >= HOLDS_FIRST

    def due_at(self, person: PersonId) -> datetime:
        """When this phone may ring again for this call."""
        return self.own[person] + SAME_PHONE_AFTER if person in self.own else NEVER

    def is_spent(self, person: PersonId, now: datetime) -> bool:
        """Whether this phone has rung so often that nobody rings it at once."""
        return len(self._recent(person, now)) >= FREE_RINGS

    def room(self, *, active: int, rung: int, free: int, on_duty: int, now: datetime) -> int:
        """How many more phones may ring now. `active` ring for this caller, `rung` did or do so; of `on_duty` phones
        so many are `free` for anybody."""
        room = WAVE - active
        if self.is_silent:
            room = min(room, WAVE - rung)
        if on_duty > 1 and self._leaves_one(rung, now):
            room = min(room, free - 1)
        return room

    def needs_a_key(self, rung: int) -> bool:
        """Whether no other phone rings before the caller presses a key."""
        return self.is_silent and rung >= WAVE

    def _leaves_one(self, rung: int, now: datetime) -> bool:
        """The last free phone is for whoever asks first."""
        if self.asks_again:
            return True
        return self.is_silent and (rung > 0 or now - self.asked_at < SILENT_FIRST_WAVE_AFTER)

    def _recent(self, person: PersonId, now: datetime) -> list[datetime]:
        return [at for at in self.all_rings.get(person, ()) if now - at < PERIOD]


def rings_from(
    limits: RingLimits, earlier: Sequence[datetime], *, reachable: Iterable[PersonId], now: datetime
) -> datetime:
    """When the phones may begin to ring for a caller who asks now. `earlier`: when they began to ring each time that
    this call asked before, within PERIOD; `reachable`: whose phones are not engaged; where there is none, nobody is
    promised to be called again."""
    due = [limits.due_at(person) for person in reachable]
    if not earlier or not due:
        return now
    return max(now, max(earlier) + PAUSES[min(len(earlier), len(PAUSES)) - 1], min(due))
