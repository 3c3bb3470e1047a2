"""A line has a name that nothing reads.

Why: What nothing reads does nothing: a misspelt `next` would end a call.

Example:

    safety: { say: safety, nxt: main }

Cure: Correct the name, or remove the line.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, listed, suggest


def found(field: str, *, known: Iterable[str], owner: str, place: Place) -> Diagnostic:
    names = list(known)
    cure = suggest(field, names, otherwise=f"Known here: {listed(names)}. Remove it, or correct the name.")
    return Diagnostic(place, "unknown-field", f"{owner} has no `{field}`.", cure)
