"""A sentence of the line has no wording for text messages.

Why: “Press 1” or “that key” helps nobody who reads a text; the line would send it all the same.

Example:

    text:
      option: "Reply {key} to {label}"        # and there is no next_option

Cure: Write the sentence under `text:` of the prompts file, as it is to be read.
"""

from collections.abc import Iterator, Mapping

from ivr.flow.catalogues import Written
from ivr.flow.diagnostics import Diagnostic
from ivr.flow.line import WRITTEN
from ivr.flow.subject import Texts


def check(texts: Texts) -> Iterator[Diagnostic]:
    for language, written in texts.written.items():
        yield from _sentences(language, written, texts.strange[language])


def _sentences(language: str, written: Written, strange: Mapping[str, str | None]) -> Iterator[Diagnostic]:
    place = written.text
    for sentence in WRITTEN:
        prompt = f"line.{sentence}"
        if prompt in written.text_places:
            place = written.text_places[prompt]
        elif prompt not in strange.values() and prompt in written.places:
            message = f"The line's own sentence `{sentence}` has no wording for texts in `{language}`."
            yield Diagnostic(place, "missing-text-wording", message, f"Add `{sentence}: ...` under `text:`.")
