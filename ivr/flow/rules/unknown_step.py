"""A step leads to a step that does not exist.

Why: A caller who presses that key would be sent nowhere.

Example:

    main:
      menu: { 1: report, 2: hepl }

Cure: Correct the name, or add a step of that name.
"""

from collections.abc import Iterable, Iterator, Sequence

from ivr.flow.diagnostics import GUESSES, Diagnostic, nearest, suggest
from ivr.flow.rules.bad_name import is_name
from ivr.flow.source import Word

_TYPED_AMISS = 2
"""By so many letters a mistyped name differs in length."""

_LINES_SHOWN = 8


def check(targets: Sequence[Word], steps: Iterable[Word], *, some_unread: bool) -> Iterator[Diagnostic]:
    """Names that lead nowhere, each once. `some_unread`: a step may stand inside another that could not be read, so
    only what looks mistyped is told."""
    known = {str(step): step for step in steps}
    good = [step for step in known if is_name(step)]
    bad = list(known.keys() - set(good))[:GUESSES]
    led_to = {str(target) for target in targets}
    unknown: dict[str, list[Word]] = {}
    for target in targets:
        if target not in known:
            unknown.setdefault(str(target), []).append(target)
    for number, (name, words) in enumerate(unknown.items()):
        if number >= GUESSES:
            yield _unknown(name, words, (), lonely=None)
            continue
        if any(nearest(name, [step]) for step in bad):
            continue  # a step that cannot be called so is told already
        alike = [step for step in known if step not in led_to and abs(len(step) - len(name)) <= _TYPED_AMISS]
        lonely = nearest(name, alike)
        if lonely is not None and len(words) > 1:
            yield _misnamed(known[lonely], name, words)
        elif not some_unread or nearest(name, known):
            yield _unknown(name, words, good, lonely=lonely)


def _misnamed(step: Word, wanted: str, words: Sequence[Word]) -> Diagnostic:
    message = f"Nothing leads to the step `{step}`, and {_lines(words)} to `{wanted}`, which is not there."
    return Diagnostic(step.place, "unknown-step", message, f"Did you mean `{wanted}`?")


def _unknown(name: str, words: Sequence[Word], known: Sequence[str], *, lonely: str | None) -> Diagnostic:
    message = f"There is no step `{name}`" + (f"; {_lines(words)} to it." if len(words) > 1 else ".")
    cure = suggest(name, known, otherwise=f"Add a step `{name}:`, or name one that is there.")
    if lonely is not None:
        cure = f"Did you mean `{lonely}`, to which nothing leads? Write the same name in both places."
    return Diagnostic(words[0].place, "unknown-step", message, cure)


def _lines(words: Sequence[Word]) -> str:
    *most, last = dict.fromkeys(str(word.place.line) for word in words)
    if len(most) > _LINES_SHOWN:
        return f"{len(most) + 1} lines lead"
    return f"lines {', '.join(most)} and {last} lead" if most else f"line {last} leads"
