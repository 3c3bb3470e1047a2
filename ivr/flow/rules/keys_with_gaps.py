"""The keys of a menu are not 1, 2, 3, 4 in order.

Why: Callers press by habit, in the order they hear; a gap or a jump makes them press the wrong key. 0, 9, *
and # are the line's.

Example:

    main:
      menu: { 1: report, 3: help }

Cure: Number the options 1, 2, 3, 4, in the order they are said.
"""

from collections.abc import Sequence

from ivr.flow.diagnostics import Diagnostic, Place, shortened
from ivr.flow.source import Word


def no_menu_key(key: str, place: Place) -> Diagnostic:
    """A key that an admin cannot give away."""
    if key in ("0", "9", "*", "#"):
        message, cure = f"The key `{key}` is the line's own, at every wait.", "Number your options 1 to 4."
    elif key in ("5", "6", "7", "8"):
        message, cure = (
            "A menu has at most four options: callers cannot keep more in mind.",
            "Move some to another menu.",
        )
    else:
        message, cure = (
            f"`{shortened(key)}` is not a key for an option.",
            "Number the options 1 to 4: `{ 1: NAME, 2: NAME }`.",
        )
    return Diagnostic(place, "keys-with-gaps", message, cure)


def check(keys: Sequence[Word]) -> Diagnostic | None:
    """The first key that is out of its turn."""
    for position, key in enumerate(keys, start=1):
        if key != str(position):
            message = f"The key {position} should come here, and `{key}` stands there."
            return Diagnostic(key.place, "keys-with-gaps", message, "Number the options 1, 2, 3, 4, without gaps.")
    return None
