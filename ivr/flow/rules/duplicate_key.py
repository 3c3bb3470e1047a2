"""A name stands twice in one place.

Why: Only one of the two could count, and nobody could see which: a caller would hear the one you did not mean.

Example:

    steps:
      leave: { exit: goodbye }
      leave: { exit: thanks }

Cure: Remove one of the two, or rename it.
"""

from collections.abc import Sequence

from ivr.flow.diagnostics import Diagnostic, Place, listed, shortened


def found(key: str, place: Place, *, first: Place) -> Diagnostic:
    message = f"`{shortened(key)}` stands here, and in line {first.line} too."
    if first.line == place.line:
        message = f"`{shortened(key)}` stands twice in this line."
    return Diagnostic(place, "duplicate-key", message, "Remove one of the two, or rename it.")


def run(keys: Sequence[str], place: Place, *, first: Place) -> Diagnostic:
    """Names one below the other that all stood before: what begins something new may be missing above them."""
    if len(keys) == 1:
        return found(keys[0], place, first=first)
    message = f"{listed(keys, most=4)} stand here, and from line {first.line} on too."
    cure = "Remove these; or, if something new begins here, write its name above them."
    return Diagnostic(place, "duplicate-key", message, cure)
