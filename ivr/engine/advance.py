"""The machine: what a call becomes when something happens, and what is said and done then.

Pure. It ends every turn in exactly one effect or ask, and never loops without one."""

from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ivr.engine.asks import Dialling, Duty, Nobody, NotSaved, OnDuty, Ring, Saved, SaveReport
from ivr.engine.call import Call
from ivr.engine.draft import Draft, recorded
from ivr.engine.effects import Connect, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.filling import filled
from ivr.engine.inputs import Answered as WorldAnswered
from ivr.engine.inputs import Began, FellSilent, Input, Pressed, Returned
from ivr.engine.keypad import Typed, Verdict, judge
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
    Pass,
    Record,
    SavedBefore,
    Say,
    SpeakIn,
    Speaks,
    Step,
    Wait,
    WantDuty,
    WantPerson,
    WantSave,
)
from ivr.flow.phrases import Number, Phrase, phrase
from ivr.flow.wording import after_silence, after_wrong_key, opening

PATIENCE = 3
"""The third silence, or the third wrong key, in a row leads to a person."""

LONGEST_CALL = timedelta(hours=3, minutes=45)
"""Then the call is ended with a word: it must be over within four hours, while the key of its token still lives."""

TALK_STEP = timedelta(minutes=15)
"""Conversations are limited to what is left of the call, in whole steps; one step is always left."""

TRAIL = 16
"""So many waits back a star can lead."""

_KEY = WaitForKey()
_SILENCE_PERSON = phrase("line.silence_person")
_SILENCE_BYE = phrase("line.silence_bye")
_TOO_LONG = phrase("line.too_long")


def advance(flow: Flow, call: Call, received: Input, *, now: datetime) -> Turn:
    """The next turn of a call. `now` is aware.

    Never raises for anything that a caller or a carrier does: what does not fit where the call is says again where she
    is."""
    if not isinstance(received, WorldAnswered):
        call = replace(call, turn=call.turn + 1)
    if now - call.began_at > LONGEST_CALL:
        return Turn(call, (_TOO_LONG,), HangUp())
    step = flow.steps[call.step]
    match step, received:
        case Choose(), Pressed():
            return _pressed(flow, call, step, received.keys, now)
        case Collect(), Pressed():
            return _typed(flow, call, step, received.keys, now)
        case ((Choose() | Collect()), FellSilent()):
            return _silent(flow, call, step, now)
        case Ask(), WorldAnswered():
            return _answered(flow, call, step, received, now)
        case Ask(want=WantPerson()), Pressed():
            return _pressed_instead(flow, call, step, received.keys, now)
        case Ask(want=WantPerson()), Returned():
            return _go(flow, call, step.yes if received.talked else step.no, now)
        case _, (Began() | Pressed() | FellSilent() | Returned() | WorldAnswered()):
            return _go(flow, call, call.step, now)
        case _:
            assert_never(received)


# ---- a key ----


def _pressed(flow: Flow, call: Call, step: Choose, keys: str, now: datetime) -> Turn:
    for option in step.options:
        if option.key == keys:
            return _go(flow, _record(flow, call, step, option.record), option.to, now)
    match keys:
        case "0":
            return _go(flow, call, flow.person, now)
        case "9":
            return _go(flow, call, flow.leave, now)
        case "*":
            return _back(flow, call, step, now)
        case "#":
            return _onward(flow, call, step, now)
        case _:
            return _wrong(flow, call, step, now)


def _pressed_instead(flow: Flow, call: Call, step: Ask, keys: str, now: datetime) -> Turn:
    """A key while she is told that phones will ring: something else instead, or they ring at once."""
    for option in step.want.options if isinstance(step.want, WantPerson) else ():
        if option.key == keys:
            return _go(flow, call, option.to, now)
    if keys == "9":
        return _go(flow, call, flow.leave, now)
    if keys == "*" and call.trail:
        return _starred(_go(flow, call, call.trail[-1], now))
    return _go(flow, replace(call, impatient=True), step.name, now)


