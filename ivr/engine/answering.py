"""What a call becomes by the world's answer to what was asked."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ivr.engine.asking import draft_of, with_draft
from ivr.engine.asks import (
    About,
    Answer,
    Busy,
    ByPhone,
    CallerLeft,
    Connecting,
    Crowded,
    Dialling,
    Duty,
    Gone,
    Holding,
    Late,
    Meeting,
    NextIs,
    Nobody,
    Noted,
    NotNow,
    NotSaved,
    OfPerson,
    OfReceipt,
    Opened,
    Saved,
    ShiftIs,
    SignedIn,
    StatusIs,
    Stopped,
    Unknown,
    Unsure,
)
from ivr.engine.asks import Moment as Until
from ivr.engine.call import Call
from ivr.engine.deciding import TRIES
from ivr.engine.draft import emptied
from ivr.engine.effects import Connect, Meet, Turn
from ivr.engine.walking import HELD, RECEIPT_MOMENT, go, left_to_talk, receipt_behind, since
from ivr.flow.graph import Ask, Flow
from ivr.flow.line import HOLDING
from ivr.flow.phrases import Label, Labels, Moment, Name, Number, Phrase, phrase
from ivr.flow.wants import WantOpen, WantPerson, WantWithdraw

TAKEN_BACK = "taken_back"

PROGRESS_STEP = 10
"""Seconds: how finely a caller is told how long it may still take."""

_RECEIPT_WRONG = phrase("line.receipt_wrong")
_RECEIPT_CROWDED = phrase("line.receipt_crowded")
_RECEIPT_NOT_NOW = phrase("line.receipt_not_now")
_RECEIPT_UNSURE = phrase("line.receipt_unsure")
_CONNECTED = phrase("line.connected")
_CONNECTING = phrase("line.connecting")
_TAKEN_ALREADY = phrase("line.taken_already")
_CALLER_LEFT = phrase("line.caller_left")
_PIN_CLOSED = phrase("line.pin_closed")
_PIN_UNKNOWN = phrase("line.pin_unknown")


def answered(flow: Flow, call: Call, step: Ask, answer: Answer, now: datetime) -> Turn:
    """The turn after the world's answer."""
    match answer:
        case Holding() | Meeting() | Stopped() | Dialling() | Nobody() | ByPhone():
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
            call = (
                replace(_closed(flow, call, is_gone=True), trail=call.trail[:1])
                if isinstance(step.want, WantWithdraw)
                else call
            )
            return go(flow, call, step.yes, now)
        case Opened() | StatusIs() | Busy() | Crowded() | Gone() | NotNow() | Unsure():
            return _about_receipt(flow, call, step, answer, now)
        case SignedIn() | Unknown() | ShiftIs() | NextIs():
            return _about_shifts(flow, call, step, answer, now)
        case _:
            assert_never(answer)


# ---- a caller who comes back ----


def _about_receipt(flow: Flow, call: Call, step: Ask, answer: OfReceipt, now: datetime) -> Turn:
    match answer:
        case Opened():
            if answer.receipt != call.about:
                call = _closed(flow, call)
            call = _opening(call)
            if answer.is_gone and isinstance(step.want, WantOpen):
                return go(flow, _closed(flow, call, is_gone=True), step.want.gone, now)
            form = answer.form if answer.form in flow.forms else ""
            return go(flow, replace(call, about=answer.receipt, opened=form), step.yes, now)
        case StatusIs():
            consent = Label(f"line.consent.{answer.consent}")
            told = (phrase(f"line.status.{answer.state}"), phrase("line.status_consent", consent=consent))
            return go(flow, call, step.yes, now, told[:1] if answer.state == TAKEN_BACK else told)
        case Busy():
            call = replace(call, may_try_at=since(call, now) + answer.seconds)
            return Turn(call, (RECEIPT_MOMENT,), HELD)
        case Crowded():
            return go(flow, replace(call, tries=TRIES), step.no, now, (_RECEIPT_CROWDED,))
        case Gone():
            tries = call.tries + isinstance(step.want, WantOpen)
            return go(flow, replace(call, tries=tries), step.no, now, (_RECEIPT_WRONG,))
        case NotNow():
            return go(flow, call, step.no, now, (_RECEIPT_NOT_NOW,))
        case Unsure():
            return go(flow, call, step.no, now, (_RECEIPT_UNSURE,))
        case _:
            assert_never(answer)


def _opening(call: Call) -> Call:
    """Knowing whether the receipt that she has just typed is one of this call's own reports."""
    drafts = (replace(draft, is_opened=bool(call.typed) and draft.receipt == call.typed) for draft in call.drafts)
    return replace(call, drafts=tuple(drafts))


def _closed(flow: Flow, call: Call, *, is_gone: bool = False) -> Call:
    """Without the report that was open, and what was being added to it. `is_gone`: it was taken back, and its receipt,
    if it was made in this call, leads nowhere any more."""
    over = tuple(draft for draft in call.drafts if draft.adds or (is_gone and draft.is_opened))
    others = tuple(replace(draft, is_opened=False) for draft in call.drafts if draft not in over)
    ended = (emptied(draft, flow.forms[draft.form]) for draft in over)
    return replace(call, about=b"", opened="", drafts=(*ended, *others))


# ---- a caller who wants a person ----


def _about_person(flow: Flow, call: Call, step: Ask, answer: OfPerson, now: datetime) -> Turn:
    match answer:
        case Holding():
            if call.holding:
                return Turn(call, _progress(step, answer), HELD)
            first = _announcement(step) if answer.why == "ringing" else _progress(step, answer)
            return Turn(replace(call, holding=True, wished_at=since(call, now)), first, HELD)
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
            call = replace(call, impatient=False, holding=False, wished_at=since(call, now))
            return Turn(call, said, connect)
        case Nobody():
            return go(flow, replace(call, impatient=False, holding=False), step.no, now)
        case ByPhone():
            told = "line.person_by_phone" if answer.anyone else "line.nobody_by_phone"
            call, here = receipt_behind(flow, call, call.trail[-1]) if call.trail else (call, flow.start)
            return go(flow, call, here if answer.anyone else step.no, now, (phrase(told, number=Name(answer.number)),))
        case _:
            assert_never(answer)


def _announcement(step: Ask) -> tuple[Phrase, ...]:
    """That phones will ring, for how long at most, and what to do instead."""
    if not isinstance(step.want, WantPerson):
        return ()
    return (step.want.told, *(option.told for option in step.want.options))


def _progress(step: Ask, answer: Holding) -> tuple[Phrase, ...]:
    if not isinstance(step.want, WantPerson):
        return ()
    told = phrase(HOLDING[answer.why], seconds=_rounded(answer.seconds))
    return (told, *(option.told for option in step.want.options))


def _rounded(seconds: int) -> Number:
    """Up: what is promised is kept. Few different sentences, so that they are remembered as they are rendered."""
    return Number(max(-(-seconds // PROGRESS_STEP), 1) * PROGRESS_STEP)


# ---- somebody whose phone rang ----


def _about_offer(
    flow: Flow, call: Call, step: Ask, answer: Connecting | Late | CallerLeft | About, now: datetime
) -> Turn:
    match answer:
        case Connecting():
            return Turn(call, (_CONNECTING,), HELD)
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
