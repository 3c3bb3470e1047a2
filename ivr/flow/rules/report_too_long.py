"""The shortest report takes more keys or more time than promised.

Why: She stands on a street with a phone in her hand. What takes too long is not reported.

Example:

    promises: { report_within: { keys: 10, speech: 45s } }

Cure: Shorten prompts, or move `save_after` to an earlier question.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import NEVER, report
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    within = subject.file.promises.report_within
    if within is None:
        return
    if not within.keys.isdecimal():
        message = f"`{within.keys}` is not a number of keys."
        yield Diagnostic(within.keys.place, "wrong-type", message, "Write a number: `keys: 10`.")
        return
    for language in subject.flow.languages:
        effort = report(subject.flow, language)
        if effort.at_once == NEVER:
            message = f"In `{language}` no report can be made at all."
            yield Diagnostic(within.keys.place, "report-too-long", message, "Lead to a step with `form`.")
        elif effort.keys > int(within.keys):
            message = f"In `{language}` the shortest report takes {effort.keys} keys, not {within.keys}."
            yield Diagnostic(within.keys.place, "report-too-long", message, "Ask less before `save_after`.")
        elif effort.at_once > within.speech.seconds:
            message = f"In `{language}` the shortest report takes {effort.at_once:.1f} s, not {within.speech.seconds} s."
            yield Diagnostic(within.speech.place, "report-too-long", message, "Shorten the prompts on the way to it.")
