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
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    promise = subject.file.promises.first_key_within
    for language in subject.flow.languages if promise else ():
        told = first_key(subject.flow, language)
        if promise and told > promise.seconds:
            message = f"In `{language}` the first key is told after {told:.1f} s, not within {promise.seconds} s."
            yield Diagnostic(promise.place, "first-key-too-late", message, "Shorten what is said before it.")
