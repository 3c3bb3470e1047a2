"""A request to be called has what only a report has.

Why: A request is saved once, at its end, and used for one thing: somebody calls. There is nothing to save earlier, and
no use to choose.

Example:

    form: callback
    kind: request
    consent: [count_only, warn_others]

Cure: Remove the line; or write `kind: report`, if it is one.
"""

from ivr.flow.diagnostics import Diagnostic, Place

_WHY = {
    "save_after": "A request is saved at its end, and not after a question.",
    "consent": "A request has no uses to choose from: somebody calls, and that is all.",
}


def found(field: str, place: Place) -> Diagnostic:
    cure = f"Remove the line `{field}`. If this is a report, write `kind: report`."
    return Diagnostic(place, "request-like-report", _WHY[field], cure)
