"""Something that is needed is not there.

Why: The line cannot guess it for you.

Example:

    person: { transfer: advocates, ring: [ { on_call: 25s } ], next: after_talk }     # nobody: is missing

Cure: Add the line that is named.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(field: str, *, owner: str, place: Place) -> Diagnostic:
    return Diagnostic(place, "missing-field", f"{owner} needs `{field}`.", f"Add `{field}: ...` to it.")
