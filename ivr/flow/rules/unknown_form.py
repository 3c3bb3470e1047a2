"""A step names a form that does not exist.

Why: The caller would be asked nothing.

Example:

    report: { form: bad_dates, next: main }

Cure: Correct the name; a form lives in flows/forms/NAME.yaml.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, suggest


def found(form: str, *, forms: Iterable[str], place: Place) -> Diagnostic:
    cure = suggest(form, forms, otherwise=f"Write the form into flows/forms/{form}.yaml, or name one that is there.")
    return Diagnostic(place, "unknown-form", f"There is no form `{form}`.", cure)