def _typed(flow: Flow, call: Call, step: Collect, keys: str, now: datetime) -> Turn:
    verdict = judge(keys, least=step.least, most=step.most, starred=call.starred)
    match verdict:
        case Typed():
            return _go(flow, replace(call, typed=verdict.digits), step.to, now)
        case Verdict.PERSON:
            return _go(flow, call, flow.person, now)
        case Verdict.LEAVE:
            return _go(flow, call, flow.leave, now)
        case Verdict.BACK:
            return _back(flow, call, step, now)
        case Verdict.CLEARED:
            return _starred(_go(flow, call, step.name, now))
        case Verdict.ONWARD:
            return _onward(flow, call, step, now)
        case Verdict.NOTHING:
            return _silent(flow, call, step, now)
        case Verdict.WRONG:
            return _wrong(flow, call, step, now)
        case _:
            assert_never(verdict)


def _record(flow: Flow, call: Call, step: Wait, record: Record | None) -> Call:
    if record is None:
        return call
    if isinstance(record, SpeakIn):
        return replace(call, language=record.language)
    draft = _draft(call, step)
    return _with(call, recorded(draft, record, flow.forms[draft.form], typed=call.typed)) if draft else call


def _onward(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    onward: Pass = step.onward
    return _go(flow, _record(flow, call, step, onward.record), onward.to or step.name, now)


def _back(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    if step.back is not None:
        return _starred(_go(flow, call, step.back, now))
    trail = call.trail[:-1] or call.trail
    target = trail[-1] if trail else step.name
    return _starred(_go(flow, replace(call, trail=trail), _receipt_behind(flow, call, target), now))


def _receipt_behind(flow: Flow, call: Call, target: str) -> str:
    """A star that leads to a form whose report is over leads to its receipt, not to a new report."""
    step = flow.steps[target]
    draft = call.draft(step.form) if isinstance(step, Enter) else None
    return draft.at if draft is not None and draft.is_over else target


def _starred(turn: Turn) -> Turn:
    return Turn(replace(turn.call, starred=True), turn.said, turn.then)


# ---- silence and mistakes ----


def _silent(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    silences = call.silences + 1
    if silences < PATIENCE:
        asked = replace(call, silences=silences, starred=False)
        return _ask_again(flow, asked, step, after_silence(step, first=call.wrong_keys + silences == 1))
    if call.led_by_silence:
        return Turn(call, (_SILENCE_BYE,), HangUp())
    return _go(flow, replace(call, led_by_silence=True), flow.person, now, (_SILENCE_PERSON,))


def _wrong(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    """A key that does nothing. She is there, so silence is forgiven; and a wrong key never ends a call."""
    wrong_keys = call.wrong_keys + 1
    if wrong_keys >= PATIENCE:
        return _go(flow, call, flow.person, now, (_SILENCE_PERSON,))
    asked = replace(call, silences=0, wrong_keys=wrong_keys, starred=False)
    return _ask_again(flow, asked, step, after_wrong_key(step, first=call.silences + wrong_keys == 1))


def _ask_again(flow: Flow, call: Call, step: Wait, said: tuple[Phrase, ...]) -> Turn:
    return Turn(call, filled(flow, call, step, said), _wait(step))


# ---- the world's answers ----


def _answered(flow: Flow, call: Call, step: Ask, received: WorldAnswered, now: datetime) -> Turn:
    answer = received.answer
    match answer:
        case Saved():
            draft = _draft(call, step)
            if draft is not None:
                call = _with(call, replace(draft, saved=True, receipt=answer.receipt or draft.receipt))
            return _go(flow, call, step.yes, now)
        case NotSaved() | Nobody():
            return _go(flow, replace(call, impatient=False), step.no, now)
        case Duty():
            return _go(flow, call, step.yes if answer.anyone else step.no, now)
        case Dialling():
            said = () if call.impatient else _ringing(step, answer)
            connect = Connect(answer.numbers, answer.seconds, _left_to_talk(call, now))
            return Turn(replace(call, impatient=False), said, connect)
        case _:
            assert_never(answer)


def _left_to_talk(call: Call, now: datetime) -> int:
    """Seconds."""
    steps = (LONGEST_CALL - (now - call.began_at)) // TALK_STEP
    return max(steps, 1) * int(TALK_STEP.total_seconds())


def _ringing(step: Ask, answer: Dialling) -> tuple[Phrase, ...]:
    if not isinstance(step.want, WantPerson):
        return ()
    told = phrase(step.want.told.prompt, seconds=Number(answer.seconds))
    return (told, *(option.told for option in step.want.options))


# ---- from step to step ----


def _go(flow: Flow, call: Call, target: str, now: datetime, said: tuple[Phrase, ...] = ()) -> Turn:
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
                call = _confirmed(replace(call, step=target), step)
                return Turn(call, said, _ask(call, step))
            case Choose() | Collect():
                return _arrived(flow, call, step, said)
            case End():
                return Turn(replace(call, step=target), (*said, step.told), HangUp())
            case _:
                assert_never(step)
    return Turn(call, said, HangUp())


def _arrived(flow: Flow, call: Call, step: Wait, said: tuple[Phrase, ...]) -> Turn:
    place = flow.forms[step.form].enter if step.form else step.name
    trail = (*call.trail[: call.trail.index(place)], place) if place in call.trail else (*call.trail, place)
    typed = call.typed if _confirms_typing(flow, step) else ""
    call = replace(call, step=step.name, trail=trail[-TRAIL:], silences=0, wrong_keys=0, starred=False, typed=typed)
    draft = _draft(call, step)
    if draft is not None:
        # What was typed is forgotten elsewhere: she comes back to type it, not to confirm nothing.
        call = _with(call, replace(draft, at=step.back if step.back and _confirms_typing(flow, step) else step.name))
    answered = bool(draft and step.question and draft.answer(step.question))
    return Turn(call, (*said, *filled(flow, call, step, opening(step, answered=answered))), _wait(step))


def _confirms_typing(flow: Flow, step: Wait) -> bool:
    return isinstance(step, Choose) and step.back is not None and isinstance(flow.steps[step.back], Collect)


def _wait(step: Wait) -> WaitForKey | WaitForDigits:
    return WaitForDigits(step.most) if isinstance(step, Collect) else _KEY


def _ask(call: Call, step: Ask) -> SaveReport | Ring | OnDuty:
    match step.want:
        case WantSave():
            draft = _draft(call, step)
            assert draft is not None, "a form is entered before it is saved"
            ending = draft.endings if step.want.ends else 0
            return SaveReport(draft.form, draft.visit, draft.answers, draft.consent, ending)
        case WantPerson():
            return Ring(step.want.rungs)
        case WantDuty():
            return OnDuty()
        case _:
            assert_never(step.want)


def _confirmed(call: Call, step: Ask) -> Call:
    draft = _draft(call, step)
    if draft is None:
        return call
    ends = isinstance(step.want, WantSave) and step.want.ends
    return _with(call, replace(draft, confirmed=True, endings=draft.endings + 1 if ends else draft.endings))


def _holds(flow: Flow, call: Call, step: Branch, now: datetime) -> bool:
    condition: Condition = step.condition
    draft = _draft(call, step)
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


# ---- drafts ----


def _draft(call: Call, step: Step) -> Draft | None:
    form = getattr(step, "form", None)
    return call.draft(form) if form else None


def _with(call: Call, draft: Draft) -> Call:
    others = tuple(other for other in call.drafts if other.form != draft.form)
    return replace(call, drafts=(*others, draft))


def _entered(flow: Flow, call: Call, step: Enter) -> tuple[Call, str]:
    """Where she left the form, or at its beginning."""
    draft = call.draft(step.form)
    if draft is not None and not draft.is_over:
        return call, draft.at
    form: Form = flow.forms[step.form]
    visit = draft.visit + 1 if draft is not None else 1
    return _with(call, Draft(form.name, visit, step.to, form.consents[0])), step.to


def _left(flow: Flow, call: Call, step: Leave) -> Call:
    """The report is over: its answers are forgotten, the next visit begins a new one. A star leads back to its receipt,
    and where there is none past it."""
    draft = call.draft(step.form)
    if draft is None:
        return call
    call = _with(call, replace(draft, answers=(), is_over=True))
    if draft.receipt:
        return call
    enter = flow.forms[step.form].enter
    return replace(call, trail=tuple(place for place in call.trail if place != enter))
