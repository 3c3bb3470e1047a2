"""Sentences as one text message: an option a line, everything else running on. Shared by the text channel and the
checker, so that what is measured is what is sent. Knows no step."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ivr.flow.phrases import Phrase
from ivr.flow.prompts import Catalogue
from ivr.flow.segments import is_gsm

DROPPED = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")
"""Accents that the GSM alphabet lacks; it has é, ñ, ü, ¿ and ¡."""

ENDS = (".", "?", "!", ":", "…")
_STOPS_TWICE = re.compile(r"(?<=[?!:;,…])\s*\.(?!\.)|(?<![.…])\.(?=\.(?!\.))")


class Piece(NamedTuple):
    """The words of one phrase. `plain`: as they may be written instead, without accents where a language drops them."""

    words: str
    plain: str
    is_option: bool


def message(phrases: Iterable[Phrase], language: str, catalogues: Mapping[str, Catalogue]) -> str:
    """The text of one message. Accents are left out in languages that drop them, if that makes it GSM-7."""
    return joined([piece(one, language, catalogues) for one in phrases])


def piece(phrase: Phrase, language: str, catalogues: Mapping[str, Catalogue]) -> Piece:
    """A phrase, to be part of messages in a language."""
    catalogue = catalogues[phrase.language or language]
    words = _tidied(catalogue.writes(phrase), is_option=phrase.option)
    return Piece(words, words.translate(DROPPED) if catalogue.drops_accents else words, phrase.option)


def joined(pieces: Collection[Piece]) -> str:
    """Pieces as one message."""
    text = _joined((one.words, one.is_option) for one in pieces)
    if is_gsm(text):
        return text
    plain = _joined((one.plain, one.is_option) for one in pieces)
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
