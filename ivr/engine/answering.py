"""What a call becomes by the world's answer to what was asked."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ivr.engine.asking import draft_of, with_draft
from ivr.engine.asks import (
    About,
    Answer,
    CallerLeft,
    Connecting,
    Dialling,
    Duty,
    Holding,
    Late,
    Meeting,
    NextIs,
    Nobody,
    Noted,
    NotSaved,
    Saved,
    ShiftIs,
    SignedIn,
    Stopped,
    Unknown,
)
from ivr.engine.asks import Moment as Until
from ivr.engine.call import Call
from ivr.engine.effects import Connect, Hold, Meet, Turn
from ivr.engine.walking import go, left_to_talk
from ivr.flow.graph import Ask, Flow
from ivr.flow.phrases import Label, Labels, Moment, Name, Number, Phrase, phrase
from ivr.flow.wants import WantPerson

PROGRESS_STEP = 10
"""Seconds: how finely a caller is told how long it may still take."""

TRIES = 3
"""So many PINs that are nobody's, then the call is the callers' own again."""

_HELD = Hold()
_CONNECTED = phrase("line.connected")
_CONNECTING = phrase("line.connecting")
_TAKEN_ALREADY = phrase("line.taken_already")
_CALLER_LEFT = phrase("line.caller_left")
_PIN_CLOSED = phrase("line.pin_closed")
_PIN_UNKNOWN = phrase("line.pin_unknown")


def answered(flow: Flow, call: Call, step: Ask, answer: Answer, now: datetime) -> Turn:
    """The turn after the world's answer."""
    match answer:
        case Holding() | Meeting() | Stopped() | Dialling() | Nobody():
            return _about_person(flow, call, step, answer, now)
        case Connecting() | Late() | CallerLeft() | About():
            return _about_offer(flow, call, step, answer, now)
        case Saved():
            draft = draft_of(call, step)
            if draft is not None:
                call = with_draft(call, replace(draft, saved=True, receipt=answer.receipt or draft.receipt))
            return go(flow, call, step.yes, now)
        case NotSaved():
            return go(flow, call, step.no, now)
        case Duty():
            return go(flow, call, step.yes if answer.anyone else step.no, now)
        case Noted():
            return go(flow, call, step.yes, now)
        case SignedIn() | Unknown() | ShiftIs() | NextIs():
            return _about_shifts(flow, call, step, answer, now)
        case _:
            assert_never(answer)


# ---- a caller who wants a person ----


def _about_person(
    flow: Flow, call: Call, step: Ask, answer: Holding | Meeting | Stopped | Dialling | Nobody, now: datetime
) -> Turn:
    match answer:
        case Holding():
            if call.holding:
                return Turn(call, _progress(step, answer.seconds), _HELD)
            wished_at = int((now - call.began_at).total_seconds())
            return Turn(replace(call, holding=True, wished_at=wished_at), _announcement(step), _HELD)
        case Meeting():
            is_caller = isinstance(step.want, WantPerson)
            meet = Meet(answer.room, left_to_talk(call, now), is_caller=is_caller)
            return Turn(replace(call, holding=is_caller), (_CONNECTED,) if is_caller else (), meet)
        case Stopped():
            turn = go(flow, call, call.step, now)
            return replace(turn, call=replace(turn.call, starred=True)) if call.starred else turn
        case Dialling():
            said = () if call.impatient else (phrase("line.dialling", seconds=Number(answer.seconds)),)
            connect = Connect(answer.numbers, answer.seconds, left_to_talk(call, now))
            return Turn(replace(call, impatient=False, holding=False), said, connect)
        case Nobody():
            return go(flow, replace(call, impatient=False, holding=False), step.no, now)
        case _:
            assert_never(answer)


def _announcement(step: Ask) -> tuple[Phrase, ...]:
    """That phones will ring, for how long at most, and what to do instead."""
    if not isinstance(step.want, WantPerson):
        return ()
    return (step.want.told, *(option.told for option in step.want.options))


def _progress(step: Ask, seconds: int) -> tuple[Phrase, ...]:
    if not isinstance(step.want, WantPerson):
        return ()
    return (phrase("line.holding", seconds=_rounded(seconds)), *(option.told for option in step.want.options))


def _rounded(seconds: int) -> Number:
    """Up: what is promised is kept. Few different sentences, so that they are remembered as they are rendered."""
    return Number(max(-(-seconds // PROGRESS_STEP), 1) * PROGRESS_STEP)


# ---- somebody whose phone rang ----


def _about_offer(
    flow: Flow, call: Call, step: Ask, answer: Connecting | Late | CallerLeft | About, now: datetime
) -> Turn:
    match answer:
        case Connecting():
            return Turn(call, (_CONNECTING,), _HELD)
        case Late():
            return go(flow, call, step.no, now, (_TAKEN_ALREADY,))
        case CallerLeft():
            return go(flow, call, step.no, now, (_CALLER_LEFT,))
        case About():
            return go(flow, call, step.yes, now, _details(flow, answer))
        case _:
            assert_never(answer)


def _details(flow: Flow, about: About) -> tuple[Phrase, ...]:
    language = Name(flow.catalogues[about.language].name)
    spoken = phrase("line.about", name=language, seconds=_rounded(about.seconds))
    if not about.told:
        return (spoken, phrase("line.about_nothing"))
    return (spoken, phrase("line.about_told", told=Labels(tuple(map(Label, about.told)))))


# ---- somebody who calls about her shifts ----


def _about_shifts(
    flow: Flow, call: Call, step: Ask, answer: SignedIn | Unknown | ShiftIs | NextIs, now: datetime
) -> Turn:
    match answer:
        case SignedIn():
            shift = answer.shift
            call = replace(call, about=answer.who, language=answer.language, tries=0, told=shift.told)
            return go(flow, call, step.yes, now, (_shift(shift),))
        case Unknown():
            tries = TRIES if answer.is_closed else call.tries + 1
            target = step.no if tries < TRIES else flow.person
            said = _PIN_CLOSED if answer.is_closed else _PIN_UNKNOWN
            return go(flow, replace(call, tries=tries), target, now, (said,))
        case ShiftIs():
            return go(flow, replace(call, told=answer.told), step.yes, now, (_shift(answer),))
        case NextIs():
            return go(flow, call, step.yes, now, (_next(answer),))
        case _:
            assert_never(answer)


def _shift(shift: ShiftIs) -> Phrase:
    if shift.until is None:
        return phrase("line.on_call" if shift.is_on else "line.off_call")
    return phrase("line.on_call_until" if shift.is_on else "line.off_call_until", time=_moment(shift.until))


def _next(following: NextIs) -> Phrase:
    if following.at is None:
        return phrase("line.next_nobody")
    return phrase("line.next_on_call", name=Name(following.name), time=_moment(following.at))


def _moment(moment: Until) -> Moment:
    return Moment(moment.weekday, moment.hour, moment.minute)
