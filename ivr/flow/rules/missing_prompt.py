"""A prompt is missing in a language.

Why: A caller in that language would hear nothing, or the line would break off.

Example:

    help:
      menu: { 1: legal }         # and prompts/es.yaml has no help.legal

Cure: Add the text to the prompts file that is named.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, Place, suggest
from ivr.flow.line import SENTENCES
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for prompt, place in subject.uses.items():
        lacking = [language for language in subject.flow.languages if prompt not in subject.written[language].places]
        if lacking:
            yield _missing(prompt, lacking, subject, place)
    for name in subject.optional:
        has = {language: name in subject.written[language].places for language in subject.flow.languages}
        if any(has.values()) and not all(has.values()):
            there = next(subject.written[language].places[name] for language in has if has[language])
            yield _missing(name, [language for language in has if not has[language]], subject, there)
    for language in subject.flow.languages:
        written = subject.written[language]
        for sentence in SENTENCES:
            if f"line.{sentence}" not in written.places:
                message = f"The line's own sentence `{sentence}` is missing in `{language}`."
                cure = f"Add `{sentence}: ...` under `line:`."
                yield Diagnostic(Place(written.file), "missing-prompt", message, cure)


def _missing(prompt: str, lacking: list[str], subject: Subject, place: Place) -> Diagnostic:
    files = " and ".join(subject.written[language].file for language in lacking)
    known = subject.written[lacking[0]].places
    unused = [name for name in known if name not in subject.uses and name not in subject.optional]
    cure = suggest(prompt, unused, otherwise=f"Add `{prompt}: ...` under `prompts:` in {files}.")
    if cure.startswith("Did"):
        cure = f"{cure} It stands in {files}; or add `{prompt}: ...` there."
    return Diagnostic(place, "missing-prompt", f"The prompt `{prompt}` is missing in {files}.", cure)
