"""What is said at a wait: the first time, and when she is asked again. The engine and the proofs share it, so that what
is proven is what is heard."""

from collections.abc import Iterator

from ivr.flow.graph import Choose, Wait
from ivr.flow.phrases import Phrase, phrase

ANY_TIME = phrase("line.any_time")
ANY_TIME_DIGITS = phrase("line.any_time_digits")
SILENCE = phrase("line.silence")
WRONG_KEY = phrase("line.wrong_key")
DIGITS_WRONG = phrase("line.digits_wrong")


def opening(step: Wait, *, answered: bool) -> tuple[Phrase, ...]:
    """The first asking. `answered`: its question has an answer already, which `#` would keep."""
    kept = (step.kept,) if answered and step.kept is not None else ()
    if not isinstance(step, Choose):
        return (*step.intro[:1], *kept, *step.intro[1:])
    told = () if step.terse else tuple(_options(step, leads=True))
    return (*step.intro, *kept, *told, *step.outro) * step.times


def after_silence(step: Wait, *, first: bool) -> tuple[Phrase, ...]:
    """Asked again because nothing was pressed. `first`: the line's own keys are told, once."""
    options = tuple(_options(step, leads=True)) if isinstance(step, Choose) else ()
    return (SILENCE, *_keys(step, first=first), *step.intro, *options)


def after_wrong_key(step: Wait, *, first: bool) -> tuple[Phrase, ...]:
    """Asked again because of a key that does nothing here: the options without the explanation."""
    if isinstance(step, Choose):
        return (WRONG_KEY, *_keys(step, first=first), *_options(step, leads=False))
    return (DIGITS_WRONG, *_keys(step, first=first), *step.intro[1:])


def _keys(step: Wait, *, first: bool) -> tuple[Phrase, ...]:
    """The line's own keys; where digits are typed, nine is a digit and leaving takes two."""
    if not first:
        return ()
    if step.aside is not None:
        return (step.aside,)
    return (ANY_TIME if isinstance(step, Choose) else ANY_TIME_DIGITS,)


def _options(step: Choose, *, leads: bool) -> Iterator[Phrase]:
    for option in step.options:
        if leads and option.lead is not None:
            yield option.lead
        yield option.told
