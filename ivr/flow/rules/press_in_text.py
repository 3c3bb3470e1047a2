"""A text message tells somebody to press a key, or to hang up.

Why: Who reads a text has no keys to press and no call to end; she would look for them, or call.

Example:

    text:
      more: "Anything else? If not, press {#}."

Cure: Write “reply {#}” in a wording under `text:`. A prompt of your own that speaks of keys needs such a wording, too.
"""

import re
from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, part_of
from ivr.flow.prompts import Prompt
from ivr.flow.subject import Texts

_PHONE_ONLY = re.compile(
    r"\b(?:press(?:es|ing)?|hang(?:s|ing)? up|stay on the (?:line|phone)|hold the line"
    r"|oprim[aeiío]\w*|presion[aeáó]\w*|puls(?:e|a|ar|ando)|apriet[ae]\w*|cuelg[aue]\w*|colgar|espere en la línea)\b",
    re.I,
)


def check(texts: Texts) -> Iterator[Diagnostic]:
    for language, written in texts.written.items():
        misspelt = set(texts.strange[language].values())
        reworded = written.catalogue.texts
        for name, prompt in reworded.items():
            yield from _found(name, prompt, "Say it for somebody who reads: “reply {0}”, not “press {0}”.")
        for name, prompt in written.catalogue.prompts.items():
            if name in texts.of_callers and name not in written.text_places and name not in misspelt:
                yield from _found(name, prompt, f"Write `{name}: ...` under `text:` as it is to be read.")


def _found(name: str, prompt: Prompt, cure: str) -> Iterator[Diagnostic]:
    for template in dict.fromkeys((prompt.one, prompt.many)):
        match = _PHONE_ONLY.search(template.text)
        if match:
            shown = name.removeprefix("line.")
            message = f"As a text, `{shown}` says “{match[0]}”, which only somebody on the phone can do."
            yield Diagnostic(part_of(template.place, template.text, match[0]), "press-in-text", message, cure)
            return
