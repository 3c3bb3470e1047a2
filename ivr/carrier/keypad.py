"""What keys make of an input element: which count, and what ends it. Pure; never knows time or calls."""

from dataclasses import dataclass

from ivr.carrier.behaviours import (
    AUTO_DIGIT_END,
    BARE_FINISH_KEY,
    DIGITS_END,
    ENOUGH_DIGITS,
    FINISH_KEY,
    INVALID_KEY,
    imitates,
)
from ivr.carrier.documents import GetDigits, GetInput

AUTO_DIGIT_END_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Typed:
    digits: str
    complete: bool
    """No further key is waited for."""


@imitates(FINISH_KEY, BARE_FINISH_KEY, ENOUGH_DIGITS, INVALID_KEY)
def typed(element: GetInput | GetDigits, keys: str) -> Typed:
    """What these keys, pressed one right after the other, make of an input."""
    valid = element.valid_digits if isinstance(element, GetDigits) else "0123456789*#"
    digits = ""
    for key in keys:
        if key == element.finish_on_key:
            return Typed(digits, complete=True)
        digits += key if key in valid else ""
        if len(digits) == element.num_digits:
            return Typed(digits, complete=True)
    return Typed(digits, complete=False)


def patience(element: GetInput | GetDigits) -> int:
    """Seconds of nothing, after the prompts, that end it without input."""
    return element.execution_timeout if isinstance(element, GetInput) else element.timeout


@imitates(DIGITS_END, AUTO_DIGIT_END)
def digit_end(element: GetInput | GetDigits) -> int:
    """Seconds of nothing that end it after a digit."""
    seconds = element.digit_end_timeout if isinstance(element, GetInput) else element.digit_timeout
    return AUTO_DIGIT_END_SECONDS if seconds is None else seconds
