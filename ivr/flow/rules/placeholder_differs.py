"""A text lacks a gap that it needs, or has it in one language and not in the other.

Why: One half of the callers would not be told the key, or would not hear their receipt.

Example:

    receipt: Here is your receipt number.        # {receipt} is missing

Cure: Put the gap into the text.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.line import SENTENCES
from ivr.flow.prompts import KEYS, Prompt
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for language in subject.flow.languages:
        for name, prompt in subject.written[language].catalogue.prompts.items():
            yield from _lacking(name, prompt, needed=_needed(name, subject))


def _needed(name: str, subject: Subject) -> frozenset[str]:
    if name.startswith("line."):
        return SENTENCES.get(name.removeprefix("line."), frozenset())
    everywhere = (subject.written[language].catalogue.prompts.get(name) for language in subject.flow.languages)
    gaps = [prompt.gaps & set(KEYS) for prompt in everywhere if prompt is not None]
    return frozenset().union(*gaps)


def _lacking(name: str, prompt: Prompt, *, needed: frozenset[str]) -> Iterator[Diagnostic]:
    for gap in sorted(needed - prompt.many.gaps):
        message = f"The text of `{name}` does not have the gap {{{gap}}}."
        yield Diagnostic(prompt.place, "placeholder-differs", message, f"Put {{{gap}}} into the text.")
