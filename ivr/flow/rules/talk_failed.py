"""A talk went otherwise than it is written.

Why: A talk is a promise about a call. Either the flow no longer keeps it, or the promise has changed.

Example:

    - talk: A caller reports a robbery
      call:
        - press: "1 1"
        - hears: bad_date.wat

Cure: If the flow is right, correct the talk; if the talk is right, correct the flow. `ivr call --save FILE` writes a
talk from a call as it goes.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place, message: str, cure: str) -> Diagnostic:
    return Diagnostic(place, "talk-failed", message, cure)
