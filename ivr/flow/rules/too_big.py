"""A file is larger, or nested deeper, than any flow needs.

Why: A huge file is a mistake or an attack, and reading it would keep callers waiting.

Example:

    steps: { a: { b: { c: { d: { e: { f: { g: { h: { i: { j: { k: { l: m } } } } } } } } } } } }

Cure: Keep a file under 200,000 bytes, its tables a few levels deep and a form under 60 questions.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place, most: int) -> Diagnostic:
    return Diagnostic(
        place, "too-big", f"This file is larger than {most:,} bytes.", "Remove what does not belong in it; split it."
    )


def nested(place: Place, most: int) -> Diagnostic:
    return Diagnostic(
        place,
        "too-big",
        f"This is nested more than {most} levels deep.",
        "Write it flat: nothing here needs so many levels.",
    )


def questions(count: int, most: int, *, place: Place) -> Diagnostic:
    message = f"This form has {count} questions; {most} are the most, and few callers answer ten."
    return Diagnostic(place, "too-big", message, "Ask less, or make two forms of it.")
