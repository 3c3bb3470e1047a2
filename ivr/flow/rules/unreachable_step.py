"""No caller can ever come to a step.

Why: What nobody can reach looks as if it worked, and never does.

Example:

    steps:
      old_menu: { menu: { 1: report } }      # nothing leads here any more

Cure: Lead to it from a menu, or remove it.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import Flow, onward
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    reached = _reached(subject.flow)
    for name in subject.file.steps:
        if name not in reached:
            message = f"No caller can come to the step `{name}`."
            yield Diagnostic(name.place, "unreachable-step", message, f"Lead to `{name}` from another step, or remove it.")


def _reached(flow: Flow) -> set[str]:
    reached: set[str] = set()
    waiting = [flow.start, flow.person, flow.leave]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(onward(flow.steps[name]))
    return reached
