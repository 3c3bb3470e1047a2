"""A name has signs that a name may not have.

Why: Names are stored with reports and used in prompts; plain ones cannot be mistyped or lost.

Example:

    questions:
      License Plate: { digits: 2 to 8 }

Cure: Use small letters, digits and _, beginning with a letter.
"""

import re

from ivr.flow.diagnostics import Diagnostic, Place

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def is_name(word: str) -> bool:
    return bool(_NAME.match(word))


def cure(word: str) -> str:
    near = re.sub(r"[^a-z0-9_]+", "_", word.lower()).strip("_") or "name"
    return f"Use small letters, digits and _ : `{near}`."


def found(word: str, place: Place) -> Diagnostic:
    return Diagnostic(place, "bad-name", f"`{word}` cannot be a name.", cure(word))
