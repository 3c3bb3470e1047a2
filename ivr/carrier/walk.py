"""Walks one leg through the line's documents, in virtual time: speaks, listens, rings, lets it meet others. Never knows
who is behind the phone."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import assert_never

from ivr.carrier import behaviours as known
from ivr.carrier import exchange_behaviours as also
from ivr.carrier.behaviours import imitates
from ivr.carrier.conferences import Room, Rooms, Stay, Why
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
from ivr.carrier.leg import Leg
from ivr.carrier.loopback import MAX_DOCUMENTS, MAX_DOCUMENTS_AT_ONCE, CarrierRefused
from ivr.carrier.party import Gone, Party, Pressed, SentOut
from ivr.carrier.phones import Phones
from ivr.carrier.states import Over
from ivr.carrier.timetable import Timetable
from ivr.carrier.transport import Reply, Unreachable

Sound = Speak | Play | Wait


@dataclass(frozen=True, slots=True)
class Shared:
    """What all legs of one exchange have in common. `open` notes a new leg: what its phone shows comes with it."""

    table: Timetable
    phones: Phones
    rooms: Rooms
    seconds: Callable[[Sound], float]
    open: Callable[[Leg, tuple[str, str]], Party]
    dial: Callable[["Walk", Dial], Awaitable[Fields]]


class Walk:
    """One leg from its first webhook to its end. `answer` raises Gone at its end, CarrierRefused for what Plivo would
    not take or nothing here imitates."""

    def __init__(self, party: Party, shared: Shared) -> None:
        self.party = party
        self.shared = shared
        self._rest: list[Element] = []
        self._hops: list[datetime] = []

    @imitates(known.FALLBACK, known.IN_ORDER, also.OUTBOUND_ANSWER)
    async def answer(self, url: str, *, fallback: str | None = None) -> None:
        fields = self.party.leg.fields("StartApp")
        try:
            self._rest = list(await self.document(url, fields))
        except (CarrierRefused, Unreachable) as failure:
            if fallback is not None:
                await self._follow(fallback, fields)
            elif isinstance(failure, Unreachable):
                raise Gone(Over("carrier", "REQUEST_FAILED")) from None
            else:
                raise
        while True:
            self.party.check()
            await self._meet(self._rest.pop(0) if self._rest else Hangup(None, None))

    async def goodbye(self, url: str, gone: Gone) -> None:
        """Tells that the call is over; nobody reads what is answered."""
        said = {"caller": "Caller", "callee": "Call recipient", "line": "Answer XML", "request": "API Request"}
        fields = self.party.leg.hangup_fields(
            gone.over.cause,
            source=said.get(gone.over.source, "Plivo"),
            now=self.shared.table.now(),
            status=gone.status,
        )
        with suppress(Unreachable):
            await self.request(url, fields)

    async def _meet(self, element: Element) -> None:
        party = self.party
        if party.answered_at is None and not isinstance(element, Wait | Redirect | Hangup):
            party.answers()
        match element:
            case Speak() | Play() | Wait():
                await self.plays(element)
            case GetInput() | GetDigits():
                await self._listen(element)
            case Dial():
                await self._dial(element)
            case Conference():
                await self._confer(element)
            case Redirect():
                await self._follow(element.url, party.leg.fields("Redirect"))
            case Hangup():
                self._hang_up(element)
            case _:
                assert_never(element)

    async def plays(self, sound: Sound) -> None:
        self.hears(sound)
        await self.party.rest(self.shared.seconds(sound))

    def hears(self, sound: Sound) -> None:
        if not isinstance(sound, Wait):
            if sound.loop == 0:
                raise self.refused("a prompt that is repeated for ever is not imitated")
            self.party.hears(sound)

    # ---- keys ----

    @imitates(known.ACTION, known.LATE_KEYS_LOST, known.RETRIES, known.NO_INPUT_FALLS_THROUGH)
    async def _listen(self, element: GetInput | GetDigits) -> None:
        if isinstance(element, GetInput) and element.input_type != "dtmf":
            raise self.refused(f"GetInput inputType {element.input_type} is not imitated")
        self._hops.clear()
        self.party.forget_keys()
        self.party.listens(element)
        digits = ""
        for _ in range(element.retries if isinstance(element, GetDigits) else 1):
            key = await self._first_key(element)
            if key is not None:
                digits = await self._digits(element, key)
                break
        self.party.state = "hearing"
        if digits:
            kind = {"InputType": "dtmf"} if isinstance(element, GetInput) else {}
            fields = self.party.leg.fields("Redirect", Digits=digits, **kind)
            await self.go_on(element.action, fields, redirect=element.redirect)

    @imitates(known.PROMPT_INTERRUPTED, known.TIMEOUT_AFTER_PROMPTS, known.DIGITS_TIMEOUT_AFTER_PROMPTS)
    async def _first_key(self, element: GetInput | GetDigits) -> str | None:
        """The first that counts, during the prompts or in the time after them."""
        for prompt in element.prompts:
            self.hears(prompt)
            key = await self._key(element, "", self.shared.seconds(prompt))
            if key is not None:
                return key
        return await self._key(element, "", patience(element))

    async def _digits(self, element: GetInput | GetDigits, keys: str) -> str:
        while not typed(element, keys).complete:
            key = await self._key(element, keys, digit_end(element))
            if key is None:
                break
            keys += key
        return typed(element, keys).digits

    async def _key(self, element: GetInput | GetDigits, before: str, seconds: float) -> str | None:
        """The next key that changes something, within so many seconds."""
        end_at = self._now() + timedelta(seconds=seconds)
        while (left := self._left(end_at)) > 0:
            signal = await self.party.wait(left)
            if isinstance(signal, Pressed) and typed(element, before + signal.key) != typed(element, before):
                return signal.key
        return None

    # ---- others ----

    async def _dial(self, element: Dial) -> None:
        self._hops.clear()
        try:
            fields = await self.shared.dial(self, element)
        except Gone:
            await self._tell_late(element.action, self.party.leg.dial_fields("completed", rang=True, answered=True))
            raise
        self.party.state = "hearing"
        await self.go_on(element.action, fields, redirect=element.redirect)

    @imitates(also.FULL_IS_SKIPPED, also.CONFERENCE_ACTION, also.CONFERENCE_CALLBACK)
    async def _confer(self, element: Conference) -> None:
        if element.record or element.transcription or element.digits_match or element.floor_event:
            raise self.refused("a Conference that records, transcribes or reports digits or speakers is not imitated")
        if element.enter_sound.startswith("http") or element.exit_sound.startswith("http"):
            raise self.refused("the enterSound and exitSound of a Conference are imitated as beeps only")
        room = self.shared.rooms.room(element.name)
        if len(room.members) >= element.max_members:
            await self._turned_away(room, element)
            return
        self._hops.clear()
        stay = room.enter(self.party, element)
        why: Why = "hung up"
        try:
            self.party.state = "conference"
            await self._tell_room(element.callback_url, room, stay, "enter")
            why = await self._stay(room, stay)
        except Gone:
            left = self.party.leg.fields("Redirect", **_seat(room, stay), ConferenceAction="exit")
            await self._tell_late(element.action, left)
            raise
        finally:
            room.leave(stay, why)
            await self._tell_room(element.callback_url, room, stay, "exit")
        if why == "kicked" and room.rules.kicked == "next":
            self.party.state = "hearing"
            return
        if why in ("alone", "ended") and room.rules.sent_out == "hangup":
            raise Gone(Over("carrier", "NORMAL_CLEARING"))
        self.party.state = "hearing"
        fields = self.party.leg.fields("Redirect", **_seat(room, stay), ConferenceAction="exit")
        await self.go_on(element.action, fields, redirect=element.redirect)

    @imitates(also.STAR_LEAVES, also.CONFERENCE_TIME_LIMIT, also.KICKED)
    async def _stay(self, room: Room, stay: Stay) -> Why:
        end_at = self._now() + timedelta(seconds=stay.element.time_limit)
        sounds: Iterator[Sound] | None = None
        while (left := self._left(end_at)) > 0:
            if sounds is None and room.waits(stay):
                sounds = cycle(await self._wait_sound(stay.element.wait_sound))
            sound = next(sounds, None) if sounds is not None and room.waits(stay) else None
            if sound is not None:
                self.hears(sound)
            signal = await self.party.wait(left if sound is None else min(left, self.shared.seconds(sound)))
            match signal:
                case SentOut():
                    return signal.why
                case Pressed(key="*") if stay.element.hangup_on_star:
                    return "star"
                case Pressed():
                    room.relay(stay, signal)
                case _:
                    pass
        return "time limit"

    async def _tell_late(self, action: str | None, fields: Fields) -> None:
        """The action of what the caller was in when they hung up; nobody reads what is answered."""
        if action is not None and self.shared.rooms.rules.after_hangup == "action":
            with suppress(Unreachable):
                await self.request(action, fields)

    async def _turned_away(self, room: Room, element: Conference) -> None:
        """The conference has as many members as it may have."""
        if room.rules.full == "action":
            seat = {"ConferenceName": room.name, "ConferenceUUID": "", "ConferenceMemberID": ""}
            fields = self.party.leg.fields("Redirect", **seat)
            await self.go_on(element.action, fields, redirect=element.redirect)

    @imitates(also.WAIT_SOUND)
    async def _wait_sound(self, url: str | None) -> tuple[Sound, ...]:
        if url is None:
            return ()
        sounds = await self.sounds(url, self.party.leg.fields("Redirect"))
        return sounds if sum(map(self.shared.seconds, sounds)) > 0 else ()

    async def _tell_room(self, url: str | None, room: Room, stay: Stay, what: str) -> None:
        if url is None:
            return
        if what == "enter":
            first = len(room.members) == 1
            fields = self.party.leg.fields("ConferenceEnter", **_seat(room, stay), ConferenceFirstMember=_flag(first))
        else:
            last = not room.members
            fields = self.party.leg.fields("ConferenceExit", **_seat(room, stay), ConferenceLastMember=_flag(last))
        with suppress(Unreachable):
            await self.request(url, (*fields, ("ConferenceAction", what)))

    # ---- documents ----

    @imitates(known.HANGUP, known.HANGUP_REJECTS)
    def _hang_up(self, element: Hangup) -> None:
        if element.schedule is not None:
            raise self.refused("Hangup schedule is not imitated")
        if self.party.answered_at is not None and element.reason is None:
            raise Gone(Over("line", "NORMAL_CLEARING"))
        raise Gone(Over("line", "USER_BUSY" if element.reason == "busy" else "CALL_REJECTED"))

    @imitates(known.NO_ACTION, known.REDIRECT_FALSE)
    async def go_on(self, action: str | None, fields: Fields, *, redirect: bool) -> None:
        if action is not None:
            await self._follow(action, fields, keep=not redirect)

    @imitates(known.UNREACHABLE_ENDS, known.REDIRECT, known.REDIRECT_LOOP)
    async def _follow(self, url: str, fields: Fields, *, keep: bool = False) -> None:
        now = self._now()
        self._hops.append(now)
        if len(self._hops) > MAX_DOCUMENTS or self._hops.count(now) > MAX_DOCUMENTS_AT_ONCE:
            raise self.refused(f"{len(self._hops)} documents in a row left no chance to press a key")
        try:
            if keep:
                await self.request(url, fields)
            else:
                self._rest = list(await self.document(url, fields))
        except Unreachable:
            raise Gone(Over("carrier", "REQUEST_FAILED")) from None

    async def sounds(self, url: str, fields: Fields) -> tuple[Sound, ...]:
        """What of a document is played where nothing else is allowed; none where it cannot be had."""
        try:
            return tuple(_sounds(await self.document(url, fields)))
        except Unreachable:
            return ()

    async def document(self, url: str, fields: Fields) -> Document:
        reply = await self.request(url, fields)
        try:
            return read(reply.body, reply.content_type)
        except Refused as refused:
            raise self.refused(str(refused)) from None

    async def request(self, url: str, fields: Fields) -> Reply:
        reply = await self.party.webhooks.post(url, fields)
        if reply.status != 200:
            raise self.refused(f"the status is {reply.status}, not 200")
        return reply

    def refused(self, reason: str) -> CarrierRefused:
        last = self.party.webhooks.exchanges[-1]
        return CarrierRefused(reason, url=last.url, body=last.reply.body if last.reply else b"")

    def _now(self) -> datetime:
        return self.shared.table.now()

    def _left(self, end_at: datetime) -> float:
        return (end_at - self._now()).total_seconds()


def _sounds(document: Iterable[Element]) -> list[Sound]:
    return [element for element in document if isinstance(element, Speak | Play | Wait)]


def _seat(room: Room, stay: Stay) -> dict[str, str]:
    return {"ConferenceName": room.name, "ConferenceUUID": room.uuid, "ConferenceMemberID": stay.member_id}


def _flag(value: bool) -> str:  # noqa: FBT001 -- it is what is written
    return "true" if value else "false"
