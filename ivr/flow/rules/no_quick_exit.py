"""The key 9 does not end the call.

Why: Somebody came in: she must be able to end the call with one key, and it must end.

Example:

    always: { 0: person, 9: main }

Cure: Lead 9 to a step with `exit`.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import End
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    if not isinstance(subject.flow.steps[subject.flow.leave], End):
        message = f"The key 9 leads to `{subject.flow.leave}`, which does not end the call."
        yield Diagnostic(subject.file.always.leave.place, "no-quick-exit", message, "Lead 9 to a step with `exit`.")
