"""Sentences as one text message: an option a line, everything else running on. Shared by the text channel and the
checker, so that what is measured is what is sent. Knows no step."""

import re
from collections.abc import Iterable, Mapping

from ivr.flow.phrases import Phrase
from ivr.flow.prompts import Catalogue
from ivr.flow.segments import is_gsm

DROPPED = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")
"""Accents that the GSM alphabet lacks; it has é, ñ, ü, ¿ and ¡."""

ENDS = (".", "?", "!", ":", "…")
_STOPS_TWICE = re.compile(r"(?<=[?!:;,…])\s*\.(?!\.)|(?<![.…])\.(?=\.(?!\.))")


def message(phrases: Iterable[Phrase], language: str, catalogues: Mapping[str, Catalogue]) -> str:
    """The text of one message. Accents are left out in languages that drop them, if that makes it GSM-7."""
    pieces = [(catalogues[one.language or language], one) for one in phrases]
    whole = [(_tidied(catalogue.writes(one), is_option=one.option), one.option) for catalogue, one in pieces]
    text = _joined(whole)
    if is_gsm(text) or not any(catalogue.drops_accents for catalogue, _ in pieces):
        return text
    plain = _joined(
        (words.translate(DROPPED) if catalogue.drops_accents else words, option)
        for (words, option), (catalogue, _) in zip(whole, pieces, strict=True)
    )
    return plain if is_gsm(plain) else text


def _tidied(words: str, *, is_option: bool) -> str:
    """One space between words, one stop after a sentence, and none after an option: its line ends there."""
    words = _STOPS_TWICE.sub("", " ".join(words.split()))
    if is_option:
        return words.rstrip(". ")
    return words if not words or words.endswith(ENDS) else f"{words}."


def _joined(pieces: Iterable[tuple[str, bool]]) -> str:
    text, after_option = "", False
    for words, is_option in pieces:
        if words:
            between = "" if not text else "\n" if is_option or after_option else " "
            text, after_option = f"{text}{between}{words}", is_option
    return text
