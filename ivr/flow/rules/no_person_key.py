"""The key 0 does not lead to a person.

Why: A caller in danger presses 0 from anywhere; it must ring a phone.

Example:

    always: { 0: main, 9: leave }

Cure: Lead 0 to a step with `transfer: advocates`.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import Ask, Flow, onward
from ivr.flow.subject import Subject
from ivr.flow.wants import WantPerson


def check(subject: Subject) -> Iterator[Diagnostic]:
    if not _reaches_person(subject.flow):
        message = f"The key 0 leads to `{subject.flow.person}`, and from there to nobody."
        place = subject.file.always.person.place
        yield Diagnostic(place, "no-person-key", message, "Lead 0 to a step with `transfer: advocates`.")


def _reaches_person(flow: Flow) -> bool:
    seen: set[str] = set()
    waiting = [flow.person]
    while waiting:
        name = waiting.pop()
        step = flow.steps[name]
        if isinstance(step, Ask) and isinstance(step.want, WantPerson):
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(onward(step))
    return False
