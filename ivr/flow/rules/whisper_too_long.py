"""A phone that rang is kept for too long before somebody decides.

Why: The caller waits meanwhile, and a mailbox records every word. Twenty seconds, its options said twice, are enough to
wake up.

Example:

    whisper: Hello, and thank you very much for being there tonight. There is a call waiting for you right now.

Cure: Say it in a few words: `A call for you.`
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import Choose
from ivr.flow.speech import timeline
from ivr.flow.subject import Subject
from ivr.flow.wording import opening

MOST_SECONDS = 20


def check(subject: Subject) -> Iterator[Diagnostic]:
    flow = subject.flow
    step = flow.steps.get(flow.offered or "")
    if not isinstance(step, Choose):
        return
    for language, catalogue in flow.catalogues.items():
        lasts = list(timeline(opening(step, answered=False), language, flow.catalogues))[-1].ends_at
        if lasts > MOST_SECONDS:
            message = f"In `{language}` the whisper takes {lasts:.1f} s; a phone may be kept for {MOST_SECONDS} s."
            place = catalogue.prompts[step.name].place
            yield Diagnostic(place, "whisper-too-long", message, "Say it in fewer words; all of it is said twice.")
