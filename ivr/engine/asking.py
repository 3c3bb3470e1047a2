"""What is asked of the world at a step, and what a call remembers of having asked."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ivr.engine.asks import Ask as WorldAsk
from ivr.engine.asks import (
    AskShift,
    AskStatus,
    ChangeConsent,
    CountOutcome,
    HearMore,
    OnDuty,
    OpenReceipt,
    PassOffer,
    Ring,
    SaveReport,
    SignIn,
    TakeOffer,
    Withdraw,
)
from ivr.engine.call import Call
from ivr.engine.draft import Draft
from ivr.flow.graph import Ask, Step
from ivr.flow.wants import (
    WantConsent,
    WantDuty,
    WantNumber,
    WantOffer,
    WantOpen,
    WantOutcome,
    WantPerson,
    WantReceipt,
    WantSave,
    WantShift,
    WantSignIn,
    WantStatus,
    WantWithdraw,
)

_OF_OFFERS: dict[str, WorldAsk] = {"take": TakeOffer(), "pass": PassOffer(), "about": HearMore()}


def ask_of(call: Call, step: Ask, now: datetime) -> WorldAsk:
    """The ask of a step that asks the world."""
    match step.want:
        case WantSave():
            draft = draft_of(call, step)
            assert draft is not None, "a form is entered before it is saved"
            ending = draft.endings if step.want.ends else 0
            adds_to, nights = call.about if draft.adds else b"", step.want.nights
            return SaveReport(
                draft.form, draft.visit, draft.answers, draft.consent, ending, adds_to=adds_to, nights=nights
            )
        case WantPerson():
            return _ring(call, step.want, now)
        case WantNumber():
            raise AssertionError("a number outside is dialled: nobody is asked for it")
        case WantDuty():
            return OnDuty()
        case WantOpen() | WantStatus() | WantConsent() | WantWithdraw():
            return _of_receipt(call, step.want)
        case WantOffer():
            return _OF_OFFERS[step.want.what]
        case WantOutcome():
            return CountOutcome(step.want.outcome)
        case WantSignIn():
            return SignIn(call.typed)
        case WantShift():
            return AskShift(step.want.what, call.told)
        case _:
            assert_never(step.want)


def _ring(call: Call, want: WantPerson, now: datetime) -> Ring:
    since = int((now - call.began_at).total_seconds()) - call.wished_at
    if call.holding:
        return Ring(want.rungs, call.transfers, waited=since, is_silent=call.is_silent)
    since_last = since if call.transfers > 1 and not call.impatient else None
    return Ring(want.rungs, call.transfers, since_last=since_last, is_silent=call.is_silent)


def _of_receipt(call: Call, want: WantReceipt) -> WorldAsk:
    match want:
        case WantOpen():
            return OpenReceipt(call.typed, has_waited=call.may_try_at > 0)
        case WantStatus():
            return AskStatus(call.about)
        case WantConsent():
            return ChangeConsent(call.about, want.consent, call.turn)
        case WantWithdraw():
            return Withdraw(call.about)
        case _:
            assert_never(want)


def having_asked(call: Call, step: Ask) -> Call:
    """The call as it is once this step has asked."""
    if isinstance(step.want, WantPerson) and not call.holding and not call.impatient:
        return replace(call, transfers=call.transfers + 1, is_silent=call.is_silent or call.transfers > 0)
    draft = draft_of(call, step)
    if draft is None:
        return call
    ends = isinstance(step.want, WantSave) and step.want.ends
    return with_draft(call, replace(draft, confirmed=True, endings=draft.endings + 1 if ends else draft.endings))


def draft_of(call: Call, step: Step) -> Draft | None:
    form = getattr(step, "form", None)
    return call.draft(form) if form else None


def with_draft(call: Call, draft: Draft) -> Call:
    others = tuple(other for other in call.drafts if (other.form, other.adds) != (draft.form, draft.adds))
    return replace(call, drafts=(*others, draft))
