"""A text has a gap in braces that nothing fills.

Why: The caller would hear the braces, or nothing.

Example:

    goodbye: Thank you, {name}.

Cure: Use only {0} {9} {*} {#} in a text of your own; the line's sentences also have the gaps shown in the shipped files.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, listed
from ivr.flow.line import SENTENCES
from ivr.flow.prompts import KEYS
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for language in subject.flow.languages:
        for name, prompt in subject.written[language].catalogue.prompts.items():
            filled = SENTENCES.get(name.removeprefix("line."), frozenset()) if name.startswith("line.") else frozenset()
            for gap in sorted(prompt.gaps - filled - set(KEYS) - {"n"}):
                known = [f"{{{known}}}" for known in sorted(filled | set(KEYS))]
                message = f"Nothing fills the gap {{{gap}}} in `{name}`."
                yield Diagnostic(prompt.place, "unknown-gap", message, f"Known here: {listed(known)}.")
