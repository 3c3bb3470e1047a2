"""How long it takes to say something, in seconds. The one definition: checker, channels and tests share it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.phrases import Phrase
from ivr.flow.prompts import Catalogue

LEAD = 0.4
"""Silence before the first word of a document: networks clip what comes sooner."""

PAUSE = 0.7
"""Silence after an option, before whatever follows it."""

CHARACTERS_A_SECOND = {"en": 13.8, "es": 13.5}
"""Every sentence that the shipped flow can say, as it says it (labels in their options, gaps filled), spoken once by
espeak-ng 1.51 at 175 words a minute (voices en-us and es-419), silence trimmed at both ends: all characters by all
seconds. Options alone are slower (12.7 in both languages: a key is one character), other sentences faster (15.3 and
14.6). tests/flow/test_speech.py measures again."""

OTHER_LANGUAGES = 13.5
"""The slower of the measured ones: a promise is broken by guessing too fast."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One phrase on the clock of the wait it belongs to: it has been said `ends_at` seconds in, and tells of `keys`."""

    phrase: Phrase
    language: str
    pause: float
    ends_at: float
    keys: frozenset[str]


def seconds(text: str, language: str) -> float:
    """The length of a text that is spoken by machine."""
    return len(text) / CHARACTERS_A_SECOND.get(language, OTHER_LANGUAGES)


def timeline(phrases: Iterable[Phrase], language: str, catalogues: Mapping[str, Catalogue]) -> Iterator[Spoken]:
    """The phrases of one wait, each with the pause before it and the moment it has been said."""
    clock, after_option, first = 0.0, False, True
    for phrase in phrases:
        spoken_in = phrase.language or language
        catalogue = catalogues[spoken_in]
        pause = LEAD if first else PAUSE if after_option else 0.0
        recorded = catalogue.recorded(phrase)
        clock += pause + (seconds(catalogue.says(phrase), spoken_in) if recorded is None else recorded)
        yield Spoken(phrase, spoken_in, pause, clock, frozenset(catalogue.tells(phrase)))
        after_option, first = phrase.option, False
