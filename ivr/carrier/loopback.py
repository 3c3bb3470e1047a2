"""The loopback carrier: a caller's phone that walks a line through signed webhooks, as Plivo documents it. Never knows
flows or reports: it hears what documents say and presses keys."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import assert_never

from ivr.carrier import behaviours as known
from ivr.carrier.behaviours import imitates
from ivr.carrier.documents import (
    Conference,
    Dial,
    Document,
    Element,
    GetDigits,
    GetInput,
    Hangup,
    Play,
    Redirect,
    Refused,
    Speak,
    Wait,
    read,
)
from ivr.carrier.fields import Fields
from ivr.carrier.keypad import digit_end, patience, typed
from ivr.carrier.leg import DialStatus, Leg, leg_uuid
from ivr.carrier.states import AwaitingKeys, DialOutcome, Over, Ringing, Source, State
from ivr.carrier.transport import Reply, Transport, Unreachable
from ivr.carrier.webhooks import Exchange, Webhooks
from ivr.kit.clock import VirtualClock

MAX_DOCUMENTS, MAX_DOCUMENTS_AT_ONCE = 60, 10
"""One after another without a chance to press a key; the same, without any time passing."""

UNANSWERED_SECONDS = 120
_RINGING_SECONDS: Mapping[str, int] = {"busy": 2, "failed": 2, "completed": 8, "unconfirmed": 8, "cancel": 8}


class CarrierRefused(Exception):
    """An answer that Plivo would not take, or that is not imitated. The call is over, without a hang-up webhook."""

    def __init__(self, reason: str, *, url: str, body: bytes) -> None:
        super().__init__(f"{reason} (from {url})")
        self.reason = reason
        self.url = url
        self.body = body


def seconds_of_speech(text: str, language: str | None) -> float:
    """Fourteen characters a second in any language."""
    del language
    return len(text) / 14


@dataclass(frozen=True, slots=True)
class Line:
    """A phone number whose calls go to these URLs.

    `token` signs like the owning account, `main_token` (else the same) like the main account. `speech` gives the
    seconds of a text in a language (None: the voice's own), `sound` those of a Play URL. `seed` makes ids and nonces:
    whoever calls one application from two lines gives them two seeds, or their calls are the same calls.
    """

    answer_url: str
    hangup_url: str | None
    token: str
    transport: Transport
    clock: VirtualClock
    caller: str = "+12125550100"
    to: str = "+12125550199"
    speech: Callable[[str, str | None], float] = seconds_of_speech
    sound: Callable[[str], float] = lambda _: 3.0
    fallback_answer_url: str | None = None
    main_token: str | None = None
    seed: str = "loopback"
    _calls: "count[int]" = field(default_factory=count, init=False, repr=False)

    async def call(self, *, caller: str | None = None, extra: Mapping[str, str] | None = None) -> "PhoneCall":
        """A new call, up to its first wait. Raises CarrierRefused.

        `extra` fields (CallerName, ForwardedFrom, ...) go into each of its webhooks.
        """
        uuid = leg_uuid(f"{self.seed} call {next(self._calls)}")
        number = self.caller if caller is None else caller
        call = PhoneCall(self, Leg(uuid, number, self.to, tuple((extra or {}).items()), self.clock.now()))
        await call.begin()
        return call

    def seconds(self, sound: Speak | Play | Wait) -> float:
        """How long one prompt takes, all its repetitions and pauses included."""
        match sound:
            case Speak():
                return (self.speech(sound.text, sound.language) + sound.pause_seconds) * sound.loop
            case Play():
                return self.sound(sound.url) * sound.loop
            case Wait():
                return float(sound.seconds)
        assert_never(sound)


class PhoneCall:
    """One call, which moves only when its caller, or a phone that it rings, does something.

    `state` tells at what it waits, `heard` what was said since the caller's last act (whole, also what she interrupts).
    The line's clock moves with it: by prompts heard out, time-outs, ringing and talking.
    """

    def __init__(self, line: Line, leg: Leg) -> None:
        self._line = line
        self._leg = leg
        tokens = line.token, line.main_token or line.token
        self._webhooks = Webhooks(tokens, transport=line.transport, clock=line.clock, seed=leg.uuid)
        self._state: State | None = None
        self._rest: list[Element] = []
        self._heard: list[Speak | Play] = []
        self._whispered: list[Speak | Play] = []
        self._dials: list[Ringing] = []
        self._hops: list[datetime] = []

    @property
    def uuid(self) -> str:
        return self._leg.uuid

    @property
    def state(self) -> State:
        assert self._state is not None, "the call has not begun"
        return self._state

    @property
    def heard(self) -> tuple[Speak | Play, ...]:
        return tuple(self._heard)

    @property
    def whispered(self) -> tuple[Speak | Play, ...]:
        """What those who answered a Dial heard before they were put through."""
        return tuple(self._whispered)

    @property
    def dials(self) -> tuple[Ringing, ...]:
        """Every Dial so far, with what the dialled phones displayed."""
        return tuple(self._dials)

    @property
    def exchange(self) -> tuple[Exchange, ...]:
        """Every request so far with its reply: retries, confirm sounds and redeliveries too."""
        return tuple(self._webhooks.exchanges)

    @imitates(known.FALLBACK)
    async def begin(self) -> None:
        """Rings the line and follows it to the first wait. `Line.call` does this."""
        fields = self._leg.fields("StartApp")
        fallback = self._line.fallback_answer_url
        try:
            self._rest = list(await self._document(self._line.answer_url, fields))
        except (CarrierRefused, Unreachable) as failure:
            self._state = None
            if fallback is not None:
                await self._follow(fallback, fields)
            elif isinstance(failure, Unreachable):
                await self._end("carrier", "REQUEST_FAILED")
            else:
                raise
        await self._walk()

    @imitates(known.PROMPT_INTERRUPTED, known.LATE_KEYS_LOST)
    async def press(self, keys: str, *, after: float = 0.0) -> None:
        """Presses keys one right after the other, the first `after` seconds into the prompts (0: she knows the way).

        Keys beyond those that this input takes are lost. Then nothing is pressed until the input ends. Raises
        ValueError for what is not a key and for an `after` by which the input is over, RuntimeError when the call is.
        """
        if not keys or set(keys) - set("0123456789*#"):
            raise ValueError(f"{keys!r} are not keys")
        state = self._standing()
        if isinstance(state, Ringing):
            await self._press_while_ringing(state.dial, keys)
            return
        if not 0 <= after <= state.prompt_seconds + patience(state.element):
            raise ValueError(f"{after} s is outside this input: call silence()")
        self._act()
        entered = typed(state.element, keys)
        if not entered.digits and not entered.complete:
            await self._fall_through(state)
            return
        self._pass(after if entered.complete else after + digit_end(state.element))
        await (self._submit(state.element, entered.digits) if entered.digits else self._walk())

    async def silence(self) -> None:
        """Presses nothing until the line moves on by itself. Raises RuntimeError while a Dial rings, and when over."""
        state = self._standing()
        if isinstance(state, Ringing):
            raise RuntimeError("a phone is ringing: say how that ends with dial_ends()")
        self._act()
        await self._fall_through(state)

    @imitates(known.CALLER_LEAVES_DIAL)
    async def hang_up(self) -> None:
        """The caller hangs up, wherever she is. Raises RuntimeError when the call is over, CarrierRefused."""
        self._standing()
        self._act()
        await self._end("caller", "NORMAL_CLEARING")

    @imitates(known.RINGS_ALL, known.DIAL_TIMEOUT, known.UNCONFIRMED)
    async def dial_ends(
        self, outcome: DialOutcome, *, rang: float | None = None, talked: float = 60.0, told: DialStatus = "no-answer"
    ) -> None:
        """What the ringing phones do, after ringing `rang` seconds (else a time that suits) and talking for `talked`.

        `told` is the DialStatus of `unconfirmed`, which is documented nowhere. Raises RuntimeError unless a Dial rings.
        """
        state = self.state
        if not isinstance(state, Ringing):
            raise RuntimeError("no phone is ringing")
        dial = state.dial
        if outcome == "unconfirmed" and dial.confirm_key is None:
            raise ValueError("this Dial asks for no key: whoever answers is put through")
        self._act()
        self._pass(_RINGING_SECONDS.get(outcome, dial.timeout or UNANSWERED_SECONDS) if rang is None else rang)
        answered = outcome in ("completed", "unconfirmed")
        if answered:
            await self._whisper(state)
        if outcome == "unconfirmed":
            self._pass(dial.confirm_timeout)
        elif answered:
            self._pass(min(talked, dial.time_limit))
        status = told if outcome == "unconfirmed" else outcome
        fields = self._leg.dial_fields(status, rang=outcome not in ("busy", "failed"), answered=answered)
        await self._go_on(dial.action, fields, redirect=dial.redirect)

    async def redeliver(self, number: int, *, fresh_nonce: bool = False) -> Reply:
        """Sends the exchange with this number (from 0) again, late or doubled; the call does not notice.

        With the bytes it had, or with a nonce and signature of its own. Raises Unreachable.
        """
        return await self._webhooks.repeat(number, fresh_nonce=fresh_nonce)

    def _standing(self) -> AwaitingKeys | Ringing:
        if isinstance(self.state, Over):
            raise RuntimeError("the call is over")
        return self.state

    def _act(self) -> None:
        """The caller, or a phone, does something: what was heard before is history."""
        self._state = None
        self._heard.clear()
        self._hops.clear()

    def _pass(self, seconds: float) -> None:
        self._line.clock.advance(timedelta(seconds=seconds))

    @imitates(known.IN_ORDER)
    async def _walk(self) -> None:
        while self._state is None:
            await self._meet(self._rest.pop(0) if self._rest else Hangup(None, None))

    @imitates(known.WAIT_DELAYS_ANSWER, known.SPEECH_BREAKS, known.REDIRECT)
    async def _meet(self, element: Element) -> None:
        if not isinstance(element, Wait | Redirect | Hangup):
            self._pick_up()
        match element:
            case Speak() | Play():
                self._heard.append(self._finite(element))
                self._pass(self._line.seconds(element))
            case Wait():
                self._pass(element.seconds)
            case GetInput() | GetDigits():
                self._await_keys(element)
            case Dial():
                self._ring(element)
            case Conference():
                raise self._refused("one phone alone meets nobody in a Conference: use an Exchange")
            case Redirect():
                await self._follow(element.url, self._leg.fields("Redirect"))
            case Hangup():
                await self._hang_up(element)
            case _:
                assert_never(element)

    def _pick_up(self) -> None:
        self._leg.picked_up_at = self._leg.picked_up_at or self._line.clock.now()

    def _await_keys(self, element: GetInput | GetDigits) -> None:
        if isinstance(element, GetInput) and element.input_type != "dtmf":
            raise self._refused(f"GetInput inputType {element.input_type} is not imitated")
        sounds = [self._finite(prompt) for prompt in element.prompts if not isinstance(prompt, Wait)]
        self._heard += sounds
        self._state = AwaitingKeys(element, sum(map(self._line.seconds, element.prompts)))

    @imitates(known.NO_INPUT_FALLS_THROUGH, known.TIMEOUT_AFTER_PROMPTS)
    @imitates(known.DIGITS_TIMEOUT_AFTER_PROMPTS, known.RETRIES)
    async def _fall_through(self, state: AwaitingKeys) -> None:
        element = state.element
        times = element.retries if isinstance(element, GetDigits) else 1
        self._pass((state.prompt_seconds + patience(element)) * times)
        self._heard += [prompt for prompt in element.prompts if not isinstance(prompt, Wait)] * (times - 1)
        await self._walk()

    @imitates(known.ACTION)
    async def _submit(self, element: GetInput | GetDigits, digits: str) -> None:
        kind = {"InputType": "dtmf"} if isinstance(element, GetInput) else {}
        fields = self._leg.fields("Redirect", Digits=digits, **kind)
        await self._go_on(element.action, fields, redirect=element.redirect)

    @imitates(known.DEFAULT_CALLER)
    def _ring(self, dial: Dial) -> None:
        if dial.callback_url is not None:
            raise self._refused("Dial callbackUrl is not imitated")
        number = dial.caller_id if dial.caller_id is not None else self._leg.caller
        name = dial.caller_name if dial.caller_name is not None else dict(self._leg.extra).get("CallerName", number)
        self._state = Ringing(dial, number, name)
        self._dials.append(self._state)

    @imitates(known.HANGUP_ON_STAR, known.STAR_STATUS)
    async def _press_while_ringing(self, dial: Dial, keys: str) -> None:
        if dial.hangup_on_star and "*" in keys:
            self._act()
            fields = self._leg.dial_fields("cancel", rang=True, answered=False)
            await self._go_on(dial.action, fields, redirect=dial.redirect)

    @imitates(known.CONFIRM_SOUND)
    async def _whisper(self, state: Ringing) -> None:
        url = state.dial.confirm_sound
        if url is None:
            return
        fields = self._leg.confirm_fields(state.dial.numbers[0], shown=state.shown_number)
        try:
            document = await self._document(url, fields)
        except Unreachable:
            return
        sounds = [element for element in document if isinstance(element, Speak | Play | Wait)]
        self._whispered += [self._finite(sound) for sound in sounds if not isinstance(sound, Wait)]
        self._pass(sum(map(self._line.seconds, sounds)))

    @imitates(known.HANGUP, known.HANGUP_REJECTS)
    async def _hang_up(self, element: Hangup) -> None:
        if element.schedule is not None:
            raise self._refused("Hangup schedule is not imitated")
        picked_up = self._leg.picked_up_at is not None
        rejected = "USER_BUSY" if element.reason == "busy" else "CALL_REJECTED"
        await self._end("line", "NORMAL_CLEARING" if picked_up and element.reason is None else rejected)

    @imitates(known.NO_ACTION, known.REDIRECT_FALSE)
    async def _go_on(self, action: str | None, fields: Fields, *, redirect: bool) -> None:
        if action is not None:
            await self._follow(action, fields, keep=not redirect)
        await self._walk()

    @imitates(known.UNREACHABLE_ENDS, known.REDIRECT_LOOP)
    async def _follow(self, url: str, fields: Fields, *, keep: bool = False) -> None:
        """Goes where a document points; keeps to the document it has when it only has to ask."""
        self._bound()
        try:
            if keep:
                await self._request(url, fields)
            else:
                self._rest = list(await self._document(url, fields))
        except Unreachable:
            await self._end("carrier", "REQUEST_FAILED")

    def _bound(self) -> None:
        now = self._line.clock.now()
        self._hops.append(now)
        if len(self._hops) > MAX_DOCUMENTS or self._hops.count(now) > MAX_DOCUMENTS_AT_ONCE:
            raise self._refused(f"{len(self._hops)} documents in a row left no chance to press a key")

    async def _document(self, url: str, fields: Fields) -> Document:
        reply = await self._request(url, fields)
        try:
            return read(reply.body, reply.content_type)
        except Refused as refused:
            raise self._refused(str(refused)) from None

    async def _request(self, url: str, fields: Fields) -> Reply:
        reply = await self._webhooks.post(url, fields)
        if reply.status != 200:
            raise self._refused(f"the status is {reply.status}, not 200")
        return reply

    def _finite(self, sound: Speak | Play) -> Speak | Play:
        if sound.loop == 0:
            raise self._refused("a prompt that is repeated for ever is not imitated")
        return sound

    def _refused(self, reason: str) -> CarrierRefused:
        self._state = Over("carrier", "REQUEST_FAILED")
        last = self._webhooks.exchanges[-1]
        return CarrierRefused(reason, url=last.url, body=last.reply.body if last.reply else b"")

    @imitates(known.HANGUP_TO_ANSWER_URL)
    async def _end(self, source: Source, cause: str) -> None:
        self._state = Over(source, cause)
        said = {"caller": "Caller", "line": "API Request", "carrier": "Plivo"}[source]
        fields = self._leg.hangup_fields(cause, source=said, now=self._line.clock.now())
        with suppress(Unreachable):
            await self._request(self._line.hangup_url or self._line.answer_url, fields)
