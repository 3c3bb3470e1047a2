"""A step leads nowhere.

Why: After it the call would simply end, in the middle of things.

Example:

    safety: { say: safety }          # and then?

Cure: Add `next: STEP`.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def no_next(owner: str, place: Place) -> Diagnostic:
    return Diagnostic(place, "dead-end", f"{owner} has no `next`: the call would end there.", "Add `next: STEP`.")
