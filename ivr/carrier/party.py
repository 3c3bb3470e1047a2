"""Somebody on the phone: one leg of the exchange, what she heard and when, and what reaches her. Never knows documents:
who walks her through them asks her to wait."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from ivr.carrier.documents import GetDigits, GetInput, Play, Speak, Wait
from ivr.carrier.leg import CallStatus, Leg
from ivr.carrier.phones import Answers, Keys
from ivr.carrier.states import Over
from ivr.carrier.timetable import Doze, Timer, Timetable
from ivr.carrier.transport import Reply
from ivr.carrier.webhooks import Exchange, Webhooks

State = Literal["queued", "ringing", "hearing", "listening", "dialling", "talking", "conference", "over"]
"""`listening`: the line awaits her keys; `talking`: a Dial put her through."""


@dataclass(frozen=True, slots=True)
class Pressed:
    key: str


@dataclass(frozen=True, slots=True)
class PickedUp:
    """By hand: her phone rang."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who is in her conference changed."""


@dataclass(frozen=True, slots=True)
class SentOut:
    """She must leave her conference."""

    why: Literal["alone", "ended", "kicked"]


@dataclass(frozen=True, slots=True)
class Joined:
    """A phone that she dials was answered, and confirmed where that is asked for."""

    uuid: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A phone that she dials, or talks with, is no more there."""

    uuid: str
    status: CallStatus


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of her call."""

    over: Over
    status: CallStatus


Signal = Pressed | PickedUp | Company | SentOut | Joined | Dropped | Cut


class Gone(Exception):
    """Her call is over: nothing more of its documents runs."""

    def __init__(self, over: Over, status: CallStatus = "completed") -> None:
        super().__init__(over.cause)
        self.over = over
        self.status = status


@dataclass(frozen=True, slots=True)
class Heard:
    at: datetime
    sound: Speak | Play


@dataclass(frozen=True, slots=True)
class Talk:
    """One time that a Dial put two through. Conferences keep their own record."""

    other: str
    """Her number."""
    from_at: datetime
    until_at: datetime


