"""The longest answers to a form do not fit into a sealed report.

Why: Every sealed report has the same size, so that its size says nothing. Answers that do not fit could not be saved,
and a caller would hear so after she has told everything.

Example:

    questions:
      what_exactly_happened_to_you_there:
        several:
          1: { something_that_hurt_me_in_some_way: { 1: hitting_or_kicking_or_choking, ... } }

Cure: Shorten the names of questions and codes (callers never hear them), or ask less in one form.
"""

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.graph import Form, Question

LONGEST_ANSWERS = 590
"""Bytes of all answers together as they are sealed; tests/services/test_form_sizes.py holds it against the seal."""

LONGEST_NAME = 32
"""Characters of a form's name: it stands beside every report."""

_LONGEST_DIGITS = 31


def found(form: Form, place: Place) -> Diagnostic | None:
    """What is wrong with the size of a form, if anything."""
    if len(form.name) > LONGEST_NAME:
        message = f"The form's name has {len(form.name)} characters; {LONGEST_NAME} are possible."
        return Diagnostic(place, "form-too-big", message, "Give it a shorter name.")
    size = longest(form)
    if size <= LONGEST_ANSWERS:
        return None
    message = f"The longest answers to this form take {size} bytes; {LONGEST_ANSWERS} fit into a sealed report."
    return Diagnostic(place, "form-too-big", message, "Shorten the names of questions and codes, or ask less.")


def longest(form: Form) -> int:
    """The most bytes that answers to this form can take: each name with its length before it."""
    return sum(3 + _size(question.name) + _answer(question) for question in form.questions)


def _answer(question: Question) -> int:
    sizes = [_size(code.name) for code in question.codes]
    if question.kind == "several":
        return sum(sizes) + 3
    return max(sizes, default=_LONGEST_DIGITS + 2)


def _size(name: str) -> int:
    return len(name.encode()) + 2
