"""While phones ring, a sentence is too long.

Why: The line looks after a waiting caller between two sentences: whether somebody has taken her call, and whom to ring
next. After fifteen seconds without a word from her it must think that she has left.

Example:

    transfer: "Please wait while we try to reach somebody of our team ... it will take {seconds} seconds at most."

Cure: Say less in `transfer`, in `holding` and those that begin with it, or give her fewer things to do meanwhile.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import Ask, Flow
from ivr.flow.line import HOLDING
from ivr.flow.phrases import Number, Phrase, phrase
from ivr.flow.speech import timeline
from ivr.flow.subject import Subject
from ivr.flow.wants import WantPerson

MOST_SECONDS = 10


def check(subject: Subject) -> Iterator[Diagnostic]:
    flow = subject.flow
    told: set[tuple[str, str]] = set()
    for step in flow.steps.values():
        if isinstance(step, Ask) and isinstance(step.want, WantPerson):
            for language, catalogue in flow.catalogues.items():
                for said in _pieces(step.want):
                    lasts = _seconds(flow, said, language)
                    prompt = said[0].prompt
                    if lasts > MOST_SECONDS and (language, prompt) not in told:
                        told.add((language, prompt))
                        message = f"While phones ring for `{step.name}`, one piece takes {lasts:.1f} s in `{language}`."
                        cure = f"Say less, or offer less meanwhile: {MOST_SECONDS} s at most."
                        yield Diagnostic(catalogue.prompts[prompt].place, "hold-too-long", message, cure)


def _pieces(want: WantPerson) -> Iterator[tuple[Phrase, ...]]:
    options = tuple(option.told for option in want.options)
    total = Number(sum(seconds for _, seconds in want.rungs))
    yield (want.told, *options)
    for holding in HOLDING.values():
        yield (phrase(holding, seconds=total), *options)


def _seconds(flow: Flow, said: tuple[Phrase, ...], language: str) -> float:
    return list(timeline(said, language, flow.catalogues))[-1].ends_at
