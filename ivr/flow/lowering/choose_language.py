"""`choose_language`: the greeting in each language, each followed by the key of that language."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Choose
from ivr.flow.keys import Option, Pass, SpeakIn
from ivr.flow.lowering.building import Building
from ivr.flow.model import ChooseLanguage
from ivr.flow.phrases import KeyName, Label, Phrase, phrase


def lower(name: str, line: ChooseLanguage, place: Place, building: Building) -> None:
    greeting = building.use(line.choose_language, line.choose_language.place)
    to = building.to(line.next)
    options = tuple(
        Option(str(key), _told(language, key), to, SpeakIn(language), lead=phrase(greeting, language=language))
        for key, language in enumerate(building.languages, start=1)
    )
    building.add(Choose(name, (), options, Pass(to), staff_door=True, place=place))


def _told(language: str, key: int) -> Phrase:
    return phrase(
        "line.choose_language", language=language, option=True, name=Label("language.name"), key=KeyName(str(key))
    )
