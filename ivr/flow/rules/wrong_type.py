"""A value is of another kind than is wanted here.

Why: A list where a word belongs, or a word where a table belongs, cannot be understood.

Example:

    languages: en          # a list is wanted: [en]

Cure: Write what the message asks for.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place, message: str, cure: str) -> Diagnostic:
    return Diagnostic(place, "wrong-type", message, cure)
