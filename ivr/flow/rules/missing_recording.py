"""A prompt is recorded in one language and not in the other, or a recording belongs to no prompt.

Why: One caller hears a person, the other a machine; or a recording was made and nobody hears it.

Example:

    prompts/audio/en/greeting.mp3       # and there is no prompts/audio/es/greeting.mp3

Cure: Record the missing one, or remove the other.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, Place, suggest
from ivr.flow.subject import Texts


def check(texts: Texts) -> Iterator[Diagnostic]:
    recorded = {language: set(written.catalogue.recordings) for language, written in texts.written.items()}
    for language, written in texts.written.items():
        prompts = written.catalogue.prompts
        for name in sorted(recorded[language]):
            place = Place(f"prompts/audio/{language}/{name}.mp3")
            if name not in prompts:
                message = f"No prompt is called `{name}`: this recording is never heard."
                cure = suggest(name, prompts, otherwise="Rename the file after its prompt, or remove it.")
                yield Diagnostic(place, "missing-recording", message, cure)
            elif prompts[name].gaps:
                message = f"`{name}` has gaps, so it cannot be a recording: the line must fill them."
                yield Diagnostic(place, "missing-recording", message, "Remove the recording.")
        for name in sorted(set().union(*recorded.values()) - recorded[language]):
            if name in prompts and not prompts[name].gaps:
                message = f"`{name}` is recorded in another language, and not in `{language}`."
                cure = f"Add prompts/audio/{language}/{name}.mp3, or remove the other recording."
                yield Diagnostic(prompts[name].place, "missing-recording", message, cure)