class Party:
    """One leg. Everything public that is no method is a record, for whoever tests; moments are None until they come."""

    def __init__(
        self,
        table: Timetable,
        leg: Leg,
        *,
        webhooks: Webhooks,
        shown: tuple[str, str],
        act: Callable[[], Awaitable[None]],
    ) -> None:
        """`shown`: number and name on her display. `act` lets everybody do what follows from what she does."""
        self.leg = leg
        self.webhooks = webhooks
        self.shown_number, self.shown_name = shown
        self.asked_at = table.now()
        self.rang_from: datetime | None = None
        self.rang_until: datetime | None = None
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.state: State = "queued"
        self.over: Over | None = None
        self.status: CallStatus | None = None
        self.hearings: list[Heard] = []
        self.talks: list[Talk] = []
        self.keys_heard: list[str] = []
        """What others pressed in a conference that relays keys."""
        self.listened = 0
        """So often the line has awaited her keys."""
        self.awaits: GetInput | GetDigits | None = None
        """How it awaited them last; None where a Dial asks for one."""
        self.voice = ""
        """What a machine that answered says."""
        self._table = table
        self._act = act
        self._inbox: deque[Signal] = deque()
        self._doze: Doze[None] | None = None
        self._timers: list[Timer] = []
        self._script: tuple[Keys, ...] = ()
        self._heard_before = 0

    def __repr__(self) -> str:
        return f"<Party {self.number} {self.state}>"

    @property
    def uuid(self) -> str:
        return self.leg.uuid

    @property
    def number(self) -> str:
        """Of her phone, with its plus sign, whoever called whom."""
        number = self.leg.caller if self.direction == "inbound" else self.leg.to
        return f"+{number.removeprefix('+')}" if number.removeprefix("+").isdigit() else number

    @property
    def direction(self) -> Literal["inbound", "outbound"]:
        return "outbound" if self.leg.request_uuid or self.leg.a_leg else "inbound"

    @property
    def is_over(self) -> bool:
        return self.over is not None

    @property
    def hears_the_last(self) -> bool:
        """The line awaits her keys, and nothing that it says meanwhile is left to begin."""
        prompts = self.awaits.prompts if self.awaits else ()
        sounds = sum(not isinstance(prompt, Wait) for prompt in prompts)
        return self.state == "listening" and len(self.hearings) >= self._heard_before + sounds

    @property
    def heard(self) -> tuple[Speak | Play, ...]:
        """All so far, whole, also what was interrupted."""
        return tuple(heard.sound for heard in self.hearings)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(sound.text for sound in self.heard if isinstance(sound, Speak))

    @property
    def exchange(self) -> tuple[Exchange, ...]:
        """Every webhook about her with its reply."""
        return tuple(self.webhooks.exchanges)

    def now(self) -> datetime:
        return self._table.now()

    # ---- acts, by hand ----

    async def press(self, keys: str) -> None:
        """One right after the other; then whatever follows at this moment has happened. Raises RuntimeError when her
        call is over, or not begun."""
        Keys(keys)
        if self.answered_at is None or self.is_over:
            raise RuntimeError(f"{self.number} has nobody on the line to press {keys} for")
        for key in keys:
            self.tell(Pressed(key))
        await self._act()

    async def pick_up(self) -> None:
        """Raises RuntimeError unless her phone rings."""
        if self.state != "ringing":
            raise RuntimeError(f"the phone of {self.number} does not ring")
        self.tell(PickedUp())
        await self._act()

    async def hang_up(self) -> None:
        """Or decline, while her phone rings. Raises RuntimeError when her call is over, or does not ring yet."""
        if self.is_over or self.state == "queued":
            raise RuntimeError(f"{self.number} has no call to hang up")
        self.tell(self._goodbye())
        await self._act()

    async def redeliver(self, number: int, *, fresh_nonce: bool = False) -> Reply:
        """Sends the exchange with this number (from 0) again, late or doubled; her call does not notice."""
        return await self.webhooks.repeat(number, fresh_nonce=fresh_nonce)

    # ---- what reaches her ----

    def tell(self, signal: Signal) -> None:
        if self.is_over:
            return
        self._inbox.append(signal)
        if self._doze is not None:
            self._doze.wake(None)
            self._doze = None

    def tell_next(self, signal: Signal) -> None:
        """At this moment too, but after whatever goes on now: never two webhooks at once."""
        self._table.after(0.0, lambda: self.tell(signal))

    async def wait(self, seconds: float | None) -> Signal | None:
        """What reaches her next; None after so many seconds (None: never) of nothing. Raises Gone."""
        self.check()
        if not self._inbox:
            self._doze = doze = Doze[None](self._table)
            timer = None if seconds is None else self._table.after(seconds, self._time_is_over)
            await doze.sleep()
            if timer is not None:
                timer.is_off = True
        self.check()
        return self._inbox.popleft() if self._inbox else None

    async def rest(self, seconds: float) -> None:
        """Lets the time pass; whatever she presses meanwhile is lost. Raises Gone."""
        end_at = self._table.now() + timedelta(seconds=seconds)
        while (left := (end_at - self._table.now()).total_seconds()) > 0:
            await self.wait(left)
        self.check()

    async def lapse(self, span: timedelta) -> None:
        """Lets the time pass, whatever reaches her."""
        doze = Doze[None](self._table)
        self._table.after(span.total_seconds(), lambda: doze.wake(None))
        await doze.sleep()

    def check(self) -> None:
        """Raises Gone where the end of her call has reached her."""
        for signal in self._inbox:
            if isinstance(signal, Cut):
                raise Gone(signal.over, signal.status)

    def forget_keys(self) -> None:
        self._inbox = deque(signal for signal in self._inbox if not isinstance(signal, Pressed))

    # ---- what becomes of her call ----

    def rings(self) -> None:
        self.state = "ringing"
        self.rang_from = self._table.now()

    def answers(self, phone: Answers | None = None) -> None:
        """Whoever picked up now goes by `phone`."""
        now = self._table.now()
        self.state = "hearing"
        self.answered_at = self.leg.picked_up_at = now
        self.rang_until = now if self.rang_from else None
        if phone is None:
            return
        self.voice = phone.says
        self._script = phone.keys
        self._press_in_time(None)
        if phone.hangs_up is not None:
            self.cut_after(phone.hangs_up, self._goodbye())

    def cut_after(self, seconds: float, cut: Cut) -> None:
        self._timers.append(self._table.after(seconds, lambda: self.tell(cut)))

    def listens(self, element: GetInput | GetDigits | None = None) -> None:
        """The line begins to await keys."""
        self.state = "listening"
        self.listened += 1
        self.awaits = element
        self._heard_before = len(self.hearings)
        self._press_in_time(self.listened)

    def hears(self, sound: Speak | Play) -> None:
        self.hearings.append(Heard(self._table.now(), sound))

    def ends(self, over: Over, status: CallStatus) -> None:
        now = self._table.now()
        self.state, self.over, self.status, self.ended_at = "over", over, status, now
        if self.rang_from is not None and self.rang_until is None:
            self.rang_until = now
        for timer in self._timers:
            timer.is_off = True
        self._inbox.clear()

    def _goodbye(self) -> Cut:
        if self.direction == "inbound":
            return Cut(Over("caller", "NORMAL_CLEARING"), "completed")
        if self.answered_at is None:
            return Cut(Over("callee", "CALL_REJECTED"), "busy")
        return Cut(Over("callee", "NORMAL_CLEARING"), "completed")

    def _press_in_time(self, whisper: int | None) -> None:
        for keys in self._script:
            if keys.whisper == whisper:
                self._timers.append(self._table.after(keys.at, partial(self._type, keys)))

    def _type(self, keys: Keys) -> None:
        for key in keys.keys:
            self.tell(Pressed(key))

    def _time_is_over(self) -> None:
        if self._doze is not None:
            self._doze.wake(None)
            self._doze = None
