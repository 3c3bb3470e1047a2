"""What the checker lets through can be sealed: the longest report of every form fits, and a little more is refused."""

from dataclasses import replace

import msgspec

from ivr.flow.graph import Code, Form, Question
from ivr.flow.rules import form_too_big
from ivr.vault.sealing import MAX_ENCODED, Body
from tests.shipped import flow

DAY_AND_HANDLE = len(msgspec.msgpack.encode(Body("2027-03-10", bytes(16), ())))


def sealed_size(form: Form) -> int:
    """Bytes of a body in which everything is answered with the longest code, or with every code."""
    answers = tuple((question.name, _longest_answer(question)) for question in form.questions)
    return len(msgspec.msgpack.encode(Body("2027-03-10", bytes(16), answers)))


def _longest_answer(question: Question) -> tuple[str, ...]:
    if question.kind == "several":
        return tuple(code.name for code in question.codes)
    return (max((code.name for code in question.codes), key=len, default="9" * 31),)


def form_of(*questions: Question) -> Form:
    return replace(flow().forms["bad_date"], name="synthetic", questions=questions)


def test_the_shipped_forms_fit() -> None:
    for form in flow().forms.values():
        assert form_too_big.longest(form) <= form_too_big.LONGEST_ANSWERS
        assert sealed_size(form) <= MAX_ENCODED


def test_the_checkers_sum_is_never_less_than_what_is_sealed() -> None:
    forms = [*flow().forms.values(), form_of(*(Question(f"q{n}", "digits") for n in range(16)))]
    forms.append(form_of(Question("what", "several", tuple(Code(f"a_code_of_some_length_{n}") for n in range(20)))))
    for form in forms:
        assert form_too_big.longest(form) >= sealed_size(form) - DAY_AND_HANDLE


def test_the_most_that_the_checker_lets_through_can_be_sealed() -> None:
    assert form_too_big.LONGEST_ANSWERS + DAY_AND_HANDLE <= MAX_ENCODED
