"""A step has no verb that the line knows, or more than one.

Why: A step does exactly one thing, and reads aloud as a sentence.

Example:

    safety: { speak: safety, next: main }

Cure: Use one of the verbs: choose_language, say, menu, form, transfer, branch, exit.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, listed, suggest


def found(step: str, words: Iterable[str], *, verbs: Iterable[str], place: Place) -> Diagnostic:
    cure = next(
        (said for said in (suggest(word, verbs, otherwise="") for word in words) if said),
        f"Give it one of these: {listed(verbs)}.",
    )
    return Diagnostic(place, "unknown-verb", f"The step `{step}` does nothing that the line knows.", cure)


def several(step: str, verbs: Iterable[str], place: Place) -> Diagnostic:
    message = f"The step `{step}` does several things: {listed(verbs)}."
    return Diagnostic(place, "unknown-verb", message, "Keep one verb, and move the other to a step of its own.")
