"""Everything that a flow can say: the engine walked by itself, at each wait each key, silence and typed digits, with
every answer that the world may give, in each language. What a document is made from, without a call for each."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import get_args

from msgspec.structs import replace

from ivr.engine.advance import advance
from ivr.engine.asks import (
    About,
    Answer,
    Ask,
    AskShift,
    CallerLeft,
    Connecting,
    CountOutcome,
    Dialling,
    Duty,
    HearMore,
    Holding,
    Late,
    Meeting,
    Moment,
    NextIs,
    Nobody,
    Noted,
    NotSaved,
    OnDuty,
    PassOffer,
    Ring,
    Saved,
    SaveReport,
    ShiftIs,
    SignedIn,
    SignIn,
    Stopped,
    StopRinging,
    TakeOffer,
    Unknown,
)
from ivr.engine.call import Call, begin
from ivr.engine.effects import Connect, Effect, HandOver, HangUp, Hold, Meet, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import Answered, Began, FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.services.telling import ASKED, FINISHED, MOST
from tests.promises.house import BEGINNING, ON_DUTY
from tests.promises.paths import KEYS, TYPED
from tests.shipped import flow as callers

ROOM = "5ad0c1f3e8b94b7d90a1c2e3"
LONGEST_CHAIN = 8
"""More asks in a row than any turn has."""


def codes() -> list[str]:
    """The name of every label that an advocate may be told of what a caller keyed."""
    forms = callers().forms.values()
    known = [f"{form.name}.{one.name}.{code.name}" for form in forms for one in form.questions for code in one.codes]
    return [FINISHED, ASKED, *known]


def _answers() -> Mapping[type[Ask], tuple[Answer, ...]]:
    every, until = codes(), Moment(2, 12, 5)
    told = [tuple(every[at : at + MOST]) for at in range(0, len(every), MOST)]
    shifts = (ShiftIs(False), ShiftIs(True, None), ShiftIs(True, until, 1), ShiftIs(False, until, -1))
    about = [About(language, 20, one) for language in callers().languages for one in ((), *told)]
    return {
        SaveReport: (NotSaved(), Saved(None), Saved("482095316604")),
        Ring: (Holding(50), Meeting(ROOM), Dialling(ON_DUTY, 20), Nobody()),
        StopRinging: (Stopped(),),
        OnDuty: (Duty(True), Duty(False)),
        TakeOffer: (Connecting(), Meeting(ROOM), Late(), CallerLeft()),
        PassOffer: (Noted(),),
        HearMore: (Late(), *about),
        CountOutcome: (Noted(),),
        SignIn: (Unknown(), *(SignedIn(b"ana", language, one) for language in ("en", "es") for one in shifts)),
        AskShift: (*shifts, NextIs(), NextIs("Ana", until)),
    }


ANSWERS = _answers()
"""What the world may answer. A new ask without its answers is a KeyError."""


def every_turn(flow: Flow) -> Iterator[Turn]:
    """Each thing that can be said and done next, at least once for each step and language that it can come of."""
    known: set[object] = set()
    todo = deque(turn for call in _beginnings(flow) for turn in _settled(flow, call, Began()))
    while todo:
        turn = todo.popleft()
        like = _like(turn)
        if like in known:
            continue
        known.add(like)
        yield turn
        todo += [after for received in _inputs(turn.then) for after in _settled(flow, turn.call, received)]


def _beginnings(flow: Flow) -> Iterator[Call]:
    for language in flow.languages:
        for step in {flow.start, flow.offered or flow.start, f"{flow.offered}.take" if flow.offered else flow.start}:
            call = begin(flow, seed=bytes(16), at=BEGINNING)
            yield replace(call, step=step, language=language)


def _settled(flow: Flow, call: Call, received: Input, depth: int = 0) -> Iterator[Turn]:
    """What one input leads to: a turn for each way in which the world may answer."""
    assert depth < LONGEST_CHAIN, call.step
    turn = advance(flow, call, received, now=BEGINNING + timedelta(minutes=1))
    if not isinstance(turn.then, get_args(Ask)):
        yield turn
        return
    for answer in ANSWERS[type(turn.then)]:
        for after in _settled(flow, turn.call, Answered(answer), depth + 1):
            yield replace(after, said=(*turn.said, *after.said))


def _inputs(then: object) -> list[Input]:
    match then:
        case WaitForKey() | Hold():
            return [*map(Pressed, KEYS), FellSilent()]
        case WaitForDigits():
            typed = TYPED[: then.most]
            return [*map(Pressed, (f"{typed}#", f"{typed[:-1]}#", "1", "#", "*", "0", "9", "55*")), FellSilent()]
        case Connect() | Meet():
            return [Returned(talked) for talked in (True, False)]
        case HandOver() | HangUp():
            return []
        case _:
            raise AssertionError(then)


def _like(turn: Turn) -> object:
    """What turns have in common that are drawn alike, near enough, and lead to the same places."""
    call = turn.call
    said = tuple((one.prompt, one.language) for one in turn.said)
    about = next((one.values for one in turn.said if one.prompt == "line.about_told"), ())
    return call.step, call.language, turn.then, said, str(about), call.holding, call.starred, call.silences, call.tries


EFFECTS = frozenset(get_args(Effect))
