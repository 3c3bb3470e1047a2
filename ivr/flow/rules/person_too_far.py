"""After the key 0 a caller must press more keys before phones ring.

Why: Every further key is one that a frightened caller may not find.

Example:

    always: { 0: sure, 9: leave }
    steps:
      sure: { menu: { 1: person, 2: main } }

Cure: Lead 0 straight to the transfer.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import NEVER, person
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    efforts = [person(subject.flow, language) for language in subject.flow.languages]
    keys = max(effort.keys for effort in efforts)
    if keys > 1 and all(effort.at_once < NEVER for effort in efforts):
        message = f"A person is {keys} keys away; it must be one."
        cure = "Lead 0 straight to a step with `transfer: advocates`."
        yield Diagnostic(subject.file.always.person.place, "person-too-far", message, cure)
