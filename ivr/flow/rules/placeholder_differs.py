"""A text lacks a gap that it needs, or has it in one language and not in the other.

Why: One half of the callers would not be told the key, or would not hear their receipt.

Example:

    receipt: Here is your receipt number.        # {receipt} is missing

Cure: Put the gap into the text.
"""

from collections.abc import Iterator, Mapping

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.line import KEYS_WITH_WORDS, SENTENCES
from ivr.flow.prompts import KEYS
from ivr.flow.subject import Texts


def check(texts: Texts) -> Iterator[Diagnostic]:
    used: dict[str, frozenset[str]] = {}
    for _, name, prompt in texts.all():
        used[name] = used.get(name, frozenset()) | (prompt.gaps & {*KEYS, "n"})
    for _, name, prompt in texts.all():
        needed = SENTENCES.get(name.removeprefix("line."), frozenset()) if name.startswith("line.") else used[name]
        lacking = sorted(needed - prompt.many.gaps)
        if lacking:
            shown = " and ".join(f"{{{gap}}}" for gap in lacking)
            message = f"The text of `{name}` does not have {shown}."
            yield Diagnostic(prompt.place, "placeholder-differs", message, f"Put {shown} into the text.")
    yield from _reworded(texts, used)


def _reworded(texts: Texts, used: Mapping[str, frozenset[str]]) -> Iterator[Diagnostic]:
    """As a text it may tell the other keys by their words, or not at all; a person it may not keep from her."""
    for _, name, prompt in texts.reworded():
        needed = (
            SENTENCES.get(name.removeprefix("line."), frozenset()) if name.startswith("line.") else used[name] & {"0"}
        )
        lacking = sorted(needed - KEYS_WITH_WORDS - prompt.many.gaps)
        if lacking:
            shown = " and ".join(f"{{{gap}}}" for gap in lacking)
            message = f"The wording of `{name.removeprefix('line.')}` for texts does not have {shown}."
            yield Diagnostic(prompt.place, "placeholder-differs", message, f"Put {shown} into the text.")
