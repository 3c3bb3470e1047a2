"""A file holds signs that are not text.

Why: The line reads its files as UTF-8 text. A word processor's format, or an old encoding, would turn ñ and á into
noise in a caller's ear.

Example:

    greeting: L\xednea an\xf3nima.      # saved as Latin-1

Cure: Save the file as plain text in UTF-8.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place) -> Diagnostic:
    return Diagnostic(place, "not-text", "This sign is not UTF-8 text.", "Save the file as plain text, encoding UTF-8.")


def sign(place: Place) -> Diagnostic:
    message = "An invisible sign stands here that no text has."
    return Diagnostic(place, "not-text", message, "Delete it and type the line again.")
