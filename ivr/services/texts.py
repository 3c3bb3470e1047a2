"""One text of a conversation: what it says is pressed, key after key, and all that is to be told is one reply. The
flow, the engine and the world are those of a phone call. Knows no number, and keeps nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ivr.channels.text import (
    HELP,
    LEAVE,
    PERSON,
    STRANGE,
    Helps,
    Leaves,
    Menu,
    Says,
    Starts,
    is_number,
    next_keys,
    plain_number,
)
from ivr.engine.asks import Answer, Ask, ByPhone, Duty, OnDuty, Ring
from ivr.engine.call import Call
from ivr.engine.draft import Draft
from ivr.engine.effects import Connect, HandOver, HangUp, Turn
from ivr.engine.inputs import Began, Input, Pressed, Returned
from ivr.flow.graph import WAITS, Choose, Collect, Enter, Flow, Form
from ivr.flow.keys import Option, SpeakIn
from ivr.flow.phrases import Name, Phrase, phrase
from ivr.flow.wording import opening
from ivr.services.turns import World, take_turn

MOST_KEYS = 60
"""More keys than this in one text nobody means."""

EMERGENCY = frozenset({"911", "112", "999"})
"""Whoever writes one of these means it, and not the keys 9, 1, 1; beside other words 112 may be three answers."""

_STOPS = frozenset(
    {
        *("line.wrong_key", "line.digits_wrong", "line.not_saved", "line.silence_person"),
        *("line.person_by_phone", "line.nobody_by_phone", "line.receipt", "line.receipt_moment"),
        *("line.receipt_sure", "line.receipt_sure_again"),
    }
)
"""After one of these what follows in a text was meant for something else; and she must read first what her receipt is,
and that her report is about to be deleted."""

_BY_PHONE = frozenset({"line.person_by_phone", "line.nobody_by_phone"})

_LOST = frozenset({"line.wrong_key", "line.digits_wrong", "line.silence_person"})

_FORGET = phrase("line.text_forget")
_CHANGED = phrase("line.text_changed")


@dataclass(frozen=True, slots=True)
class Reply:
    """What she is told, and what the conversation has become; None: it is over."""

    call: Call | None
    said: tuple[Phrase, ...]
    language: str

    @property
    def is_lost(self) -> bool:
        """Was there something in her text that is no answer?"""
        return any(one.prompt in _LOST for one in self.said)


@dataclass(frozen=True, slots=True)
class TextWorld:
    """The world as somebody meets it who texts: nobody can be put through to her, but she can call `number`."""

    world: World
    number: str

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, Ring):
            duty = await self.world.answer(OnDuty(), call, leg)
            return ByPhone(self.number, anyone=isinstance(duty, Duty) and duty.anyone)
        return await self.world.answer(ask, call, leg)


Meant = Helps | Leaves | Menu | Says | Starts
"""What a text may mean that is to be answered."""


def _never() -> bool:
    return False


async def take_text(
    flow: Flow,
    call: Call | None,
    message: Meant,
    *,
    fresh: Call,
    now: datetime,
    world: TextWorld,
    is_late: Callable[[], bool] = _never,
) -> Reply:
    """The reply to a text. Once it `is_late`, what is left of the text is not pressed: she is told where she is.

    `call`: the conversation so far, if there is one, maybe of an older flow; `fresh`: the one to begin else."""
    reading = _Reading(flow, fresh, now, world, is_late)
    if call is not None:
        reading.resume(call)
    message = reading.meant(message)
    match message:
        case Leaves():
            await reading.leave(message.language if call is None else reading.call.language)
        case Menu() if call is not None:
            await reading.start(reading.call.language, message.then)
        case Starts():
            await reading.start(message.language, message.then)
        case Helps():
            await reading.help(message.language, begins=call is None)
        case Says() if (number := _emergency(message.words)) and not reading.is_typing:
            await reading.warn(number)
        case Says() if call is not None:
            await reading.answer(message.words)
        case Says(words=("9",)):
            await reading.leave(reading.call.language)  # it was over before, or comes twice
        case Menu(then=words) | Says(words=words):
            await reading.take(Began())
            await reading.help_if_asked(words)
        case _:
            assert_never(message)
    return reading.reply()


@dataclass(slots=True)
class _Reading:
    flow: Flow
    call: Call
    now: datetime
    world: TextWorld
    is_late: Callable[[], bool]
    said: tuple[Phrase, ...] = ()
    """What she is told; of all but the last thing that she pressed without the question that followed."""
    is_changed: bool = False
    is_over: bool = False
    is_stopped: bool = False

    def resume(self, call: Call) -> None:
        self.is_changed = call.version != self.flow.version
        self.call = carried(call, self.flow) if self.is_changed else call

    async def start(self, language: str, words: tuple[str, ...]) -> None:
        """As if she had just called and chosen this language."""
        self.call = replace(self.call, step=self.flow.start, language=language, trail=())
        option = _language_option(self.flow, language)
        if option is None:
            await self.take(Began())
        else:
            is_urgent = words[:1] == (PERSON,) or HELP in words  # she needs a number to call, and no greeting before it
            self.said = (option.lead,) if option.lead is not None and not is_urgent else ()
            await self.take(Pressed(option.key))
        if number := _emergency(words):
            await self.warn(number)
        else:
            await self._press(words)
            await self.help_if_asked(words)

    @property
    def has_begun_to_type(self) -> bool:
        """Is there a piece of a number already, to which a 0 would belong?"""
        return self.is_typing and bool(self.call.typed)

    @property
    def is_typing(self) -> bool:
        """Does she answer with digits here?"""
        return isinstance(self.flow.steps[self.call.step], Collect)

    def meant(self, message: Meant) -> Meant:
        """A 0 that stands alone is a cry for help; but behind a piece of a number it is a digit."""
        words = message.words if isinstance(message, Says) else ()
        is_zero = len(words) == 1 and plain_number(words[0]) == PERSON and not self.has_begun_to_type
        return Helps() if is_zero else message

    async def help(self, language: str, *, begins: bool) -> None:
        """Whom to call, wherever she is, and whatever has changed since. What she has begun to type is forgotten: a 0
        would be a digit of it."""
        if language and (begins or self.call.step == self.flow.start):
            await self.start(language, (HELP,))  # she has not chosen another
            return
        if begins:
            await self.take(Began())
        elif self.is_changed:
            self.said = (_CHANGED,)
        self.call = replace(self.call, typed="")
        self.said = tuple(one for one in self.said if one.prompt != "line.digits_more")
        await self.take(Pressed(PERSON))

    async def warn(self, number: str) -> None:
        """Nobody here calls an emergency number: she must know that at once."""
        self.said = (phrase("line.text_emergency", number=Name(number)),)
        await self.take(Began())

    async def leave(self, language: str) -> None:
        self.said = self._without_question()
        self.call = replace(self.call, step=self.flow.leave, language=language)
        await self.take(Began())
        self.is_over = True

    async def answer(self, words: tuple[str, ...]) -> None:
        if self.is_changed:
            # What she answered was asked by another version: she is told where she is first.
            self.said = (_CHANGED,)
            await self.take(Began())
            await self.help_if_asked(words)
            return
        if self.is_typing and _emergency(words):
            self.said = (phrase("line.text_emergency", number=Name(_emergency(words))),)
        keys, rest = self._next(words) if words and words[0] not in (LEAVE, HELP) else ("", words)
        if keys:
            await self.take(Pressed(keys))
        await self._press(rest)
        await self.help_if_asked(words)
        if not self.said:
            await self.take(Pressed(STRANGE))

    def reply(self) -> Reply:
        said = (*self.said, _FORGET) if self.is_over else self.said
        return Reply(None if self.is_over else self.call, said, self.call.language)

    async def _press(self, words: tuple[str, ...]) -> None:
        for _ in range(MOST_KEYS):
            if not words or self.is_over or self.is_stopped or self.is_late():
                return
            if words[0] == HELP:
                return
            if words[0] == LEAVE:
                await self.leave(self.call.language)
                return
            keys, words = self._next(words)
            if keys:
                await self.take(Pressed(keys))

    async def help_if_asked(self, words: tuple[str, ...]) -> None:
        """Also behind an answer that is none, and after which no other counts."""
        if HELP in words and not self.is_over and _BY_PHONE.isdisjoint(one.prompt for one in self.said):
            await self.help("", begins=False)

    def _next(self, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """Where nothing is asked she is told to wait a moment: any word goes on from there, and no other was meant for
        what comes then."""
        step = self.flow.steps[self.call.step]
        return next_keys(words, step) if isinstance(step, WAITS) else (words[0], ())

    async def take(self, received: Input) -> None:
        before, is_zero = self._without_question(), received == Pressed(PERSON) and not self.has_begun_to_type
        turn = await take_turn(self.flow, self.call, received, now=self.now, world=self.world)
        self.call, told = turn.call, turn.said
        needs_somebody = is_zero or any(one.prompt == "line.silence_person" for one in told)
        if needs_somebody and _BY_PHONE.isdisjoint(one.prompt for one in told):
            # A flow may look first whether anybody is on duty, and ring nobody: she can still call.
            told = (phrase("line.nobody_by_phone", number=Name(self.world.number)), *told)
        self.said = (*before, *told)
        self.is_stopped = any(one.prompt in _STOPS for one in told)
        await self._then(turn)

    async def _then(self, turn: Turn) -> None:
        """What only a phone can do is told instead."""
        match turn.then:
            case HangUp():
                self.is_over = True
            case HandOver():
                await self.take(Pressed(STRANGE))
            case Connect(numbers=(number, *_)):
                self.said = (*self.said, phrase("line.call_number", number=Name(number)))
                await self.take(Returned(talked=True))

    def _without_question(self) -> tuple[Phrase, ...]:
        """What was told before, without the question that has been answered since."""
        step = self.flow.steps[self.call.step]
        if not isinstance(step, WAITS):
            return self.said
        for answered in (True, False):
            asked = [one.prompt for one in opening(step, answered=answered)]
            if asked and [one.prompt for one in self.said[-len(asked) :]] == asked:
                return self.said[: -len(asked)]
        return self.said


def _emergency(words: tuple[str, ...]) -> str:
    """The number that is meant, also in "911!", "9-1-1" and "call 911"; nothing where it is a piece of another."""
    written = [plain_number(word) for word in words]
    if len(set(written)) > 1 and is_number(words):
        return ""
    found = [one for one in written if one in EMERGENCY and (one != "112" or len(written) == 1)]
    return found[0] if found else ""


def _language_option(flow: Flow, language: str) -> Option | None:
    start = flow.steps[flow.start]
    options = start.options if isinstance(start, Choose) else ()
    return next((one for one in options if one.record == SpeakIn(language)), None)


# ---- a newer flow ----


def carried(call: Call, flow: Flow) -> Call:
    """A call of another version in this one: where she was if that step is still there, with every answer that is."""
    drafts = tuple(draft for draft in (_carried(draft, flow) for draft in call.drafts) if draft is not None)
    step = flow.steps.get(call.step)
    form = getattr(step, "form", None)
    is_there = isinstance(step, WAITS) and (form is None or any(draft.form == form for draft in drafts))
    return replace(
        call,
        version=flow.version,
        step=call.step if is_there else flow.start,
        language=call.language if call.language in flow.languages else flow.languages[0],
        trail=tuple(place for place in call.trail if place in flow.steps) if is_there else (),
        typed=call.typed if is_there else "",
        drafts=drafts,
        opened=call.opened if call.opened in flow.forms else "",
    )


def _carried(draft: Draft, flow: Flow) -> Draft | None:
    form = flow.forms.get(draft.form)
    enter = None if form is None else form.add if draft.adds else form.enter
    if form is None or enter is None:
        return None
    first = flow.steps[enter]
    assert isinstance(first, Enter), "a form is entered by its first step"
    return replace(
        draft,
        at=draft.at if draft.at in flow.steps else first.to,
        consent=draft.consent if draft.consent in form.consents else form.consents[0],
        answers=tuple((name, values) for name, values in draft.answers if _is_known(form, name, values)),
    )


def _is_known(form: Form, name: str, values: tuple[str, ...]) -> bool:
    question = next((one for one in form.questions if one.name == name), None)
    if question is None:
        return False
    return not question.codes or {code.name for code in question.codes}.issuperset(values)
