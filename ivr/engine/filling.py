"""The gaps in a sentence that only the call itself can fill: her answers, what she typed, her receipt."""

from collections.abc import Mapping

from ivr.engine.call import Call
from ivr.engine.draft import Draft
from ivr.flow.graph import Flow, Wait
from ivr.flow.phrases import Digits, Label, Labels, Phrase, Slot, Value


def filled(flow: Flow, call: Call, step: Wait, said: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """What is said at a wait, with nothing left open."""
    if step.form is None or not any([one.is_private for one in said]):  # noqa: C419  # as in channels.voice
        return said
    draft = call.draft(step.form)
    if draft is None:
        return said
    gaps = _gaps(flow, call, draft, step)
    return tuple(one.filled(gaps) for one in said)


def _gaps(flow: Flow, call: Call, draft: Draft, step: Wait) -> Mapping[Slot, Value]:
    every = tuple(item for question, _ in draft.answers for item in _answer(flow, draft, question).items)
    return {
        Slot.ANSWER: _answer(flow, draft, step.question or ""),
        Slot.ANSWERS: Labels(every),
        Slot.TYPED: Digits(call.typed),
        Slot.RECEIPT: Digits(draft.receipt),
    }


def _answer(flow: Flow, draft: Draft, question: str) -> Labels:
    values = draft.answer(question)
    if values and not flow.forms[draft.form].question(question).codes:
        return Labels((Digits(values[0]),))
    return Labels(tuple(Label(f"{draft.form}.{question}.{value}") for value in values))
