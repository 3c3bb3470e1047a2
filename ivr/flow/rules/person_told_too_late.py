"""A caller hears of the key for a person later than promised.

Why: She may have ten seconds. What she does not hear of, she cannot press.

Example:

    promises: { hears_of_person_within: 20s }

Cure: Name {0} in the first sentence after the greeting.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import NEVER, hears_of_person
from ivr.flow.subject import Subject, in_languages


def check(subject: Subject) -> Iterator[Diagnostic]:
    promise = subject.file.promises.hears_of_person_within
    if promise is None:
        return
    told = {language: hears_of_person(subject.flow, language) for language in subject.flow.languages}
    never = {language: "not surely told" for language, seconds in told.items() if seconds == NEVER}
    late = {language: f"{told[language]:.1f} s" for language in told if promise.seconds < told[language] < NEVER}
    if never:
        message = f"A caller is {in_languages(never)} of the key for a person: she may go on without hearing of it."
        yield Diagnostic(
            promise.place, "person-told-too-late", message, "Name {0} in the first sentence after the greeting."
        )
    if late:
        message = f"A caller hears of the key for a person after {in_languages(late)}, not within {promise.seconds} s."
        yield Diagnostic(
            promise.place, "person-told-too-late", message, "Name {0} earlier, or shorten what comes before."
        )
