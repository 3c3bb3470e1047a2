"""A text names a key as a bare digit or sign.

Why: When the key changes in the flow, the text would go on telling the old one.

Example:

    safety: In danger now? Press 0.

Cure: Write {0}, {9}, {*} or {#} for the line's keys; leave keys 1 to 4 to the menu, which tells them itself.
"""

import re
from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.subject import Subject

_PRESS = {
    "en": re.compile(r"\b(?:press|hit|push|dial)\s+(?:the\s+)?(\d|\*|#|zero|nine|star|pound|one|two|three|four)(?!\w|\s*\d)", re.I),
    "es": re.compile(
        r"\b(?:oprima|presione|marque|pulse|apriete)\s+(?:la\s+tecla\s+|el\s+)?"
        r"(\d|\*|#|cero|nueve|asterisco|numeral|uno|dos|tres|cuatro)(?!\w|\s*\d)",
        re.I,
    ),
}


def check(subject: Subject) -> Iterator[Diagnostic]:
    for language in subject.flow.languages:
        for name, prompt in subject.written[language].catalogue.prompts.items():
            for pattern in _PRESS.values():
                match = pattern.search(prompt.many.text) or pattern.search(prompt.one.text)
                if match:
                    cure = "Write {0}, {9}, {*} or {#}; keys 1 to 4 are told by the menu itself."
                    yield Diagnostic(prompt.place, "key-in-text", f"`{name}` names the key `{match[1]}`.", cure)
                    break
