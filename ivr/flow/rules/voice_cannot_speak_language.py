"""The voice does not speak the language of its file, or is unknown.

Why: Plivo ends a call whose voice cannot speak the language it is told to.

Example:

    language: es
    voice: Polly.Joanna                   # an English voice

Cure: Choose a voice of that language: in the file, or in IVR_VOICES, which counts in its place.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, listed, nearest
from ivr.flow.subject import Texts
from ivr.flow.voices import KNOWN, speaks, voices_for


def check(texts: Texts) -> Iterator[Diagnostic]:
    for language, written in texts.written.items():
        if not speaks(written.voice, language):
            some = [*voices_for(language)]
            is_foreign = any(speaks(written.voice, other) for other in KNOWN)
            meant = nearest(written.voice, some) if not is_foreign else None
            message = f"The voice `{written.voice}` does not speak `{language}`."
            cure = f"Did you mean `{meant}`?" if meant else f"Choose one that does: {listed(some, most=4)}."
            if written.is_voice_set:
                message += " IVR_VOICES names it in place of this one."
            yield Diagnostic(written.voice.place, "voice-cannot-speak-language", message, cure)
