"""The voice does not speak the language of its file, or is unknown.

Why: Plivo ends a call whose voice cannot speak the language it is told to.

Example:

    language: es
    voice: Polly.Joanna-Standard          # an English voice

Cure: Choose a voice of that language.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, listed
from ivr.flow.subject import Subject
from ivr.flow.voices import speaks, voices_for


def check(subject: Subject) -> Iterator[Diagnostic]:
    for language in subject.flow.languages:
        written = subject.written[language]
        if not speaks(written.voice, language):
            message = f"The voice `{written.voice}` does not speak `{language}`."
            cure = f"Choose one that does: {listed(voices_for(language), most=4)}."
            yield Diagnostic(written.voice.place, "voice-cannot-speak-language", message, cure)
