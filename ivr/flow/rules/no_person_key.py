"""The key 0 does not lead to a person.

Why: A caller in danger presses 0 from anywhere; it must ring a phone.

Example:

    always: { 0: main, 9: leave }

Cure: Lead 0 to a step with `transfer: advocates`.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import NEVER, person
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    if any(person(subject.flow, language).at_once == NEVER for language in subject.flow.languages):
        place = subject.file.always.person.place
        message = f"The key 0 leads to `{subject.flow.person}`, and from there to nobody."
        yield Diagnostic(place, "no-person-key", message, "Lead 0 to a step with `transfer: advocates`.")
