"""Steps lead in a circle, and nowhere in it can a caller press a key.

Why: The call would never come to an end, and she would hear the same words until she hung up.

Example:

    a: { say: hello, next: b }
    b: { say: more, next: a }

Cure: Put a menu into the circle, or lead out of it.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import WAITS, Flow, onward
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    told: set[str] = set()
    for name in subject.file.steps:
        circle = _circle(subject.flow, str(name))
        if circle and not told & set(circle):
            told.update(circle)
            written = [step for step in circle if step in subject.file.steps]
            message = "From here the call goes in a circle without a key to press: " + " -> ".join([*written, written[0]])
            yield Diagnostic(name.place, "silent-loop", f"{message}.", "Put a menu into the circle, or lead out of it.")


def _circle(flow: Flow, start: str) -> list[str]:
    """The steps of a circle of non-waiting steps through `start`, or nothing."""
    waiting = [(start, [start])]
    seen: set[str] = set()
    while waiting:
        name, path = waiting.pop()
        if isinstance(flow.steps[name], WAITS):
            continue
        for target in onward(flow.steps[name]):
            if target == start:
                return path
            if target not in seen:
                seen.add(target)
                waiting.append((target, [*path, target]))
    return []
