"""The seconds of speech.py are those of a voice: every sentence of the shipped flow is spoken by espeak-ng at 175 words
a minute and measured. What is measured is sound: silence at both ends is cut off, the pauses are those of the line."""

import shutil
import subprocess
from array import array
from collections.abc import Iterator
from functools import cache

import pytest
from msgspec import structs

from ivr.flow import proofs
from ivr.flow.graph import Ask, Choose, End, Flow, Say
from ivr.flow.line import SENTENCES
from ivr.flow.phrases import Digits, KeyName, Label, Labels, Number, Phrase, Slot, Value, phrase
from ivr.flow.prompts import KEYS
from ivr.flow.speech import LEAD, Spoken, seconds, timeline
from ivr.flow.wants import WantPerson
from ivr.flow.wording import after_silence, after_wrong_key, opening
from tests.engine.caller import Caller
from tests.shipped import flow

VOICES = {"en": "en-us", "es": "es-419"}
WORDS_A_MINUTE = "175"
CLOSE = 0.12
"""How far the figures may be from the voice, as a part of the whole."""

HEADER = 44
QUIET = 100

SHORTEST = "1 2 1 # 1 1"
"""After the language: a report; robbery and no more; today; right."""

WHOLE = "1 1 3 3 2 # 2 1 3 1 2 1 2 2 2 3 1 2 2 1 4820953 1 2125550143 1 1 1 2 #"
"""After the language: every question answered, both numbers confirmed, all right, warn others, the receipt heard."""

pytestmark = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed: the speed of speech was NOT measured"
)
languages = pytest.mark.parametrize("language", list(VOICES))


# ---- a voice ----


@cache
def spoken(text: str, language: str) -> float:
    """Seconds from the first sound of a text to its last."""
    command = ["espeak-ng", "-s", WORDS_A_MINUTE, "-v", VOICES[language], "--stdout"]
    wave = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    rate = int.from_bytes(wave[24:28], "little")
    samples = array("h", wave[HEADER : len(wave) - len(wave) % 2])
    loud = [place for place, sample in enumerate(samples) if abs(sample) > QUIET]
    return (loud[-1] - loud[0]) / rate


def spoken_until(said: list[Spoken], of: Flow) -> list[float]:
    """When each sentence of a wait has been said. Where the line makes no pause between two, one breath holds both."""
    ends: list[float] = []
    breath: list[str] = []
    begins = 0.0
    for one in said:
        if one.pause:
            begins, breath = (ends[-1] if ends else 0.0) + one.pause, []
        breath.append(of.catalogues[one.language].says(one.phrase))
        ends.append(begins + spoken(" ".join(breath), one.language))
    return ends


# ---- every sentence ----


def sentences(of: Flow, language: str) -> list[str]:
    """What the line can say in a language, each sentence once: labels in their options, gaps filled."""
    catalogue = of.catalogues[language]
    said = (_filled(one) for one in (*_of_the_flow(of), *_of_the_line(of)) if one.language in (None, language))
    return list(dict.fromkeys(catalogue.says(one) for one in said))


def _of_the_flow(of: Flow) -> Iterator[Phrase]:
    for step in of.steps.values():
        match step:
            case Say() | End():
                yield step.told
            case Ask(want=WantPerson() as want):
                yield want.told
                yield from (option.told for option in want.options)
    for wait in of.waits():
        yield from opening(wait, answered=True)
        yield from after_silence(wait, first=True)
        yield from after_wrong_key(wait, first=True)
        if isinstance(wait, Choose):
            yield from (option.told for option in wait.options)


def _of_the_line(of: Flow) -> Iterator[Phrase]:
    ready = {name for name, gaps in SENTENCES.items() if gaps <= set(KEYS) and "." not in name}
    yield from (phrase(f"line.{name}") for name in sorted(ready))
    yield phrase("line.confirm", key=KeyName("1"))


def _filled(one: Phrase) -> Phrase:
    answers = Labels((Label("bad_date.what.taken"), Label("bad_date.when.today")))
    gaps: dict[Slot, Value] = {
        Slot.ANSWER: answers,
        Slot.ANSWERS: answers,
        Slot.TYPED: Digits("2125550143"),
        Slot.RECEIPT: Digits("482095317264"),
    }
    values = ((name, gaps[value] if isinstance(value, Slot) else value) for name, value in one.values)
    return structs.replace(one, values=tuple(values))


@languages
def test_what_the_line_says_takes_as_long_as_it_reckons(language: str) -> None:
    texts = sentences(flow(), language)
    assert len(texts) > 100
    reckoned = sum(seconds(text, language) for text in texts)
    heard = sum(spoken(text, language) for text in texts)
    assert reckoned == pytest.approx(heard, rel=CLOSE)


@languages
def test_no_sentence_takes_twice_as_long_as_it_reckons(language: str) -> None:
    """A number spoken as a number, or a word spelled out, would."""
    slow = {text for text in sentences(flow(), language) if spoken(text, language) > 1 + 1.5 * seconds(text, language)}
    assert not slow


# ---- a call ----


def turns(language: str, keys: str) -> Iterator[tuple[list[Spoken], str]]:
    """What a caller hears at every wait, and the key that she presses there."""
    of = flow()
    rosa = Caller()
    for key in ("1" if language == "en" else "2", *keys.split()):
        yield list(timeline(rosa.turn.said, rosa.turn.call.language, of.catalogues)), key
        rosa.presses(key)
    assert rosa.report is not None


def told(said: list[Spoken], key: str) -> int:
    """The place of the sentence that told of a key; of the last one, where none did."""
    return next((place for place, one in enumerate(said) if key in one.keys), len(said) - 1)


@languages
@pytest.mark.parametrize("in_full", [False, True], ids=["pressing at once", "hearing all"])
def test_the_shortest_report_takes_as_long_as_it_reckons(language: str, in_full: bool) -> None:
    reckoned = heard = 0.0
    for said, key in turns(language, SHORTEST):
        place = len(said) - 1 if in_full else told(said, key)
        reckoned += said[place].ends_at
        heard += spoken_until(said, flow())[place]
    assert reckoned == pytest.approx(heard, rel=CLOSE)
    assert heard <= (75 if in_full else 45)


@languages
def test_a_whole_report_takes_as_long_as_it_reckons(language: str) -> None:
    reckoned = heard = 0.0
    for said, _ in turns(language, WHOLE):
        reckoned += said[-1].ends_at
        heard += spoken_until(said, flow())[-1]
    assert reckoned == pytest.approx(heard, rel=CLOSE)


@languages
def test_the_promises_are_kept_by_the_voice_too(language: str) -> None:
    of = flow()
    (greeting, _), (safety, _) = list(turns(language, SHORTEST))[:2]
    greeted = spoken_until(greeting, of)
    first = next(end for one, end in zip(greeting, greeted, strict=True) if one.keys and one.language == language)
    assert first <= 8
    assert first == pytest.approx(proofs.first_key(of, language), rel=CLOSE)
    assert greeted[-1] + spoken_until(safety, of)[told(safety, "0")] <= 20


def test_a_document_begins_with_silence_and_not_with_a_word() -> None:
    said = list(timeline((phrase("line.saved"), phrase("line.transfer", seconds=Number(20))), "en", flow().catalogues))
    assert [one.pause for one in said] == [LEAD, 0.0]
