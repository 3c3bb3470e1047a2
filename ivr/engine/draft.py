"""A report in the making: what was answered so far in one pass through a form. A value; changing it gives another."""

import msgspec
from msgspec.structs import replace

from ivr.engine.asks import Answers
from ivr.flow.graph import Form
from ivr.flow.keys import Add, Grant, Put, PutTyped, Record, SpeakIn


class Draft(msgspec.Struct, frozen=True):
    """`visit`: which pass through the form, from 1. `at`: the step to come back to. `confirmed`: she said that it is
    right, so from there every answer is saved; `saved`: at least one save was good. `is_over`: its report has ended; it
    is kept so that a star can lead back to its receipt."""

    form: str
    visit: int
    at: str
    consent: str
    answers: Answers = ()
    confirmed: bool = False
    saved: bool = False
    endings: int = 0
    """How often its last save was tried."""
    is_over: bool = False
    receipt: str = ""
    adds: bool = False
    """It is an addition to the report that her receipt opened."""
    is_opened: bool = False
    """Her receipt has opened its report: it is what the call is about."""

    def answer(self, question: str) -> tuple[str, ...]:
        """The codes or the digits of an answer; empty where there is none."""
        return next((values for name, values in self.answers if name == question), ())

    def place(self, form: Form) -> str:
        """What stands for all of its form where a star leads back."""
        return form.add if self.adds and form.add else form.enter


def emptied(draft: Draft, form: Form) -> Draft:
    """What is left of a draft whose report is not hers to go on with any more: that it was, so that the next pass has a
    number of its own."""
    return Draft(form.name, draft.visit, draft.place(form), form.consents[0], is_over=True, adds=draft.adds)


def recorded(draft: Draft, record: Record, form: Form, *, typed: str) -> Draft:
    """The draft after a key that leaves something behind. `typed`: the digits waiting to be confirmed."""
    match record:
        case Put():
            return _with(draft, form, record.question, (record.code,))
        case Add():
            return _with(draft, form, record.question, _added(draft.answer(record.question), record, form))
        case PutTyped():
            return _with(draft, form, record.question, (typed,)) if typed else draft
        case Grant():
            return replace(draft, consent=record.consent)
        case SpeakIn():
            return draft


def _with(draft: Draft, form: Form, question: str, values: tuple[str, ...]) -> Draft:
    answers = {**dict(draft.answers), question: values}
    return replace(draft, answers=tuple((q.name, answers[q.name]) for q in form.questions if q.name in answers))


def _added(values: tuple[str, ...], record: Add, form: Form) -> tuple[str, ...]:
    """One more code, in the order of the codebook. A group says nothing beside one of its own finer codes."""
    question = form.question(record.question)
    chosen = {*values, record.code}
    finer_than = {code.group for code in question.codes if code.name in chosen and code.group}
    return tuple(code.name for code in question.codes if code.name in chosen - finer_than)
