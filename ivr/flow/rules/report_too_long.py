"""The shortest report takes more keys or more time than promised.

Why: She stands on a street with a phone in her hand. What takes too long is not reported.

Example:

    promises: { report_within: { keys: 10, speech: 45s } }

Cure: Shorten prompts, or move `save_after` to an earlier question.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.proofs import NEVER, report
from ivr.flow.subject import Subject, in_languages


def check(subject: Subject) -> Iterator[Diagnostic]:
    within = subject.file.promises.report_within
    if within is None:
        return
    efforts = {language: report(subject.flow, language) for language in subject.flow.languages}
    if any(effort.at_once == NEVER for effort in efforts.values()):
        message = "A report is promised, and nobody can make one: no way leads to a form."
        yield Diagnostic(within.keys.place, "report-too-long", message, "Lead to a step with `form`.")
        return
    keys = {name: f"{effort.keys} keys" for name, effort in efforts.items() if effort.keys > int(within.keys)}
    late = {
        name: f"{effort.at_once:.1f} s" for name, effort in efforts.items() if effort.at_once > within.speech.seconds
    }
    if keys:
        message = f"The shortest report takes {in_languages(keys)}, not {within.keys}."
        yield Diagnostic(within.keys.place, "report-too-long", message, "Ask less before `save_after`.")
    if late:
        message = f"The shortest report takes {in_languages(late)}, not {within.speech.seconds} s."
        cure = "Shorten the prompts on the way to it, or ask less before `save_after`."
        yield Diagnostic(within.speech.place, "report-too-long", message, cure)
