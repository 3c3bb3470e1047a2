"""From step to step: through those that wait for nobody, to the first that does, and what is asked of the world."""

from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ivr.engine.asking import ask_of, draft_of, having_asked, with_draft
from ivr.engine.call import Call
from ivr.engine.draft import Draft
from ivr.engine.effects import Connect, HandOver, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.filling import filled
from ivr.flow.graph import (
    Answered,
    Ask,
    Between,
    Branch,
    Choose,
    Collect,
    Condition,
    Confirmed,
    End,
    Enter,
    Flow,
    Form,
    Leave,
    Return,
    SavedBefore,
    Say,
    Speaks,
    Wait,
)
from ivr.flow.phrases import Phrase
from ivr.flow.wants import WantNumber
from ivr.flow.wording import opening

TRAIL = 16
"""So many waits back a star can lead."""

DECIDING_SECONDS = 5
"""How long somebody whose phone rang may think after the last word; a mailbox must not keep her."""

_KEY = WaitForKey()
_DECISION = WaitForKey(DECIDING_SECONDS)


def go(flow: Flow, call: Call, target: str, now: datetime, said: tuple[Phrase, ...] = ()) -> Turn:
    """Through the steps that wait for nobody, to the first that does. The checker proves that there is one."""
    for _ in range(len(flow.steps) + 1):
        step = flow.steps[target]
        match step:
            case Say():
                said, target = (*said, step.told), step.to
            case Branch():
                target = step.yes if _holds(flow, call, step, now) else step.no
            case Enter():
                call, target = _entered(flow, call, step)
            case Leave():
                call, target = _left(flow, call, step), step.to
            case Ask():
                return _asked(replace(call, step=target), step, now, said)
            case Choose() | Collect():
                return _arrived(flow, call, step, said)
            case End():
                return Turn(replace(call, step=target), (*said, step.told), HangUp())
            case Return():
                return Turn(replace(call, step=target), said, HandOver(to_staff=False))
            case _:
                assert_never(step)
    return Turn(call, said, HangUp())


def wait(step: Wait) -> WaitForKey | WaitForDigits:
    if isinstance(step, Collect):
        return WaitForDigits(step.most)
    return _KEY if step.otherwise is None else _DECISION


def _arrived(flow: Flow, call: Call, step: Wait, said: tuple[Phrase, ...]) -> Turn:
    place = flow.forms[step.form].enter if step.form else step.name
    trail = (*call.trail[: call.trail.index(place)], place) if place in call.trail else (*call.trail, place)
    typed = call.typed if _confirms_typing(flow, step) else ""
    call = replace(call, step=step.name, trail=trail[-TRAIL:], silences=0, wrong_keys=0, starred=False, typed=typed)
    draft = draft_of(call, step)
    if draft is not None:
        # What was typed is forgotten elsewhere: she comes back to type it, not to confirm nothing.
        call = with_draft(
            call, replace(draft, at=step.back if step.back and _confirms_typing(flow, step) else step.name)
        )
    answered = bool(draft and step.question and draft.answer(step.question))
    return Turn(call, (*said, *filled(flow, call, step, opening(step, answered=answered))), wait(step))


def _confirms_typing(flow: Flow, step: Wait) -> bool:
    return isinstance(step, Choose) and step.back is not None and isinstance(flow.steps[step.back], Collect)


LONGEST_CALL = timedelta(hours=3, minutes=45)
"""Then the call is ended with a word: it must be over within four hours, while the key of its token still lives."""

TALK_STEP = timedelta(minutes=15)
"""Conversations are limited to what is left of the call, in whole steps; one step is always left."""


def left_to_talk(call: Call, now: datetime) -> int:
    """Seconds."""
    steps = (LONGEST_CALL - (now - call.began_at)) // TALK_STEP
    return max(steps, 1) * int(TALK_STEP.total_seconds())


def _asked(call: Call, step: Ask, now: datetime, said: tuple[Phrase, ...]) -> Turn:
    if isinstance(step.want, WantNumber):
        return _connecting(call, step.want, now, said)
    call = having_asked(call, step)
    return Turn(call, said, ask_of(call, step, now))


def _connecting(call: Call, want: WantNumber, now: datetime, said: tuple[Phrase, ...]) -> Turn:
    """Whoever pressed a key while she was told is put through without another word."""
    told = said if call.impatient else (*said, want.told)
    connect = Connect((want.number,), want.seconds, left_to_talk(call, now), is_outside=True)
    return Turn(replace(call, impatient=False), told, connect)


# ---- what the call itself decides ----


def _holds(flow: Flow, call: Call, step: Branch, now: datetime) -> bool:
    condition: Condition = step.condition
    draft = draft_of(call, step)
    match condition:
        case Between():
            here = now.astimezone(ZoneInfo(flow.zone)).time()
            if condition.start <= condition.end:
                return condition.start <= here < condition.end
            return here >= condition.start or here < condition.end
        case Speaks():
            return call.language == condition.language
        case Answered():
            return draft is not None and bool(draft.answer(condition.question) if condition.question else draft.answers)
        case SavedBefore():
            return draft is not None and draft.saved
        case Confirmed():
            return draft is not None and draft.confirmed
        case _:
            assert_never(condition)


def _entered(flow: Flow, call: Call, step: Enter) -> tuple[Call, str]:
    """Where she left the form, or at its beginning."""
    draft = call.draft(step.form)
    if draft is not None and not draft.is_over:
        return call, draft.at
    form: Form = flow.forms[step.form]
    visit = draft.visit + 1 if draft is not None else 1
    return with_draft(call, Draft(form.name, visit, step.to, form.consents[0])), step.to


def _left(flow: Flow, call: Call, step: Leave) -> Call:
    """The report is over: its answers are forgotten, the next visit begins a new one. A star leads back to its receipt,
    and where there is none past it."""
    draft = call.draft(step.form)
    if draft is None:
        return call
    call = with_draft(call, replace(draft, answers=(), is_over=True))
    if draft.receipt:
        return call
    enter = flow.forms[step.form].enter
    return replace(call, trail=tuple(place for place in call.trail if place != enter))
