"""A name stands twice in one table.

Why: Only one of the two could count, and nobody could see which: a caller would hear the one you did not mean.

Example:

    steps:
      leave: { exit: goodbye }
      leave: { exit: thanks }

Cure: Remove one of the two, or rename it.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(key: str, place: Place, *, first: Place) -> Diagnostic:
    return Diagnostic(
        place, "duplicate-key", f"`{key}` stands here a second time; the first is in line {first.line}.", "Remove or rename one."
    )
