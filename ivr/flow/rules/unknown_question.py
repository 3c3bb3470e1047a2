"""A form names a question that it does not have, or asks it too late.

Why: `save_after` and `needs` decide what is kept and what is asked; they must name a question of the same form, and `needs` an earlier one.

Example:

    save_after: whne

Cure: Name a question of this form.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, suggest


def found(name: str, *, questions: Iterable[str], place: Place) -> Diagnostic:
    cure = suggest(name, questions, otherwise="Name a question of this form.")
    return Diagnostic(place, "unknown-question", f"There is no question `{name}`.", cure)


def too_late(name: str, place: Place) -> Diagnostic:
    message = f"`{name}` is asked after the question that needs it."
    return Diagnostic(place, "unknown-question", message, f"Move `{name}` before it.")
