"""Nothing reads this file.

Why: A file in the wrong place does nothing, and looks as if it did.

Example:

    flows/bad_date.yaml          # forms live in flows/forms/

Cure: Move it where it is read, or remove it.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(file: str) -> Diagnostic:
    folder = "prompts" if file.startswith("prompts/") else "flows"
    name = file.rpartition("/")[2]
    if file.endswith(".yml"):
        cure = f"Rename it to {file.removesuffix('.yml')}.yaml."
    elif folder == "prompts":
        cure = "Read are prompts/LANGUAGE.yaml and prompts/audio/LANGUAGE/PROMPT.mp3."
    elif file.count("/") == 1 and not file.endswith(".talks.yaml"):
        cure = f"A form lives in flows/forms/{name}; besides, flows/hotline.yaml and flows/hotline.talks.yaml are read."
    else:
        cure = "Read are flows/hotline.yaml, flows/hotline.talks.yaml and flows/forms/NAME.yaml."
    return Diagnostic(Place(file), "unknown-file", f"Nothing reads the file {file}.", cure)


def named_otherwise(name: str, *, wanted: str, place: Place) -> Diagnostic:
    message = f"This file calls itself `{name}`, and its file name says `{wanted}`."
    return Diagnostic(place, "unknown-file", message, f"Write `{wanted}` here, or rename the file.")


def unspoken(language: str, place: Place) -> Diagnostic:
    """Prompts in a language that the flow does not offer."""
    message = f"Nothing reads this file: the flow does not speak `{language}`."
    cure = f"Add `{language}` to `languages` in flows/hotline.yaml, or move the file elsewhere."
    return Diagnostic(place, "unknown-file", message, cure)
