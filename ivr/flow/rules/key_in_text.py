"""A text names a key as a bare digit or sign.

Why: When the key changes in the flow, the text would go on telling the old one.

Example:

    safety: In danger now? Press 0.

Cure: Write {0}, {9}, {*} or {#} for the line's keys; leave keys 1 to 4 to the menu, which tells them itself.
"""

import re
from collections.abc import Iterable, Iterator

from ivr.flow.diagnostics import Diagnostic, part_of
from ivr.flow.prompts import KEYS, Prompt
from ivr.flow.subject import Texts

_PRESS = {
    "en": re.compile(
        r"\b(?:press|hit|push|dial)\s+(?:the\s+)?(\d|\*|#|zero|nine|star|pound|one|two|three|four)(?!\w|\s*\d)", re.I
    ),
    "es": re.compile(
        r"\b(?:oprima|presione|marque|pulse|apriete)\s+(?:la\s+tecla\s+|el\s+)?"
        r"(\d|\*|#|cero|nueve|asterisco|numeral|uno|dos|tres|cuatro)(?!\w|\s*\d)",
        re.I,
    ),
}
_REPLY = {
    "en": re.compile(r"\b(?:reply|text|send|answer)(?:\s+with)?\s+(\d|\*|#)(?!\w|\s*[\d*#])", re.I),
    "es": re.compile(r"\b(?:responda|conteste|escriba|env[ií]e|mande)(?:\s+con)?\s+(\d|\*|#)(?!\w|\s*[\d*#])", re.I),
}
"""As a text says it. Several keys, as in “send 2 1 #”, are an example and name none."""

_SPOKEN = {
    "zero": "0",
    "nine": "9",
    "star": "*",
    "pound": "#",
    "cero": "0",
    "nueve": "9",
    "asterisco": "*",
    "numeral": "#",
}


def check(texts: Texts) -> Iterator[Diagnostic]:
    for _, name, prompt in texts.all():
        yield from _first(name, prompt, [*_PRESS.values()])
    for _, name, prompt in texts.reworded():
        yield from _first(name.removeprefix("line."), prompt, [*_PRESS.values(), *_REPLY.values()])


def _first(name: str, prompt: Prompt, patterns: Iterable[re.Pattern[str]]) -> Iterator[Diagnostic]:
    for template in dict.fromkeys((prompt.one, prompt.many)):
        match = next((match for pattern in patterns if (match := pattern.search(template.text))), None)
        if match:
            place = part_of(template.place, template.text, match[0])
            yield Diagnostic(place, "key-in-text", f"`{name}` names the key `{match[1]}`.", _cure(match[1]))
            break


def _cure(key: str) -> str:
    own = key if key in KEYS else _SPOKEN.get(key.lower())
    if own is not None:
        return f"Write {{{own}}} instead: the line says it in each language."
    return "Take the key out: the menu tells its keys 1 to 4 itself."
