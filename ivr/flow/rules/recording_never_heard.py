"""A recording is of a text that is never said alone, or cannot be played.

Why: Labels are said inside a sentence (“To report what someone did, press 1”), which the voice has to speak as a whole;
a recording of the label alone would never be heard.

Example:

    prompts/audio/en/main.report.mp3       # a label of the menu `main`

Cure: Remove the recording; record whole sentences: greetings, questions, what is said before a menu.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.graph import Ask, Choose, Collect, End, Flow, Say
from ivr.flow.phrases import Phrase
from ivr.flow.subject import Subject
from ivr.flow.wants import WantNumber, WantPerson


def check(*subjects: Subject) -> Iterator[Diagnostic]:
    """Looks at every flow that the recordings are for."""
    alone = {phrase.prompt for subject in subjects for phrase in _phrases(subject.flow) if not phrase.values}
    for language, catalogue in subjects[0].flow.catalogues.items():
        for name, seconds in sorted(catalogue.recordings.items()):
            prompt = catalogue.prompts.get(name)
            if prompt is None or prompt.gaps:
                continue  # missing-recording has told
            place = Place(f"prompts/audio/{language}/{name}.mp3")
            if name not in alone and not name.startswith("line."):
                message = f"`{name}` is only said as a part of other sentences, so its recording is never heard."
                yield Diagnostic(place, "recording-never-heard", message, "Remove the recording.")
            elif seconds <= 0:
                message = "This file cannot be played as a recording."
                yield Diagnostic(place, "recording-never-heard", message, "Save it as mp3, 8 or 16 kHz, mono.")


def _phrases(flow: Flow) -> Iterator[Phrase]:
    for step in flow.steps.values():
        match step:
            case Say() | End():
                yield step.told
            case Choose():
                yield from (*step.intro, *step.outro)
                yield from (option.lead for option in step.options if option.lead is not None)
                yield from (option.told for option in step.options)
            case Collect():
                yield from step.intro
            case Ask(want=WantPerson(told=told) | WantNumber(told=told)):
                yield told
            case _:
                pass
