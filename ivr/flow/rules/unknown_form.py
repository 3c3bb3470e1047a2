"""A step names a form that does not exist.

Why: The caller would be asked nothing.

Example:

    report: { form: bad_dates, next: main }

Cure: Correct the name; a form lives in flows/forms/NAME.yaml.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, listed, suggest


def found(form: str, *, forms: Iterable[str], place: Place) -> Diagnostic:
    cure = suggest(form, forms, otherwise=f"Write the form into flows/forms/{form}.yaml, or name one that is there.")
    return Diagnostic(place, "unknown-form", f"There is no form `{form}`.", cure)


def no_report(form: str, *, reports: Iterable[str], place: Place) -> Diagnostic:
    known = list(reports)
    message = f"No report with a receipt has the form `{form}`."
    return Diagnostic(place, "unknown-form", message, suggest(form, known, otherwise=f"Reports are {listed(known)}."))


def no_request(form: str, *, requests: Iterable[str], place: Place) -> Diagnostic:
    known = list(requests)
    otherwise = f"Requests are {listed(known)}." if known else "No form here is of `kind: request`."
    message = f"No request to be called has the form `{form}`."
    return Diagnostic(place, "unknown-form", message, suggest(form, known, otherwise=otherwise))
