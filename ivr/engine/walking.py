"""From step to step: through those that wait for nobody, to the first that does, and what is asked of the world."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec.structs import replace

from ivr.engine.asking import ask_of, draft_of, having_asked, with_draft
from ivr.engine.call import Call
from ivr.engine.deciding import holds
from ivr.engine.draft import Draft
from ivr.engine.effects import Connect, HandOver, HangUp, Hold, Turn, WaitForDigits, WaitForKey
from ivr.engine.filling import filled
from ivr.flow.graph import (
    Ask,
    Branch,
    Choose,
    Collect,
    End,
    Enter,
    Flow,
    Form,
    Leave,
    Return,
    Say,
    Wait,
)
from ivr.flow.phrases import Phrase, phrase
from ivr.flow.wants import WantConsent, WantNumber, WantOpen, WantSave, WantWithdraw
from ivr.flow.wording import opening

TRAIL = 16
"""So many waits back a star can lead."""

DECIDING_SECONDS = 5
"""How long somebody whose phone rang may think after the last word; a mailbox must not keep her."""

RECEIPT_MOMENT = phrase("line.receipt_moment")
SORRY = phrase("line.trouble")
HELD = Hold()
_KEY = WaitForKey()
_DECISION = WaitForKey(DECIDING_SECONDS)
_COUNTED_FOR_GOOD = (WantSave, WantConsent, WantWithdraw)
"""What lasting rows make count once, for longer than any token opens."""


def go(flow: Flow, call: Call, target: str, now: datetime, said: tuple[Phrase, ...] = ()) -> Turn:
    """Through the steps that wait for nobody, to the first that does. The checker proves that there is one."""
    for _ in range(len(flow.steps) + 1):
        step = flow.steps[target]
        match step:
            case Say():
                said, target = (*said, step.told), step.to
            case Branch():
                target = step.yes if holds(flow, call, step, now) else step.no
            case Enter():
                call, target = _entered(flow, call, step)
            case Leave():
                call, target = _left(flow, call, step)
            case Ask():
                return _asked(flow, replace(call, step=target), step, now, said)
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
    draft = draft_of(call, step)
    place = draft.place(flow.forms[draft.form]) if draft is not None else step.name
    trail = (*call.trail[: call.trail.index(place)], place) if place in call.trail else (*call.trail, place)
    typed = call.typed if _confirms_typing(flow, step) else ""
    call = replace(call, step=step.name, trail=trail[-TRAIL:], silences=0, wrong_keys=0, starred=False, typed=typed)
    if draft is not None:
        # What was typed is forgotten elsewhere: she comes back to type it, not to confirm nothing.
        call = with_draft(
            call, replace(draft, at=step.back if step.back and _confirms_typing(flow, step) else step.name)
        )
    answered = bool(draft and step.question and draft.answer(step.question))
    return Turn(call, (*said, *filled(flow, call, step, opening(step, answered=answered))), wait(step))


def _confirms_typing(flow: Flow, step: Wait) -> bool:
    """The question behind may be one that is typed, too: only the step that it leads to confirms it."""
    typed_at = flow.steps[step.back] if isinstance(step, Choose) and step.back is not None else None
    return isinstance(typed_at, Collect) and typed_at.to == step.name


LONGEST_CALL = timedelta(hours=3, minutes=45)
"""Then the call is ended with a word: it must be over within four hours, while the key of its token still lives."""

TALK_STEP = timedelta(minutes=15)
"""Conversations are limited to what is left of the call, in whole steps; one step is always left."""


def left_to_talk(call: Call, now: datetime) -> int:
    """Seconds."""
    steps = (LONGEST_CALL - (now - call.began_at)) // TALK_STEP
    return max(steps, 1) * int(TALK_STEP.total_seconds())


def _asked(flow: Flow, call: Call, step: Ask, now: datetime, said: tuple[Phrase, ...]) -> Turn:
    if isinstance(step.want, WantNumber):
        return _connecting(call, step.want, now, said)
    if isinstance(step.want, WantOpen) and since(call, now) < call.may_try_at:
        return Turn(call, (*said, RECEIPT_MOMENT), HELD)
    if isinstance(step.want, WantSave) and _adds_to_nothing(call, step):
        return go(flow, call, step.no, now, said)
    if call.is_late and not isinstance(step.want, _COUNTED_FOR_GOOD):
        # Only a call that is still there comes back with what it is handed now, and then it is not late any more.
        return Turn(call, said or (SORRY,), HELD)
    call = having_asked(call, step)
    return Turn(call, said, ask_of(call, step, now))


def _adds_to_nothing(call: Call, step: Ask) -> bool:
    """Saved without the receipt that it is added to, it would be a report of its own."""
    draft = draft_of(call, step)
    return draft is not None and draft.adds and not call.about


def since(call: Call, now: datetime) -> int:
    """Seconds since the call began."""
    return int((now - call.began_at).total_seconds())


def _connecting(call: Call, want: WantNumber, now: datetime, said: tuple[Phrase, ...]) -> Turn:
    """Whoever pressed a key while she was told is put through without another word."""
    told = said if call.impatient else (*said, want.told)
    connect = Connect((want.number,), want.seconds, left_to_talk(call, now), is_outside=True)
    return Turn(replace(call, impatient=False), told, connect)


# ---- into a form, and out of it ----


def _entered(flow: Flow, call: Call, step: Enter) -> tuple[Call, str]:
    """Where she left the form, or at its beginning."""
    draft = call.draft(step.form, adds=step.adds)
    if draft is not None and not draft.is_over:
        return with_draft(call, draft), draft.at
    form: Form = flow.forms[step.form]
    visit = draft.visit + 1 if draft is not None else 1
    return with_draft(call, Draft(form.name, visit, step.to, form.consents[0], adds=step.adds)), step.to


def _left(flow: Flow, call: Call, step: Leave) -> tuple[Call, str]:
    """The report is over: its answers are forgotten, the next visit begins a new one. A star leads back to its receipt,
    and where there is none past it."""
    draft = call.draft(step.form)
    if draft is None:
        return call, step.to
    call = with_draft(call, replace(draft, answers=(), is_over=True))
    if draft.receipt:
        return call, step.to
    place = draft.place(flow.forms[draft.form])
    to = step.added if draft.adds and step.added else step.to
    return replace(call, trail=tuple(one for one in call.trail if one != place)), to


def receipt_behind(flow: Flow, call: Call, target: str) -> tuple[Call, str]:
    """Back to a form whose report is over is back to its receipt, not to a new report. It is at that draft then,
    whatever was added since."""
    step = flow.steps[target]
    draft = call.draft(step.form, adds=step.adds) if isinstance(step, Enter) else None
    if draft is None or not draft.is_over or not draft.receipt:
        return call, target
    return with_draft(call, draft), draft.at
