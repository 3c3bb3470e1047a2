"""What live rows say of phones: who is engaged, what rang when, and so whom a caller's ladder may ring. Knows no phone
company, and of a caller only this call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr.oncall.ladder import ACTIVE, Ladder
from ivr.oncall.people import Person, PersonId
from ivr.oncall.ring_limits import PERIOD, SAME_PHONE_AFTER, RingLimits, rings_from
from ivr.services.offering import Wish
from ivr.store.live import TransferRow, milliseconds, moment
from ivr.store.rings import RingRow, rings


@dataclass(frozen=True, slots=True)
class RingState:
    """Every ringing within PERIOD, and of everybody who is engaged, as things are `now`."""

    rows: Sequence[RingRow]
    now: datetime

    @classmethod
    def read(cls, connection: Connection, now: datetime) -> "RingState":
        return cls(rings(connection, since=milliseconds(now - PERIOD)), now)

    def engaged(self) -> frozenset[PersonId]:
        return frozenset(PersonId(row.engaged) for row in self.rows if row.engaged is not None)

    def ringing(self) -> frozenset[PersonId]:
        """Of those, whose phones ring, or who hear what it is: they do not talk."""
        return frozenset(PersonId(row.engaged) for row in self.rows if row.engaged is not None and row.state in ACTIVE)

    def limits(self, wish: Wish, asked_at: datetime) -> RingLimits:
        every: dict[PersonId, list[datetime]] = {}
        own: dict[PersonId, datetime] = {}
        for row, at in self._rang():
            person = PersonId(row.person)
            every.setdefault(person, []).append(at)
            if row.caller == wish.caller:
                own[person] = max(at, own.get(person, at))
        # Whoever asked before and for whom no phone rang is not asked for more than anybody who asks first.
        asks_again = bool(self._earlier(wish))
        is_silent = wish.is_silent and (asks_again or wish.visit == 1)
        return RingLimits(asks_again, is_silent, asked_at, own, every)

    def rings_from(self, wish: Wish, on_duty: Sequence[Person]) -> datetime:
        """When the phones may begin to ring for this wish, which is new."""
        tiers = {rung.tier for rung in wish.rungs}
        engaged = self.engaged()
        reachable = [one.id for one in on_duty if one.tier in tiers and one.id not in engaged]
        return rings_from(self.limits(wish, self.now), self._earlier(wish), reachable=reachable, now=self.now)

    def _rang(self) -> Iterator[tuple[RingRow, datetime]]:
        """Rows and their moments, without those of a clock that was ahead."""
        latest = self.now + SAME_PHONE_AFTER
        for row in self.rows:
            if row.rung_at is not None and self.now - PERIOD < moment(row.rung_at) < latest:
                yield row, moment(row.rung_at)

    def _earlier(self, wish: Wish) -> list[datetime]:
        """When the phones began to ring each time that this call asked before."""
        began: dict[bytes, datetime] = {}
        for row, at in self._rang():
            if row.caller == wish.caller and row.transfer != wish.id:
                began[row.transfer] = min(at, began.get(row.transfer, at))
        return list(began.values())


def ladder_of(
    connection: Connection,
    wish: Wish,
    row: TransferRow,
    *,
    languages: tuple[str, ...],
    on_duty: tuple[Person, ...],
    now: datetime,
) -> Ladder:
    """The ladder of a caller, as things are now."""
    state = RingState.read(connection, now)
    return Ladder(
        wish.rungs,
        moment(row.began_at if row.rings_from is None else row.rings_from),
        wish.language,
        languages,
        on_duty,
        engaged=state.engaged(),
        ringing=state.ringing(),
        limits=state.limits(wish, moment(row.began_at)),
    )
