"""A telephone exchange: callers call the line or write to it, the line asks it to ring phones and to send texts, and
all of them live in one virtual time. Never knows flows or reports, nor why anybody is rung."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import httpx2

from ivr.carrier import behaviours as known
from ivr.carrier import exchange_behaviours as also
from ivr.carrier.behaviours import imitates
from ivr.carrier.conferences import Room, RoomRules, Rooms
from ivr.carrier.dialling import dial
from ivr.carrier.documents import Play, Speak, Wait
from ivr.carrier.leg import ACCOUNT, Leg, leg_uuid
from ivr.carrier.loopback import seconds_of_speech
from ivr.carrier.messages import Message
from ivr.carrier.party import Cut, Gone, Party
from ivr.carrier.phones import Phone, Phones
from ivr.carrier.rest_api import Ordered, RestApi, RestTransport
from ivr.carrier.ringing import ring
from ivr.carrier.states import Over
from ivr.carrier.texting import Delivery, PhoneText, TextRules, Texts, Unsent
from ivr.carrier.timetable import Timetable
from ivr.carrier.transport import Transport
from ivr.carrier.walk import Shared, Walk
from ivr.carrier.webhooks import Webhooks
from ivr.kit.clock import VirtualClock

LONGEST_RUN = 86_400.0
"""Seconds after which whatever still goes on is taken for going on for ever."""


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number of the account whose calls and texts go to these URLs."""

    number: str
    answer_url: str
    hangup_url: str | None = None
    fallback_answer_url: str | None = None
    message_url: str | None = None


