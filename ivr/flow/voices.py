"""Which voice speaks which language. Facts from Plivo's documentation of the Speak element (voices and languages) and
Amazon Polly's list of voices; Plivo ends a call (error 8011) whose voice cannot speak its language."""

from collections.abc import Iterator

_POLLY = {
    "en": (
        "Amy Aria Arthur Ayanda Brian Emma Geraint Gregory Ivy Joanna Joey Justin Kajal Kendra Kevin Kimberly Matthew"
        " Nicole Olivia Raveena Russell Ruth Salli Stephen"
    ),
    "es": "Andres Conchita Enrique Lucia Lupe Mia Miguel Pedro Penelope Sergio",
    "fr": "Celine Chantal Gabrielle Lea Liam Mathieu Remi",
    "pt": "Camila Cristiano Ines Ricardo Thiago Vitoria",
    "de": "Daniel Hans Marlene Vicki",
    "it": "Adriano Bianca Carla Giorgio",
    "ru": "Maxim Tatyana",
    "zh": "Zhiyu",
}
_KINDS = ("", "-Neural", "-Standard")
_PLAIN = ("WOMAN", "MAN")

LOCALES = {"en": "en-US", "es": "es-US", "fr": "fr-FR", "pt": "pt-BR", "de": "de-DE", "it": "it-IT", "ru": "ru-RU"}
"""What WOMAN and MAN are told to speak; for Spanish es-US, because they do not speak es-MX."""


KNOWN = tuple(_POLLY)
"""The languages of which voices are known."""


def voices_for(language: str) -> Iterator[str]:
    """The voices of a language, the cheap ones first."""
    names = _POLLY.get(language.partition("-")[0], "").split()
    yield from (f"Polly.{name}-Standard" for name in names)
    yield from (plain for plain in _PLAIN if language.partition("-")[0] in LOCALES)


def speaks(voice: str, language: str) -> bool:
    """Does this voice speak this language?"""
    spoken = language.partition("-")[0]
    if voice in _PLAIN:
        return spoken in LOCALES
    names = _POLLY.get(spoken, "").split()
    return any(voice == f"Polly.{name}{kind}" for name in names for kind in _KINDS)
