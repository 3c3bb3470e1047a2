"""What a string of typed keys means. The whole string is judged at once, because the phone company sends it at once."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What she wants, apart from a number."""

    PERSON = "a lone zero: no number here begins with it"
    LEAVE = "a nine after a star"
    BACK = "a star on nothing"
    CLEARED = "a star on digits: she types them anew"
    ONWARD = "a pound on nothing"
    NOTHING = "no key at all"
    WRONG = "not a number that fits"


@dataclass(frozen=True, slots=True)
class Typed:
    """A number that fits."""

    digits: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of a number that may come in pieces."""

    digits: str


def judge(keys: str, *, least: int, most: int, starred: bool) -> Typed | Verdict:
    """What `keys` means where `least` to `most` digits are wanted. `starred`: the key before these was a star."""
    typed, pound, _ = keys.partition("#")
    before, star, digits = typed.rpartition("*")
    if digits == "0":
        return Verdict.PERSON
    if digits == "9" and (star or starred):
        return Verdict.LEAVE
    if not digits:
        return _without_digits(before, star=bool(star), pound=bool(pound))
    fits = digits.isascii() and digits.isdecimal() and least <= len(digits) <= most
    return Typed(digits) if fits else Verdict.WRONG


def gather(before: str, keys: str, *, least: int, most: int, starred: bool) -> Typed | Begun | Verdict:
    """The same where a number may come in pieces, with as long a pause between them as she needs. `before`: what she
    has typed already; a 0 after it is a digit."""
    verdict = judge(keys, least=least, most=most, starred=starred)
    _, star, digits = keys.partition("#")[0].rpartition("*")
    if verdict is Verdict.BACK and before:
        return Verdict.CLEARED
    if star:
        before = ""
    goes_on = verdict is Verdict.WRONG or (verdict is Verdict.PERSON and before)
    whole = before + digits
    if not goes_on or not (digits.isascii() and digits.isdecimal()) or len(whole) > most:
        return verdict
    return Typed(whole) if len(whole) >= least else Begun(whole)


def _without_digits(before: str, *, star: bool, pound: bool) -> Verdict:
    if star:
        return Verdict.CLEARED if before.strip("*") else Verdict.BACK
    return Verdict.ONWARD if pound else Verdict.NOTHING
