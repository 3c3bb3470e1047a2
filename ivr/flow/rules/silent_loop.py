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
    for circle in _circles(subject.flow):
        written = [name for name in subject.file.steps if name in circle]
        shown = [f"`{name}`" for name in circle if name in subject.file.steps]
        message = f"The call goes in a circle without a key to press: {' -> '.join([*shown, shown[0]])}."
        yield Diagnostic(written[0].place, "silent-loop", message, "Put a menu into the circle, or lead out of it.")


def _circles(flow: Flow) -> Iterator[list[str]]:
    """Circles of steps at which nobody waits; of those that overlap, one."""
    done: set[str] = set()
    told: set[str] = set()
    for start in flow.steps:
        path = {start: _silent(flow, start)} if start not in done else {}
        while path:
            name, ways = next(reversed(path.items()))
            target = next(ways, None)
            if target is None:
                done.add(name)
                del path[name]
            elif target in path:
                names = list(path)
                circle = names[names.index(target) :]
                if not told & set(circle):
                    told.update(circle)
                    yield circle
            elif target not in done:
                path[target] = _silent(flow, target)


def _silent(flow: Flow, name: str) -> Iterator[str]:
    step = flow.steps[name]
    return iter(()) if isinstance(step, WAITS) else onward(step)
