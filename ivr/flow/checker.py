"""Every rule over a compiled flow, in the order in which a mistake hides another: names before texts, texts before
figures."""

from collections.abc import Callable, Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.rules import (
    branch_same_both_ways,
    first_key_too_late,
    key_in_text,
    missing_plural,
    missing_prompt,
    missing_recording,
    no_person_key,
    no_quick_exit,
    person_told_too_late,
    person_too_far,
    placeholder_differs,
    report_too_long,
    silent_loop,
    unknown_gap,
    unreachable_step,
    unused_prompt,
    voice_cannot_speak_language,
)
from ivr.flow.subject import Subject

Rule = Callable[[Subject], Iterator[Diagnostic]]

READABLE: tuple[Rule, ...] = (
    unreachable_step.check,
    silent_loop.check,
    branch_same_both_ways.check,
    missing_prompt.check,
    unused_prompt.check,
    unknown_gap.check,
    placeholder_differs.check,
    missing_plural.check,
    key_in_text.check,
    voice_cannot_speak_language.check,
    missing_recording.check,
)

MEASURED: tuple[Rule, ...] = (
    no_person_key.check,
    person_too_far.check,
    no_quick_exit.check,
    first_key_too_late.check,
    person_told_too_late.check,
    report_too_long.check,
)
"""These hear the flow, so they need every text and every step to be there."""


def problems(subject: Subject) -> list[Diagnostic]:
    """Everything that is wrong with a flow whose names all lead somewhere."""
    found = [diagnostic for rule in READABLE for diagnostic in rule(subject)]
    return found or [diagnostic for rule in MEASURED for diagnostic in rule(subject)]
