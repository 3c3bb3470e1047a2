"""A text is cut off by a #.

Why: In YAML a # after a space begins a remark: a caller would hear the sentence only up to there.

Example:

    goodbye: Thank you. Press # to stay.

Cure: Put the text in quotes; for the key write {#}.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place) -> Diagnostic:
    return Diagnostic(
        place,
        "text-cut-by-hash",
        "This text ends where a ` #` begins; what follows is not said.",
        'Put the whole text in quotes: "..."; or move the remark to a line of its own.',
    )


def keys(place: Place) -> Diagnostic:
    """Keys of a talk, of which the last ones may be lost."""
    message = "These keys end where a ` #` begins; what follows is not pressed."
    return Diagnostic(place, "text-cut-by-hash", message, 'Put them in quotes: `press: "2 1 #"`.')
