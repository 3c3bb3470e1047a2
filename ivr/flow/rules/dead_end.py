"""A step leads nowhere.

Why: After it the call would simply stop, in the middle of things; or the caller would go round and round between menus.

Example:

    safety: { say: safety }          # and then?

Cure: Add `next: STEP`. Where steps lead only to each other, add a way to a report, to a person or to the end.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ivr.flow.diagnostics import Diagnostic, Place, listed
from ivr.flow.graph import Ask, Choose, Collect, End, Flow, Return, Step, onward
from ivr.flow.wants import WantNumber, WantPerson, WantSave, WantShift

if TYPE_CHECKING:  # it is built from what `reading` read, and `reading` needs no_next
    from ivr.flow.subject import Subject


def no_next(owner: str, place: Place) -> Diagnostic:
    return Diagnostic(place, "dead-end", f"{owner} has no `next`: the call would stop there.", "Add `next: STEP`.")


def check(subject: "Subject") -> Iterator[Diagnostic]:
    """Steps from which the flow itself leads to no end, no report and no person: only the keys 0 and 9 lead out."""
    lost = subject.flow.steps.keys() - _with_a_way_on(subject.flow)
    for within in _ends_of(subject.flow, lost):
        circle = [name for name in subject.file.steps if name in within]
        places = (
            f"{listed(circle)} lead only to each other" if len(circle) > 1 else f"`{circle[0]}` leads only to itself"
        )
        message = f"{places}: to no report, no person and no goodbye."
        cure = "Add a way that leads on: to a report, to a person or to the step with `exit`."
        yield Diagnostic(circle[0].place, "dead-end", message, cure)


def _with_a_way_on(flow: Flow) -> set[str]:
    before: dict[str, list[str]] = {}
    for name, step in flow.steps.items():
        for target in _ways(step):
            before.setdefault(target, []).append(name)
    good = {name for name, step in flow.steps.items() if _is_way_on(step)}
    waiting = list(good)
    while waiting:
        new = set(before.get(waiting.pop(), ())) - good
        good |= new
        waiting.extend(new)
    return good


def _is_way_on(step: Step) -> bool:
    return isinstance(step, End | Return) or (
        isinstance(step, Ask) and isinstance(step.want, WantPerson | WantNumber | WantSave | WantShift)
    )


def _ways(step: Step) -> Iterator[str]:
    """Where a step leads, going back apart."""
    back = step.back if isinstance(step, Choose | Collect) else None
    kept = {step.to} if isinstance(step, Collect) else set()
    if isinstance(step, Choose):
        kept = {option.to for option in step.options}
    return (target for target in onward(step) if target != back or target in kept)


def _ends_of(flow: Flow, lost: set[str]) -> Iterator[set[str]]:
    """The groups of lost steps that lead only to each other: where a caller who went on would be caught."""
    settled: set[str] = set()
    for name in _finished(flow, lost):
        if name in settled:
            continue
        within = _from(flow, name, until=settled)
        settled.add(name)
        if within is not None:
            settled |= within
            yield within


def _finished(flow: Flow, lost: set[str]) -> list[str]:
    """Depth first, each step after those it leads to."""
    done: dict[str, None] = {}
    begun: set[str] = set()
    for start in sorted(lost):
        waiting = [(start, iter(sorted(_ways(flow.steps[start]))))] if start not in begun else []
        begun.add(start)
        while waiting:
            name, ways = waiting[-1]
            target = next((way for way in ways if way not in begun), None)
            if target is None:
                done[name] = None
                waiting.pop()
            else:
                begun.add(target)
                waiting.append((target, iter(sorted(_ways(flow.steps[target])))))
    return list(done)


def _from(flow: Flow, start: str, *, until: set[str]) -> set[str] | None:
    """Everything that a step leads to; None as soon as that is one of `until`."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in until:
            return None
        if name not in reached:
            reached.add(name)
            waiting.extend(_ways(flow.steps[name]))
    return reached
