"""A branch leads to the same step either way.

Why: It looks as if night and day differed, and they do not.

Example:

    night: { branch: { time: 22:00-06:00 }, yes: main, no: main }

Cure: Lead one way elsewhere, or remove the branch.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.model import BranchLine
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for name, line in subject.lines.items():
        if isinstance(line, BranchLine) and line.yes == line.no:
            message = f"Both ways of `{name}` lead to `{line.yes}`."
            cure = f"Lead one of them elsewhere, or lead straight to `{line.yes}`."
            yield Diagnostic(line.no.place, "branch-same-both-ways", message, cure)
