"""The machine: what a call becomes when something happens, and what is said and done then.

Pure. It ends every turn in exactly one effect or ask, and never loops without one."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ivr.engine.answering import answered
from ivr.engine.asking import draft_of, with_draft
from ivr.engine.asks import StopRinging
from ivr.engine.call import Call
from ivr.engine.draft import recorded
from ivr.engine.effects import HandOver, HangUp, Turn
from ivr.engine.filling import filled
from ivr.engine.inputs import Answered as WorldAnswered
from ivr.engine.inputs import Began, FellSilent, Input, Pressed, Returned
from ivr.engine.keypad import Begun, Typed, Verdict, gather, judge
from ivr.engine.walking import LONGEST_CALL, go, receipt_behind, wait
from ivr.flow.graph import Ask, Choose, Collect, Flow, Return, Wait
from ivr.flow.keys import Pass, Record, SpeakIn
from ivr.flow.phrases import Digits, Phrase, phrase
from ivr.flow.wants import WantNumber, WantOffer, WantOpen, WantPerson
from ivr.flow.wording import SILENCE, after_silence, after_wrong_key

PATIENCE = 3
"""The third silence, or the third wrong key, in a row leads to a person."""

STAFF_KEY = "8"
"""During the greeting it leads to the line of those who answer callers; no caller is told."""

_SILENCE_PERSON = phrase("line.silence_person")
_SILENCE_BYE = phrase("line.silence_bye")
_TOO_LONG = phrase("line.too_long")


def advance(flow: Flow, call: Call, received: Input, *, now: datetime) -> Turn:
    """The next turn of a call. `now` is aware.

    Never raises for anything that a caller or a carrier does: what does not fit where the call is says again where she
    is."""
    if not isinstance(received, WorldAnswered):
        is_silent = call.is_silent and not isinstance(received, Pressed)
        call = replace(call, turn=call.turn + 1, is_silent=is_silent)
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
            return answered(flow, call, step, received.answer, now)
        case Ask(want=WantPerson() | WantNumber() | WantOpen()), Pressed():
            return _pressed_instead(flow, call, step, received.keys, now)
        case Ask(), Returned():
            return _returned(flow, call, step, received, now)
        case _, (Began() | Pressed() | FellSilent() | Returned() | WorldAnswered()):
            return go(flow, call, call.step, now)
        case _:
            assert_never(received)


def _returned(flow: Flow, call: Call, step: Ask, received: Returned, now: datetime) -> Turn:
    match step.want:
        case WantPerson() | WantNumber():
            return _instead(flow, call, step.yes if received.talked else step.no, now)
        case WantOffer():
            return go(flow, call, step.yes, now)
        case _:
            return go(flow, call, call.step, now)


# ---- a key ----


def _pressed(flow: Flow, call: Call, step: Choose, keys: str, now: datetime) -> Turn:
    for option in step.options:
        if option.key == keys:
            return go(flow, _record(flow, call, step, option.record), option.to, now)
    if step.otherwise is not None:
        return go(flow, call, step.otherwise, now)
    if step.staff_door and keys == STAFF_KEY:
        return Turn(call, (), HandOver(to_staff=True))
    match keys:
        case "0":
            return go(flow, call, flow.person, now)
        case "9":
            return go(flow, call, flow.leave, now)
        case "*":
            return _back(flow, call, step, now)
        case "#":
            return _onward(flow, call, step, now)
        case _:
            return _wrong(flow, call, step, now)


def _pressed_instead(flow: Flow, call: Call, step: Ask, keys: str, now: datetime) -> Turn:
    """A key while phones ring, or while she is told that they will: something else instead, or on with it."""
    for option in step.want.options if isinstance(step.want, WantPerson) else ():
        if option.key == keys:
            return _instead(flow, call, option.to, now)
    if keys == "0" and not isinstance(step.want, WantPerson):
        return go(flow, call, flow.person, now)
    if keys == "9":
        return _instead(flow, call, flow.leave, now)
    if keys == "*" and call.trail:
        call, target = receipt_behind(flow, call, call.trail[-1])
        return _starred(_instead(flow, call, target, now))
    return go(flow, replace(call, impatient=not isinstance(step.want, WantOpen)), step.name, now)


def _instead(flow: Flow, call: Call, target: str, now: datetime) -> Turn:
    """Away from where phones ring for her: they are let be first."""
    call = replace(call, impatient=False)
    if not call.holding:
        return go(flow, call, target, now)
    return Turn(replace(call, step=target, holding=False), (), StopRinging(call.transfers))


def _typed(flow: Flow, call: Call, step: Collect, keys: str, now: datetime) -> Turn:
    verdict = _judged(call, step, keys)
    match verdict:
        case Typed():
            return go(flow, replace(call, typed=verdict.digits, may_try_at=0), step.to, now)
        case Begun():
            call = replace(call, typed=verdict.digits, silences=0, starred=False)
            return Turn(call, (_so_far(verdict.digits),), wait(step))
        case Verdict.PERSON:
            return go(flow, call, flow.person, now)
        case Verdict.LEAVE:
            return go(flow, call, flow.leave, now)
        case Verdict.BACK:
            return _back(flow, call, step, now)
        case Verdict.CLEARED:
            return _starred(go(flow, call, step.name, now))
        case Verdict.ONWARD:
            return _onward(flow, call, step, now)
        case Verdict.NOTHING:
            return _silent(flow, call, step, now)
        case Verdict.WRONG:
            return _wrong(flow, call, step, now)
        case _:
            assert_never(verdict)


def _so_far(digits: str) -> Phrase:
    return phrase("line.digits_more", digits=Digits(digits))


def _judged(call: Call, step: Collect, keys: str) -> Typed | Begun | Verdict:
    if step.gathers:
        return gather(call.typed, keys, least=step.least, most=step.most, starred=call.starred)
    return judge(keys, least=step.least, most=step.most, starred=call.starred)


def _record(flow: Flow, call: Call, step: Wait, record: Record | None) -> Call:
    if record is None:
        return call
    if isinstance(record, SpeakIn):
        return replace(call, language=record.language)
    draft = draft_of(call, step)
    return with_draft(call, recorded(draft, record, flow.forms[draft.form], typed=call.typed)) if draft else call


def _onward(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    onward: Pass = step.onward
    return go(flow, _record(flow, call, step, onward.record), onward.to or step.name, now)


def _back(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    if step.back is not None:
        return _starred(go(flow, call, step.back, now))
    trail = call.trail[:-1] or call.trail
    call, target = receipt_behind(flow, replace(call, trail=trail), trail[-1] if trail else step.name)
    return _starred(go(flow, call, target, now))


def _starred(turn: Turn) -> Turn:
    return Turn(replace(turn.call, starred=True), turn.said, turn.then)


# ---- silence and mistakes ----


def _silent(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    if isinstance(step, Choose) and step.otherwise is not None:
        return go(flow, call, step.otherwise, now)
    silences = call.silences + 1
    if silences < PATIENCE:
        asked = replace(call, silences=silences, starred=False)
        told = after_silence(step, first=call.wrong_keys + silences == 1)
        if isinstance(step, Collect) and call.typed:
            told = (SILENCE, _so_far(call.typed))
        return _ask_again(flow, asked, step, told)
    if call.led_by_silence:
        return Turn(call, (_SILENCE_BYE,), HangUp())
    return _led_to_person(flow, replace(call, led_by_silence=True, is_silent=True), now)


def _wrong(flow: Flow, call: Call, step: Wait, now: datetime) -> Turn:
    """A key that does nothing. She is there, so silence is forgiven; and a wrong key never ends a call."""
    wrong_keys = call.wrong_keys + 1
    if wrong_keys >= PATIENCE:
        return _led_to_person(flow, call, now)
    asked = replace(call, silences=0, wrong_keys=wrong_keys, starred=False)
    if isinstance(step, Collect):
        asked = replace(asked, typed="")
    return _ask_again(flow, asked, step, after_wrong_key(step, first=call.silences + wrong_keys == 1))


def _led_to_person(flow: Flow, call: Call, now: datetime) -> Turn:
    """Where the key 0 leads; it is a person for callers, and their own line for those who answer them."""
    said = () if isinstance(flow.steps[flow.person], Return) else (_SILENCE_PERSON,)
    return go(flow, call, flow.person, now, said)


def _ask_again(flow: Flow, call: Call, step: Wait, said: tuple[Phrase, ...]) -> Turn:
    return Turn(call, filled(flow, call, step, said), wait(step))
