"""Words that are sent in place of keys, and how alike two of them are: capitals and accents do not matter."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.line import MORE_WORDS, WORDS
from ivr.flow.prompts import Catalogue


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word is for, one of WORDS or of MORE_WORDS, and whose it is."""

    what: str
    language: str


def meanings(catalogues: Mapping[str, Catalogue]) -> dict[str, Meaning]:
    """Folded word -> what it means. Where two languages share a word for the same thing it is the first one's."""
    found: dict[str, Meaning] = {}
    for language, catalogue in catalogues.items():
        for what in (*WORDS, *MORE_WORDS):
            if what in catalogue.words:
                found.setdefault(folded(catalogue.words[what]), Meaning(what, language))
    return found


def folded(word: str) -> str:
    """Without accents, in small letters.

    >>> folded("ADIÓS"), folded("Atrás")
    ('adios', 'atras')
    """
    return "".join(_letters(word)).casefold()


def _letters(word: str) -> Iterator[str]:
    for sign in unicodedata.normalize("NFKD", word):
        if not unicodedata.category(sign).startswith(("M", "C")):
            yield sign
