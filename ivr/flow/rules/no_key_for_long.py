"""Too many steps, or too many different ways, follow each other without a key to press.

Why: A caller listens for a minute at most. And what she hears must be so plain that every way can be proven.

Example:

    rules_1: { say: rules_1, next: rules_2 }
    rules_2: { say: rules_2, next: rules_3 }      # ... and so on, dozens of them

Cure: Put a menu in between, or say less.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import WAITS, Ask, Branch, End, Flow, Return, Say, onward
from ivr.flow.subject import Subject
from ivr.flow.wants import WantNumber, WantPerson, WantSave

MOST_STEPS = 20
MOST_WAYS = 64


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Takes for granted that there is no silent loop. Told once: at the first step from which it is too much."""
    known: dict[str, tuple[int, int]] = {}
    for name in subject.file.steps:
        ways, steps = _measured(subject.flow, name, known)
        if steps > MOST_STEPS or ways > MOST_WAYS:
            what = f"{steps} steps" if steps > MOST_STEPS else f"{ways} different ways"
            message = f"From `{name}` on there are {what} before a key can be pressed."
            yield Diagnostic(name.place, "no-key-for-long", message, "Put a menu in between, or say less.")
            return


def _measured(flow: Flow, start: str, known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """How many ways lead from a step to the next wait, and how many steps the longest of them has that say something
    or fork."""
    waiting = [start]
    while waiting:
        step = flow.steps[waiting[-1]]
        rests = isinstance(step, (*WAITS, End, Return)) or (
            isinstance(step, Ask) and isinstance(step.want, WantPerson | WantNumber | WantSave)
        )
        targets = [] if rests else list(dict.fromkeys(onward(step)))
        unknown = [target for target in targets if target not in known]
        if unknown:
            waiting.extend(unknown)
            continue
        own = 1 if isinstance(step, Say | Branch | Ask) and not step.form else 0
        ways = sum(known[target][0] for target in targets) or 1
        known[waiting.pop()] = (ways, own + max((known[target][1] for target in targets), default=0))
    return known[start]
