"""A caller hears of the key for a person later than promised.

Why: She may have ten seconds. What she does not hear of, she cannot press.

Example:

    promises: { hears_of_person_within: 20s }

Cure: Name {0} in the first sentence after the greeting.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import NEVER, hears_of_person
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    promise = subject.file.promises.hears_of_person_within
    for language in subject.flow.languages if promise else ():
        told = hears_of_person(subject.flow, language)
        if promise and told > promise.seconds:
            when = "never for sure" if told == NEVER else f"only after {told:.1f} s"
            message = f"In `{language}` a caller hears of the key for a person {when}, not within {promise.seconds} s."
            yield Diagnostic(promise.place, "person-told-too-late", message, "Name {0} earlier, or shorten what comes before.")
