"""Every rule over texts and over a compiled flow, in the order in which a mistake hides another: names before texts,
texts before figures; and of several things that are wrong with one text the first, for it explains the others."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from ivr.flow.diagnostics import ENOUGH, Diagnostic
from ivr.flow.rules import (
    bad_word,
    branch_same_both_ways,
    dead_end,
    first_key_too_late,
    form_too_big,
    hold_too_long,
    key_in_text,
    missing_plural,
    missing_prompt,
    missing_recording,
    missing_text_wording,
    no_key_for_long,
    no_person_key,
    no_quick_exit,
    person_told_too_late,
    person_too_far,
    placeholder_differs,
    press_in_text,
    recording_never_heard,
    report_too_long,
    rings_too_long,
    rings_too_short,
    silent_loop,
    too_long_for_one_text,
    unknown_gap,
    unreachable_step,
    unused_prompt,
    voice_cannot_speak_language,
    whisper_tells_too_soon,
    whisper_too_long,
)
from ivr.flow.subject import Subject, Texts


def _sizes_of_forms(subject: Subject) -> Iterator[Diagnostic]:
    for name, form in subject.flow.forms.items():
        found = form_too_big.found(form, subject.forms[name].file.form.place)
        if found is not None:
            yield found


OF_NAMES: tuple[Callable[[Texts], Iterator[Diagnostic]], ...] = (
    missing_prompt.check,
    missing_text_wording.check,
    unused_prompt.check,
    bad_word.check,
    voice_cannot_speak_language.check,
    missing_recording.check,
)

OF_TEXTS: tuple[Callable[[Texts], Iterator[Diagnostic]], ...] = (
    unknown_gap.check,
    missing_plural.check,
    key_in_text.check,
    placeholder_differs.check,
    press_in_text.check,
)
"""Of one text only the first is told."""

OF_STEPS: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (
    branch_same_both_ways.check,
    _sizes_of_forms,
    rings_too_long.check,
    rings_too_short.check,
    no_person_key.check,
    no_quick_exit.check,
)

OF_WAYS: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (
    silent_loop.check,
    no_key_for_long.check,
    dead_end.check,
    unreachable_step.check,
)
"""Each takes for granted that the ones before it found nothing."""

OF_STAFF: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (
    branch_same_both_ways.check,
    no_quick_exit.check,
    whisper_tells_too_soon.check,
)

MEASURED: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (
    person_too_far.check,
    first_key_too_late.check,
    person_told_too_late.check,
    report_too_long.check,
    hold_too_long.check,
    too_long_for_one_text.check,
)

STAFF_MEASURED: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (whisper_too_long.check,)
"""These hear the flow, so they need every text and every step to be there."""


def problems_of_texts(texts: Texts) -> list[Diagnostic]:
    """What is wrong with texts, and with the names they go by."""
    found = [found for rule in OF_NAMES for found in islice(rule(texts), ENOUGH)]
    first: dict[tuple[str, int], Diagnostic] = {}
    for rule in OF_TEXTS:
        for wrong in islice(rule(texts), ENOUGH):
            first.setdefault((wrong.place.file, wrong.place.line), wrong)
    return [*found, *first.values()]


def problems_of_steps(subject: Subject) -> list[Diagnostic]:
    """Where a flow whose names all lead somewhere does not lead where it must."""
    return _first_of_ways(subject, list(_all(OF_STEPS, subject)))


def problems_of_staff(subject: Subject) -> list[Diagnostic]:
    """The same of the flow of those who answer callers."""
    return _first_of_ways(subject, list(_all(OF_STAFF, subject)))


def problems_of_recordings(*subjects: Subject) -> list[Diagnostic]:
    """Recordings that no flow plays."""
    return list(islice(recording_never_heard.check(*subjects), ENOUGH))


def _first_of_ways(subject: Subject, found: list[Diagnostic]) -> list[Diagnostic]:
    for rule in OF_WAYS:
        ways = list(islice(rule(subject), ENOUGH))
        found += ways
        if ways:
            break
    return found


def problems_of_figures(subject: Subject, staff: Subject) -> list[Diagnostic]:
    """Promises that flows do not keep. Needs flows in which nothing else is wrong."""
    return [*_all(MEASURED, subject), *_all(STAFF_MEASURED, staff)]


def _all(rules: Iterable[Callable[[Subject], Iterator[Diagnostic]]], subject: Subject) -> Iterator[Diagnostic]:
    for rule in rules:
        yield from islice(rule(subject), ENOUGH)
