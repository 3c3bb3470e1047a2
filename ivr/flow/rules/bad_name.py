"""A name has signs that a name may not have.

Why: Names are stored with reports and used in prompts; plain ones cannot be mistyped or lost.

Example:

    questions:
      License Plate: { digits: 2 to 8 }

Cure: Use small letters, digits and _, beginning with a letter. `line` and `language` (steps, forms) and `consent`
(questions) are the line's own.
"""

import re
import unicodedata

from ivr.flow.diagnostics import Diagnostic, Place, shortened

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


_LONGEST = 40


def is_name(word: str) -> bool:
    return bool(_NAME.match(word)) and len(word) <= _LONGEST


def message(word: str) -> str:
    alike = next((sign for sign in word if sign.isalpha() and not _plain(sign)), None)
    if alike is not None:
        return f"`{shortened(word)}` cannot be a name: its `{alike}` is not one of a to z."
    return f"`{shortened(word)}` cannot be a name."


def cure(word: str) -> str:
    near = re.sub(r"[^a-z0-9_]+", "_", _plain(word)).strip("_").lstrip("0123456789_")
    if not is_name(near) or not all(_plain(sign) for sign in word if sign.isalpha()):
        return "Use small letters a to z, digits and _, beginning with a letter."
    return f"Use small letters a to z, digits and _ only: `{near}`."


def _plain(text: str) -> str:
    """Without accents, in small letters; letters of other scripts are lost."""
    return unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()


def found(word: str, place: Place) -> Diagnostic:
    return Diagnostic(place, "bad-name", message(word), cure(word))


def reserved(word: str, place: Place) -> Diagnostic:
    return Diagnostic(place, "bad-name", f"`{word}` is a name of the line's own.", "Choose another name.")


def prompt(word: str, place: Place) -> Diagnostic:
    """The name of a prompt, which may have dots between its parts."""
    parts = [re.sub(r"[^a-z0-9_]+", "_", part.lower()).strip("_") for part in word.split(".")]
    plain = ".".join(part for part in parts if part)
    cure = "Use small letters, digits, _ and dots"
    return Diagnostic(
        place, "bad-name", message(word), f"{cure}: `{plain}`." if plain and len(plain) < _LONGEST else f"{cure}."
    )
