"""A question has no codes and no digits, or is of several kinds at once.

Why: A caller answers with keys; a question without keys cannot be answered.

Example:

    questions:
      when: { needs: what }

Cure: Give it exactly one of `one: { 1: CODE, ... }`, `several: { 1: CODE, ... }` or `digits: 2 to 8`.
"""

from ivr.flow.diagnostics import Diagnostic, Place

_KINDS = "`one: { 1: CODE }`, `several: { 1: CODE }`, `digits: phone` or `digits: 2 to 8`"


def found(question: str, place: Place) -> Diagnostic:
    message = f"The question `{question}` has nothing to choose."
    return Diagnostic(place, "form-without-code", message, f"Give it one of {_KINDS}.")


def several(question: str, place: Place) -> Diagnostic:
    message = f"The question `{question}` is of two kinds at once."
    return Diagnostic(place, "form-without-code", message, f"Keep one of {_KINDS}.")


def only_keys(question: str, place: Place) -> Diagnostic:
    message = f"In the question `{question}` keys stand without `one:` or `several:`."
    return Diagnostic(place, "form-without-code", message, "Write `one:` above them, and indent them below it.")


def empty(form: str, place: Place) -> Diagnostic:
    message = f"The form `{form}` asks nothing."
    return Diagnostic(place, "form-without-code", message, "Add at least one question under `questions:`.")
