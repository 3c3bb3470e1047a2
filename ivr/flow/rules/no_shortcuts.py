"""YAML's shortcuts (anchors, aliases, tags, merges, several documents) are not used here.

Why: With them a line means what some other line says, and an edit far away changes what a caller hears.

Example:

    steps:
      report: &same { form: bad_date, next: main }
      again: *same

Cure: Write the value out where it is used.
"""

from ivr.flow.diagnostics import Diagnostic, Place, shortened

_CURE = "Write the value out in full; put a text that begins with `&`, `*` or `!` in quotes."


def found(place: Place, what: str) -> Diagnostic:
    return Diagnostic(place, "no-shortcuts", f"Here stands {shortened(what)}; files for the line do without it.", _CURE)


def no_name(place: Place) -> Diagnostic:
    message = "Before a colon one name is wanted, not a list or a table."
    return Diagnostic(place, "no-shortcuts", message, "Write one name before the colon.")


def merge(place: Place) -> Diagnostic:
    message = "Here stands the merge `<<`; files for the line do without it."
    return Diagnostic(place, "no-shortcuts", message, "Write the lines out where they are needed.")


def second_document(place: Place) -> Diagnostic:
    message = "A second document begins here, after `---`; a file holds one."
    return Diagnostic(place, "no-shortcuts", message, "Remove the `---`, or move what follows to a file of its own.")
