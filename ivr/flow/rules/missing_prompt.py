"""A prompt is missing in a language.

Why: A caller in that language would hear nothing, or the line would break off.

Example:

    help:
      menu: { 1: legal }         # and prompts/es.yaml has no help.legal

Cure: Add the text to the prompts file that is named.
"""

from collections.abc import Iterator

from ivr.flow.catalogues import Written
from ivr.flow.diagnostics import Diagnostic
from ivr.flow.line import SENTENCES
from ivr.flow.subject import Texts


def check(texts: Texts) -> Iterator[Diagnostic]:
    misspelt = texts.misspelt
    renamed = texts.renamed
    for prompt, languages in texts.missing.items():
        if prompt in renamed and prompt != renamed[prompt]:
            continue
        lacking = [language for language in languages if prompt not in misspelt[language].values()]
        if prompt in texts.uses and len(languages) == len(texts.written):
            lacking = languages
        if lacking:
            others = sum(first == prompt for first in renamed.values()) - 1
            yield _missing(prompt, lacking, texts, others=others)
    for language, written in texts.written.items():
        yield from _sentences(language, written)


def _missing(prompt: str, lacking: list[str], texts: Texts, *, others: int) -> Diagnostic:
    there = (written.places[prompt] for written in texts.written.values() if prompt in written.places)
    place = texts.uses.get(prompt) or next(there)
    files = " and ".join(texts.written[language].file for language in lacking)
    pairs = (pair for language in lacking for pair in texts.misspelt[language].items())
    meant = next((unused for unused, missing in pairs if missing == prompt), None)
    cure = f"Add `{prompt}: ...` under `prompts:` there."
    if meant is not None:
        cure = f"Did you mean `{meant}`, which nothing says? Write the same name in both places."
    more = f", and so are {others} more" if others > 0 else ""
    return Diagnostic(place, "missing-prompt", f"The prompt `{prompt}` is missing in {files}{more}.", cure)


def _sentences(language: str, written: Written) -> Iterator[Diagnostic]:
    place = written.line
    for sentence in SENTENCES:
        if f"line.{sentence}" in written.places:
            place = written.places[f"line.{sentence}"]
        elif sentence not in written.misspelt:
            message = f"The line's own sentence `{sentence}` is missing in `{language}`."
            yield Diagnostic(place, "missing-prompt", message, f"Add `{sentence}: ...` under `line:`.")
