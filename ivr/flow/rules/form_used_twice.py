"""Two steps ask the same form.

Why: A caller who was interrupted comes back to where she was in a form; with two doors the line could not know
what comes after it.

Example:

    report:  { form: bad_date, next: after_report }
    another: { form: bad_date, next: leave }

Cure: Keep one, and let other steps lead to it by its name.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(form: str, *, first: str, place: Place) -> Diagnostic:
    message = f"The form `{form}` is asked by the step `{first}` already."
    return Diagnostic(place, "form-used-twice", message, f"Remove this step, and lead to `{first}` instead.")
