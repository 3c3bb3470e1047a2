"""Nothing reads this file.

Why: A file in the wrong place does nothing, and looks as if it did.

Example:

    flows/bad_date.yaml          # forms live in flows/forms/

Cure: Move it where it is read, or remove it.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(file: str) -> Diagnostic:
    return Diagnostic(
        Place(file),
        "unknown-file",
        "Nothing reads this file.",
        "Read are flows/hotline.yaml, flows/hotline.talks.yaml, flows/forms/NAME.yaml, prompts/LANGUAGE.yaml and"
        " prompts/audio/LANGUAGE/PROMPT.mp3.",
    )


def named_otherwise(name: str, *, wanted: str, place: Place) -> Diagnostic:
    message = f"This file calls itself `{name}`, and its file name says `{wanted}`."
    return Diagnostic(place, "unknown-file", message, f"Write `{wanted}` here, or rename the file.")
