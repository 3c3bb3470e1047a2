"""The first key is told later than promised.

Why: Long greetings lose callers: many hang up before they have heard what to press.

Example:

    promises: { first_key_within: 8s }
    prompts:
      greeting: Welcome to the anonymous reporting line of our organisation, which has been ...

Cure: Shorten the greeting.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import first_key
from ivr.flow.subject import Subject, in_languages


def check(subject: Subject) -> Iterator[Diagnostic]:
    promise = subject.file.promises.first_key_within
    if promise is None:
        return
    told = {language: first_key(subject.flow, language) for language in subject.flow.languages}
    late = {language: f"{seconds:.1f} s" for language, seconds in told.items() if seconds > promise.seconds}
    if late:
        message = f"The first key is told after {in_languages(late)}, not within {promise.seconds} s."
        yield Diagnostic(promise.place, "first-key-too-late", message, "Shorten the greeting and what comes before it.")
