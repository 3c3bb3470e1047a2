"""A file is larger, or nested deeper, than any flow needs.

Why: A huge file is a mistake or an attack, and reading it would keep callers waiting.

Example:

    steps: { a: { b: { c: { d: { e: { f: { g: { h: { i: { j: { k: { l: m } } } } } } } } } } } }

Cure: Keep a file under a megabyte and its tables a few levels deep.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place, most: int) -> Diagnostic:
    return Diagnostic(
        place, "too-big", f"This file is larger than {most:,} bytes.", "Remove what does not belong in it; split it."
    )


def nested(place: Place, most: int) -> Diagnostic:
    return Diagnostic(
        place, "too-big", f"This is nested more than {most} levels deep.", "Write it flat: nothing here needs so many levels."
    )
