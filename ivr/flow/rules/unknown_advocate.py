"""A talk tells what somebody does who is not on call in it.

Why: Nobody's phone rings, so the talk can never come true.

Example:

    - talk: A caller reaches a person
      on_call: [bo]
      call:
        - advocate: ana takes the call

Cure: Add her to `on_call`, or name somebody who is.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, suggest


def found(who: str, *, on_call: Iterable[str], place: Place) -> Diagnostic:
    cure = suggest(who, on_call, otherwise=f"Add `{who}` to `on_call`.")
    return Diagnostic(place, "unknown-advocate", f"`{who}` is not on call in this talk.", cure)
