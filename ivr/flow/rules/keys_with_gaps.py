"""The keys of a menu are not 1, 2, 3, 4 in order.

Why: Callers press by habit, in the order they hear; a gap or a jump makes them press the wrong key. 0, 9, * and # are the line's.

Example:

    main:
      menu: { 1: report, 3: help }

Cure: Number the options 1, 2, 3, 4, in the order they are said.
"""

from collections.abc import Sequence

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.source import Word


def check(keys: Sequence[Word]) -> Diagnostic | None:
    """The first key that is out of its turn."""
    for position, key in enumerate(keys, start=1):
        if key != str(position):
            message = f"Here key {position} is due, and `{key}` stands there."
            return Diagnostic(key.place, "keys-with-gaps", message, "Number the options 1, 2, 3, 4, without gaps.")
    return None
