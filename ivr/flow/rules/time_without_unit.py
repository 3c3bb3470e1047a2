"""A length of time has no unit, or is none.

Why: Seconds and minutes mixed up have left callers waiting for an hour.

Example:

    ring: [ { on_call: 25 } ]

Cure: Write `25s`, `2min`, `72 hours` or `90 days`.
"""

import re

from ivr.flow.diagnostics import Diagnostic, Place, shortened


def found(word: str, place: Place) -> Diagnostic:
    if re.fullmatch(r"0+\D*", word):
        return Diagnostic(
            place, "time-without-unit", f"`{shortened(word)}` is no time at all.", "Write more than nothing."
        )
    if re.fullmatch(r"[0-9]{1,4}", word):
        cure = f"Write the unit too: `{word}s` for seconds, `{word} days` for days."
        return Diagnostic(place, "time-without-unit", f"`{word}` has no unit.", cure)
    message = f"`{shortened(word)}` is not a length of time."
    return Diagnostic(place, "time-without-unit", message, "Write a number and a unit: `25s`, `2min`, `90 days`.")
