"""What the call itself decides, where a flow branches: by what she said, by her language, by the clock."""

from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from ivr.engine.asking import draft_of
from ivr.engine.call import Call
from ivr.engine.draft import Draft
from ivr.flow.graph import (
    Adds,
    Answered,
    Between,
    Branch,
    Condition,
    Confirmed,
    Flow,
    Opened,
    SavedBefore,
    Speaks,
    TriesLeft,
    TypedReceipt,
)

TRIES = 3
"""So many receipts in one call that open nothing, or PINs that are nobody's."""


def holds(flow: Flow, call: Call, step: Branch, now: datetime) -> bool:
    """Does the condition of this step hold? `now` is aware."""
    condition: Condition = step.condition
    match condition:
        case Between():
            return _is_between(condition, now.astimezone(ZoneInfo(flow.zone)))
        case Speaks():
            return call.language == condition.language
        case Opened():
            return call.opened == condition.form
        case TriesLeft():
            return call.tries < TRIES
        case Answered() | SavedBefore() | Confirmed() | Adds() | TypedReceipt():
            draft = draft_of(call, step)
            return draft is not None and _is_so(condition, draft, call)
        case _:
            assert_never(condition)


def _is_between(condition: Between, here: datetime) -> bool:
    clock = here.time()
    if condition.start <= condition.end:
        return condition.start <= clock < condition.end
    return clock >= condition.start or clock < condition.end


def _is_so(condition: Answered | SavedBefore | Confirmed | Adds | TypedReceipt, draft: Draft, call: Call) -> bool:
    match condition:
        case Answered():
            return bool(draft.answer(condition.question) if condition.question else draft.answers)
        case SavedBefore():
            return draft.saved
        case Confirmed():
            return draft.confirmed
        case Adds():
            return draft.adds
        case TypedReceipt():
            return draft.receipt == call.typed
        case _:
            assert_never(condition)
