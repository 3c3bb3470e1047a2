"""A step has no verb that the line knows, or more than one.

Why: A step does exactly one thing, and reads aloud as a sentence.

Example:

    safety: { speak: safety, next: main }

Cure: Use one of the verbs: choose_language, say, menu, form, transfer, connect, branch, exit; in flows/staff.yaml
offer, count, sign_in, shifts, return, say, menu, branch, exit.
"""

from collections.abc import Iterable, Sequence

from ivr.flow.diagnostics import Diagnostic, Place, listed, nearest, shortened
from ivr.flow.source import Word


def found(step: str, words: Sequence[str], *, verbs: Iterable[str], place: Place) -> Diagnostic:
    verbs = list(verbs)
    meant = next((near for word in words if (near := nearest(word, verbs))), None)
    cure = f"Did you mean `{meant}`?" if meant else f"Give it one of these: {listed(verbs)}."
    message = f"Nothing happens in the step `{shortened(step)}`."
    if words:
        message = f"Nothing is called `{shortened(words[0])}`: the step `{shortened(step)}` would do nothing."
    return Diagnostic(place, "unknown-verb", message, cure)


def only_keys(step: str, place: Place) -> Diagnostic:
    message = f"In the step `{step}` keys stand without `menu:`."
    return Diagnostic(place, "unknown-verb", message, f"Write `{step}: {{ menu: {{ 1: STEP, 2: STEP }} }}`.")


def of_the_other(step: str, verb: Word, *, file: str, verbs: Iterable[str]) -> Diagnostic:
    message = f"`{verb}` is for {file}: in the step `{shortened(step)}` nothing would happen."
    return Diagnostic(verb.place, "unknown-verb", message, f"Give it one of these: {listed(list(verbs))}.")


def several(step: str, verbs: Sequence[Word]) -> Diagnostic:
    message = f"The step `{step}` does several things: {listed(verbs)}."
    cure = f"Keep one; begin another step above `{verbs[1]}` with its name and a colon."
    return Diagnostic(verbs[1].place, "unknown-verb", message, cure)
