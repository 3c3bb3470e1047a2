"""A text has a gap in braces that nothing fills.

Why: The caller would hear the braces, or nothing.

Example:

    goodbye: Thank you, {name}.

Cure: Use only {0} {9} {*} {#} in a text of your own; the line's sentences also have the gaps shown in the
shipped files. What stands under `text:` may also have {start} {menu} {back} {skip} {leave}, the words of `words:`.
"""

import re
from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, nearest, part_of
from ivr.flow.line import SENTENCES, WORDS
from ivr.flow.prompts import KEYS, Prompt, Template
from ivr.flow.subject import Texts

_GAP = re.compile(r"\{[^{}]*\}")
_WHERE_N_STANDS = {"n"}


def check(texts: Texts) -> Iterator[Diagnostic]:
    for _, name, prompt in texts.all():
        yield from _first(name, prompt, known(name))
    for _, name, prompt in texts.reworded():
        yield from _first(name, prompt, known(name) | set(WORDS))


def known(name: str) -> frozenset[str]:
    """The gaps that are filled in a text."""
    own = SENTENCES.get(name.removeprefix("line."), frozenset()) if name.startswith("line.") else frozenset()
    return own | set(KEYS)


def _first(name: str, prompt: Prompt, may: frozenset[str]) -> Iterator[Diagnostic]:
    for template in dict.fromkeys((prompt.one, prompt.many)):
        found = _unknown(name, prompt, template, may) or _alone(name, template)
        if found is not None:
            yield found
            break


def _unknown(name: str, prompt: Prompt, template: Template, may: frozenset[str]) -> Diagnostic | None:
    gaps = [gap for gap in sorted(template.gaps) if gap not in may | _WHERE_N_STANDS]
    if not gaps:
        return None
    shown = [f"{{{gap}}}" for gap in gaps]
    lacking = may - prompt.gaps - set(KEYS) - set(WORDS)
    meant = nearest(gaps[0], lacking) or nearest(gaps[0], may)
    if meant is not None:
        cure = f"Did you mean {{{meant}}}?"
    elif len(lacking) == 1:
        cure = f"Did you mean {{{next(iter(lacking))}}}?"
    else:
        cure = f"Known here: {', '.join(f'{{{gap}}}' for gap in sorted(may))}."
    message = f"Nothing fills the gap {', '.join(shown)} in `{name}`."
    return Diagnostic(part_of(template.place, template.text, shown[0]), "unknown-gap", message, cure)


def _alone(name: str, template: Template) -> Diagnostic | None:
    rest = _GAP.sub("", template.text)
    sign = next((sign for sign in "{}" if sign in rest), None)
    if sign is None:
        return None
    place = part_of(template.place, template.text, sign) if template.text.count(sign) == 1 else template.place
    message = f"In `{name}` a `{sign}` stands without its partner."
    return Diagnostic(place, "unknown-gap", message, "Write both braces, as in {0}.")
