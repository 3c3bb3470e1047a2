"""No caller can ever come to a step.

Why: What nobody can reach looks as if it worked, and never does.

Example:

    steps:
      old_menu: { menu: { 1: report } }      # nothing leads here any more

Cure: Lead to it from a menu, or remove it.
"""

from collections.abc import Iterable, Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import Flow, onward
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Of steps that lead to each other the first: once she is led there, the others are reached too."""
    flow = subject.flow
    starts = [flow.start, flow.person, flow.leave, *([flow.offered] if flow.offered else [])]
    reached = _reached(flow, starts)
    lost = [name for name in subject.file.steps if name not in reached]
    led_to = {target for name in lost for target in onward(flow.steps[name]) if target != name}
    for name in (*(name for name in lost if name not in led_to), *lost):
        if name not in reached:
            reached |= _reached(flow, [name])
            message = f"No caller can come to the step `{name}`."
            yield Diagnostic(
                name.place, "unreachable-step", message, f"Lead to `{name}` from another step, or remove it."
            )


def _reached(flow: Flow, starts: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(onward(flow.steps[name]))
    return reached
