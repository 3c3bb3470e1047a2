"""A form names a question that it does not have, or asks it too late.

Why: `save_after` and `needs` decide what is kept and what is asked; they must name a question of the same
form, and `needs` an earlier one.

Example:

    save_after: whne

Cure: Name a question of this form.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, listed, suggest


def found(name: str, *, questions: Iterable[str], place: Place) -> Diagnostic:
    names = list(questions)
    cure = suggest(name, names, otherwise=f"The questions are {listed(names)}.")
    return Diagnostic(place, "unknown-question", f"There is no question `{name}`.", cure)


def too_late(name: str, place: Place) -> Diagnostic:
    message = f"`{name}` is asked only after the question that needs it."
    return Diagnostic(place, "unknown-question", message, f"Move `{name}` above it.")


def itself(name: str, place: Place) -> Diagnostic:
    message = f"The question `{name}` needs itself, so it is never asked."
    return Diagnostic(place, "unknown-question", message, "Name an earlier question, or leave `needs` out.")
