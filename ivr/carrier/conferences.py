"""Rooms where callers and advocates meet: who is in, who must leave with whom, who was with whom for how long. Never
knows documents or webhooks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Literal

from ivr.carrier.behaviours import imitates
from ivr.carrier.documents import Conference
from ivr.carrier.exchange_behaviours import ALONE, ENDS_ON_EXIT, RELAYED, STARTS_ON_ENTER
from ivr.carrier.leg import leg_uuid
from ivr.carrier.party import Company, Party, Pressed, SentOut
from ivr.carrier.timetable import Timetable

Why = Literal["alone", "ended", "kicked", "star", "time limit", "hung up"]


@dataclass(frozen=True, slots=True)
class RoomRules:
    """What Plivo leaves open, as it is imitated.

    `ends`: whose endConferenceOnExit ends a room when somebody leaves: that of whoever leaves ("owner"), that of
    anybody in it ("any"), nobody's ("never": the others stay). `alone`: stayAlone="false" sends out whoever is left
    alone ("left"), also whoever enters an empty room ("entering"), or nobody ("stays"). `sent_out`: whose room ended
    hears her action's document ("action"), or her call is over ("hangup"). `limit`: a timeLimit sends out whoever
    entered with it ("member"), or everybody ("room"). `full`: where no more may enter the element is skipped
    ("skipped"), or its action is called without ids ("action"). `kicked`: whoever is kicked goes on with the next
    element ("next"), or their action is called ("action"). `after_hangup`: of a conference or a Dial in which somebody
    hung up nothing is told ("nothing"), or its action is called as if the call went on ("action").
    """

    ends: Literal["owner", "any", "never"] = "owner"
    alone: Literal["left", "entering", "stays"] = "left"
    sent_out: Literal["action", "hangup"] = "action"
    limit: Literal["member", "room"] = "member"
    full: Literal["skipped", "action"] = "skipped"
    kicked: Literal["next", "action"] = "next"
    after_hangup: Literal["nothing", "action"] = "nothing"


@dataclass(slots=True)
class Stay:
    """One time that somebody was in a room. `meets_from` is when it had begun for her: before, she waits."""

    party: Party
    element: Conference
    member_id: str
    joined_at: datetime
    meets_from: datetime | None = None
    left_at: datetime | None = None
    why: Why | None = None


@dataclass(slots=True)
class Room:
    """One name. It begins with the first who may begin it, and ends when nobody is left; then it may begin anew."""

    name: str
    table: Timetable
    rules: RoomRules
    stays: list[Stay] = field(default_factory=list)
    """All that ever were, in the order in which they came."""
    is_begun: bool = False

    @property
    def uuid(self) -> str:
        return leg_uuid(f"conference {self.name}")

    @property
    def members(self) -> tuple[Stay, ...]:
        return tuple(stay for stay in self.stays if stay.left_at is None)

    @imitates(STARTS_ON_ENTER)
    def enter(self, party: Party, element: Conference) -> Stay:
        now = self.table.now()
        stay = Stay(party, element, str(len(self.stays) + 1), now)
        self.stays.append(stay)
        self.is_begun = self.is_begun or element.starts_on_enter
        for member in self.members:
            if self.is_begun:
                member.meets_from = member.meets_from or now
            if member is not stay:
                member.party.tell_next(Company())
        self._send_out_alone(entering=True)
        return stay

    @imitates(ENDS_ON_EXIT)
    def leave(self, stay: Stay, why: Why) -> None:
        ending = any(member.element.ends_on_exit for member in self.members)
        stay.left_at, stay.why = self.table.now(), why
        if not self.members:
            self.is_begun = False
        rule = self.rules.ends
        is_timed_out = why == "time limit" and self.rules.limit == "room"
        if is_timed_out or (rule == "any" and ending) or (rule == "owner" and stay.element.ends_on_exit):
            self._tell(SentOut("ended"))
            return
        self._tell(Company())
        self._send_out_alone(entering=False)

    def kick(self, member_id: str) -> bool:
        """Whether there was such a member; `all` are all."""
        kicked = [member for member in self.members if member_id in ("all", member.member_id)]
        for member in kicked:
            member.party.tell_next(SentOut("kicked"))
        return bool(kicked)

    @imitates(RELAYED)
    def relay(self, stay: Stay, pressed: Pressed) -> None:
        for member in self.members:
            if member is not stay and stay.element.relay_dtmf:
                member.party.keys_heard.append(pressed.key)

    def waits(self, stay: Stay) -> bool:
        """She hears the wait sound: the room has not begun, or nobody else is in it."""
        return stay.meets_from is None or len(self.members) == 1

    # ---- for whoever tests ----

    def together(self, one: Party, other: Party) -> float:
        """Seconds that two could hear each other."""
        return _length([_both(a, b) for a in self._met(one) for b in self._met(other)])

    def alone(self, party: Party) -> float:
        """Seconds in the room with nobody to talk with, waiting included."""
        others = [stay for stay in self.stays if stay.party is not party]
        mine = [(stay.joined_at, stay.left_at or self.table.now()) for stay in self.stays if stay.party is party]
        met = [_both(a, b) for a in self._met(party) for other in others for b in self._met(other.party)]
        return _length(mine) - _length(met)

    def left_alone(self, party: Party) -> float:
        """Of those, the seconds after somebody else had left: not those in which she waited for the first to come."""
        others = [stay.left_at for stay in self.stays if stay.party is not party and stay.left_at is not None]
        if not others:
            return 0.0
        mine = [stay for stay in self.stays if stay.party is party]
        since = [(max(stay.joined_at, min(others)), stay.left_at or self.table.now()) for stay in mine]
        met = [
            _both(a, b)
            for a in since
            for other in self.stays
            if other.party is not party
            for b in self._met(other.party)
        ]
        return _length(since) - _length(met)

    def pairs(self) -> set[frozenset[str]]:
        """The numbers of all who ever were together."""
        parties = list(dict.fromkeys(stay.party for stay in self.stays))
        return {frozenset({a.number, b.number}) for a, b in combinations(parties, 2) if self.together(a, b) > 0}

    def _met(self, party: Party) -> "list[_Span]":
        stays = [stay for stay in self.stays if stay.party is party and stay.meets_from is not None]
        return [(stay.meets_from or stay.joined_at, stay.left_at or self.table.now()) for stay in stays]

    def _tell(self, signal: Company | SentOut) -> None:
        for member in self.members:
            member.party.tell_next(signal)

    @imitates(ALONE)
    def _send_out_alone(self, *, entering: bool) -> None:
        members = self.members
        applies = self.rules.alone == "entering" or (self.rules.alone == "left" and not entering)
        if applies and len(members) == 1 and not members[0].element.stay_alone:
            members[0].party.tell_next(SentOut("alone"))


@dataclass(slots=True)
class Rooms:
    """All rooms by name."""

    table: Timetable
    rules: RoomRules
    by_name: dict[str, Room] = field(default_factory=dict)

    def room(self, name: str) -> Room:
        return self.by_name.setdefault(name, Room(name, self.table, self.rules))


_Span = tuple[datetime, datetime]


def _both(one: _Span, other: _Span) -> _Span:
    start = max(one[0], other[0])
    return start, max(start, min(one[1], other[1]))


def _length(spans: Iterable[_Span]) -> float:
    """Seconds that at least one of them covers."""
    total, reached = timedelta(), None
    for start, end in sorted(spans):
        start = start if reached is None else max(start, reached)
        if end > start:
            total += end - start
            reached = end
    return total.total_seconds()
