"""Which voice speaks which language. Facts from Plivo's documentation of the Speak element (voices and languages) and
Amazon Polly's list of voices; Plivo ends a call (error 8011) whose voice cannot speak its language."""

from collections.abc import Iterator

_POLLY = {
    "en": "Joanna Joey Matthew Salli Kendra Kimberly Ivy Justin Amy Brian Emma Geraint Nicole Russell Raveena",
    "es": "Penelope Miguel Mia Conchita Enrique Lucia",
    "fr": "Celine Chantal Mathieu Lea",
    "pt": "Camila Cristiano Ines Ricardo Vitoria",
    "de": "Hans Marlene Vicki",
    "it": "Bianca Carla Giorgio",
    "ru": "Maxim Tatyana",
    "zh": "Zhiyu",
}
"""Those that Polly had when Plivo began to offer it (27 languages, more than 40 voices), written as Plivo's examples
write them, without a suffix. Best known first."""
_NEWER = {
    "en": "Aria Arthur Ayanda Gregory Kajal Kevin Olivia Ruth Stephen",
    "es": "Andres Lupe Pedro Sergio",
    "fr": "Gabrielle Liam Remi",
    "pt": "Thiago",
    "de": "Daniel",
    "it": "Adriano",
}
"""Those that Polly has had since: nobody has read that Plivo offers them."""
_KINDS = ("", "-Neural", "-Standard")
_PLAIN = ("WOMAN", "MAN")

LOCALES = {"en": "en-US", "es": "es-US", "fr": "fr-FR", "pt": "pt-BR", "de": "de-DE", "it": "it-IT", "ru": "ru-RU"}
"""What WOMAN and MAN are told to speak; for Spanish es-US, because they do not speak es-MX."""


KNOWN = tuple(_POLLY)
"""The languages of which voices are known."""


def voices_for(language: str) -> Iterator[str]:
    """The voices of a language that Plivo most likely has."""
    names = _POLLY.get(language.partition("-")[0], "").split()
    yield from (f"Polly.{name}" for name in names)
    yield from (plain for plain in _PLAIN if language.partition("-")[0] in LOCALES)


def speaks(voice: str, language: str) -> bool:
    """Does this voice speak this language?"""
    spoken = language.partition("-")[0]
    if voice in _PLAIN:
        return spoken in LOCALES
    names = f"{_POLLY.get(spoken, '')} {_NEWER.get(spoken, '')}".split()
    return any(voice == f"Polly.{name}{kind}" for name in names for kind in _KINDS)
