"""YAML shortcuts (anchors, aliases, tags, merges, several documents) are not used here.

Why: With them a line means what some other line says, and an edit far away changes what a caller hears.

Example:

    steps:
      report: &same { form: bad_date, next: main }
      again: *same

Cure: Write the value out where it is used.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(place: Place, what: str) -> Diagnostic:
    return Diagnostic(
        place,
        "no-shortcuts",
        f"Here stands {what}; files for the line do without it.",
        "Write the value out in full; put a text that begins with `&`, `*` or `!` in quotes.",
    )