class Exchange:
    """Everything happens in one event loop, at moments of `clock`; nothing is left to chance or to the machine's time.

    `token` signs webhooks and lets into the REST interface, together with `account`. `settled` is awaited before time
    goes on: it waits until the line has done what it does in the background. `rules` and
    `text_rules` are what Plivo leaves open.
    `taken_a_second`: so many calls come in within a second, the others find the line busy; None: all of them.
    `at_once`: webhooks of one moment are under way together, else one after the other in a fixed order. `seed` makes
    ids: two exchanges of one line need two.
    """

    def __init__(
        self,
        line: Number,
        *,
        clock: VirtualClock,
        token: str,
        transport: Transport,
        account: str = ACCOUNT,
        speech: Callable[[str, str | None], float] = seconds_of_speech,
        sound: Callable[[str], float] = lambda _: 3.0,
        settled: Callable[[], Awaitable[object]] | None = None,
        rules: RoomRules | None = None,
        text_rules: TextRules | None = None,
        calls_a_second: int = 2,
        taken_a_second: int | None = None,
        at_once: bool = False,
        seed: str = "exchange",
    ) -> None:
        self.line = line
        self.clock = clock
        self.phones = Phones()
        self._token = token
        self._transport = transport
        self._speech = speech
        self._sound = sound
        self._seed = seed
        self._ids = count()
        self._calls_a_second = calls_a_second
        self._taken_a_second = taken_a_second
        self._table = Timetable(clock, settled, at_once=at_once)
        self._rooms = Rooms(self._table, rules or RoomRules())
        self._shared = Shared(self._table, self.phones, self._rooms, self._seconds, self._open, dial)
        self._texts = Texts(
            line.number,
            line.message_url,
            table=self._table,
            transport=transport,
            token=token,
            rules=text_rules or TextRules(),
            new_id=lambda: self._uuid("text"),
        )
        self._legs: list[Party] = []
        self._begins: list[datetime] = []
        self.rest = RestApi(self, account=account, token=token)
        """An ASGI application, and the record of what it was asked."""

    @property
    def legs(self) -> tuple[Party, ...]:
        """All so far, in the order in which they were asked for."""
        return tuple(self._legs)

    @property
    def conferences(self) -> Mapping[str, Room]:
        """All that ever were, by name."""
        return self._rooms.by_name

    @property
    def texts(self) -> tuple[PhoneText, ...]:
        """What each phone got, in order; the carrier's own words too."""
        return tuple(self._texts.got)

    @property
    def unsent(self) -> tuple[Unsent, ...]:
        """Texts that the carrier took from the line and did not send."""
        return tuple(self._texts.unsent)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Each time that a text was posted to the line."""
        return tuple(self._texts.deliveries)

    def inbox(self, number: str) -> tuple[str, ...]:
        """What this phone got from the line, in its words."""
        return tuple(text.words for text in self._texts.got if text.to == number and text.by == "line")

    def leg(self, number: str) -> Party:
        """The last one of this phone. Raises LookupError."""
        for party in reversed(self._legs):
            if party.number == number:
                return party
        raise LookupError(f"no leg of {number}")

    def phone(self, number: str, *phones: Phone) -> None:
        """What this phone does when it rings; several: each time another, the last for ever."""
        self.phones.put(number, *phones)

    def client_transport(self) -> httpx2.AsyncBaseTransport:
        """For a REST client in this process, without a network."""
        return RestTransport(self.rest)

    # ---- time ----

    async def call(self, caller: str = "+12125550100", *, extra: Mapping[str, str] | None = None) -> Party:
        """An inbound call, up to its first wait: no time passes. `extra` fields go into each of its webhooks. Raises
        CarrierRefused, and whatever the line raises."""
        leg = Leg(self._uuid("call"), caller, self.line.number, tuple((extra or {}).items()), self._table.now())
        is_taken = self._is_taken()
        party = self._open(leg, ("", ""))
        party.rings()
        if not is_taken:
            party.ends(Over("carrier", "USER_BUSY"), "busy")
            return party
        self._table.begin(self._inbound(party))
        await self._now_happens()
        return party

    async def text(
        self,
        sender: str,
        words: str,
        *,
        extra: Mapping[str, str] | None = None,
        message_id: str | None = None,
        after: float = 0.0,
        pictures: Sequence[str] = (),
    ) -> str:
        """Somebody writes to the line; the id of her text. No time passes: with `after` it comes that many seconds
        later, perhaps after one that was written since. `extra` fields stand in its webhook, in place of those of the
        same name. Raises whatever the line raises, and Refused for an answer that Plivo does not document."""
        written = self._texts.write(
            sender, words, extra=extra or {}, message_id=message_id, after=after, pictures=pictures
        )
        await self._now_happens()
        return written

    async def deliver_again(self, message_id: str, *, after: float = 0.0) -> None:
        """A text comes once more, as it came before. Raises KeyError for one that nobody wrote."""
        self._texts.deliver(message_id, after=after)
        await self._now_happens()

    async def run(self, seconds: float) -> None:
        """Goes on for so long."""
        await self._table.run(until=self._table.now() + timedelta(seconds=seconds))

    async def until(self, enough: Callable[[], object], *, at_most: float = 60.0) -> None:
        """Goes on until it is so. Raises TimeoutError where it is not after `at_most` seconds."""
        until = self._table.now() + timedelta(seconds=at_most)
        if not await self._table.run(until=until, enough=lambda: bool(enough())):
            raise TimeoutError(f"it is not so after {at_most} seconds; legs: {self._legs}")

    async def quiet(self) -> None:
        """Goes on until nothing is left to happen. Raises TimeoutError where that never comes."""
        end_at = self._table.now() + timedelta(seconds=LONGEST_RUN)
        if await self._table.run(until=None, enough=lambda: self._table.now() > end_at):
            raise TimeoutError(f"something goes on for ever; legs: {self._legs}")

    async def close(self) -> None:
        """Nobody waits any more; what is recorded stays."""
        await self._table.close()

    async def _now_happens(self) -> None:
        await self._table.run(until=self._table.now())

    # ---- what the REST interface asks ----

    @imitates(also.QUEUED, also.SHOWN)
    def place(self, ordered: Ordered) -> str:
        """Rings a phone when it is its turn; the id of the request."""
        now = self._table.now()
        before = self._begins[-self._calls_a_second] if len(self._begins) >= self._calls_a_second else None
        begins_at = now if before is None else max(now, before + timedelta(seconds=1), self._begins[-1])
        self._begins.append(begins_at)
        uuid = self._uuid("request")
        # One id for the leg and its request, as in Plivo's own signed examples.
        leg = Leg(uuid, ordered.shown_number, ordered.to, (), now, request_uuid=uuid)
        party = self._open(leg, (ordered.shown_number, ordered.shown_name))
        self._table.after(0.0, lambda: self._table.begin(self._outbound(party, ordered, begins_at)))
        return uuid

    def send(self, message: Message) -> str:
        """Sends a text; its id."""
        return self._texts.send(message)

    @imitates(also.CANCELLED)
    def cancel(self, uuid: str) -> bool:
        """Lets a phone be that waits for its turn or rings. False where it does not."""
        return self._cut(one for one in self._legs if one.leg.request_uuid == uuid and one.answered_at is None)

    @imitates(also.HUNG_UP)
    def hang_up(self, uuid: str) -> bool:
        return self._cut(party for party in self._legs if party.uuid == uuid)

    @imitates(also.EVERY_CALL)
    def hang_up_all(self) -> None:
        self._cut(self._legs)

    def kick(self, name: str, member_id: str) -> bool:
        return name in self._rooms.by_name and self._rooms.room(name).kick(member_id)

    def hang_up_member(self, name: str, member_id: str) -> bool:
        room = self._rooms.by_name.get(name)
        members = room.members if room else ()
        return self._cut(stay.party for stay in members if member_id in ("all", stay.member_id))

    def number_of(self, uuid: str) -> str | None:
        return next((party.number for party in self._legs if party.uuid == uuid), None)

    def fail(self, failure: Exception) -> None:
        """Whoever runs this exchange is told."""
        self._table.fail(failure)

    def _cut(self, parties: Iterable[Party]) -> bool:
        """Ends their calls. False where none of them is there any more."""
        there = [party for party in parties if not party.is_over]
        for party in there:
            is_met = party.answered_at is not None
            cause = "NORMAL_CLEARING" if is_met else "ORIGINATOR_CANCEL"
            party.tell_next(Cut(Over("request", cause), "completed" if is_met else "cancel"))
        return bool(there)

    @imitates(also.TEN_A_SECOND)
    def _is_taken(self) -> bool:
        if self._taken_a_second is None:
            return True
        since = self._table.now() - timedelta(seconds=1)
        taken = [
            leg for leg in self._legs if leg.direction == "inbound" and leg.asked_at > since and leg.status != "busy"
        ]
        return len(taken) < self._taken_a_second

    # ---- one leg ----

    async def _inbound(self, party: Party) -> None:
        line = self.line
        walk = Walk(party, self._shared)
        hangup_url = line.hangup_url or line.answer_url
        await self._live(walk, hangup_url, walk.answer(line.answer_url, fallback=line.fallback_answer_url))

    async def _outbound(self, party: Party, ordered: Ordered, begins_at: datetime) -> None:
        walk = Walk(party, self._shared)
        await self._live(walk, ordered.hangup_url or ordered.answer_url, self._rung(walk, ordered, begins_at))

    @imitates(also.TIME_LIMIT)
    async def _rung(self, walk: Walk, ordered: Ordered, begins_at: datetime) -> None:
        party = walk.party
        await party.rest((begins_at - self._table.now()).total_seconds())
        party.rings()
        party.answers(await ring(party, self.phones, seconds=ordered.ring_seconds))
        party.cut_after(ordered.talk_seconds, Cut(Over("carrier", "ALLOTTED_TIMEOUT"), "completed"))
        await walk.answer(ordered.answer_url)

    @imitates(known.HANGUP_TO_ANSWER_URL)
    async def _live(self, walk: Walk, hangup_url: str, life: Awaitable[None]) -> None:
        party = walk.party
        try:
            await life
        except Gone as gone:
            party.ends(gone.over, gone.status)
            await walk.goodbye(hangup_url, gone)
        except BaseException:
            party.ends(Over("carrier", "REQUEST_FAILED"), "completed")
            raise

    def _open(self, leg: Leg, shown: tuple[str, str]) -> Party:
        webhooks = Webhooks(
            (self._token, self._token),
            transport=self._transport,
            clock=self.clock,
            seed=leg.uuid,
            lapse=lambda span: party.lapse(span),
        )
        party = Party(self._table, leg, webhooks=webhooks, shown=shown, act=self._now_happens)
        self._legs.append(party)
        return party

    def _uuid(self, what: str) -> str:
        return leg_uuid(f"{self._seed} {what} {next(self._ids)}")

    def _seconds(self, sound: Speak | Play | Wait) -> float:
        match sound:
            case Speak():
                return (self._speech(sound.text, sound.language) + sound.pause_seconds) * sound.loop
            case Play():
                return self._sound(sound.url) * sound.loop
            case Wait():
                return float(sound.seconds)
