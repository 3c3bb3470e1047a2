"""A request to be called is kept too long.

Why: It holds the number of the one who called, the only thing here by which she can be found. Whoever has not been
called after a week calls again.

Example:

    form: callback
    kind: request
    keep_for: 30 days

Cure: Write at most `7 days`; `72 hours` is three nights.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(days: int, *, most: int, place: Place) -> Diagnostic:
    message = f"A request to be called is kept for {most} nights at most, not for {days}."
    return Diagnostic(place, "kept-too-long", message, f"Write `72 hours`, or up to `{most} days`.")
