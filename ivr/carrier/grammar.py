"""What Plivo's voice XML may say, as data: each element with its attributes, the values they take, and its children.
Knows words, not what they do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ivr.carrier.callbacks import parse_callback

Values = Callable[[str], str | None]
"""What is wrong with a value, as the end of a sentence ("is not 5 to 60"); None when it is fine."""


@dataclass(frozen=True, slots=True)
class Attribute:
    values: Values
    default: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """One element's rules, from the page named in `source` (below docs/voice/ of Plivo's documentation)."""

    source: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: frozenset[str] = frozenset()
    text: bool = False


def number(least: int, most: int | None = None, *, words: tuple[str, ...] = ()) -> Values:
    """A whole number from `least` to `most`, or one of `words`."""

    def wrong(value: str) -> str | None:
        fits = (
            re.fullmatch(r"0|[1-9][0-9]{0,8}", value) and int(value) >= least and (most is None or int(value) <= most)
        )
        span = f"{least} or more" if most is None else f"{least} to {most}"
        return None if fits or value in words else f"is not {' or '.join([span, *words])}"

    return wrong


def one_of(*words: str) -> Values:
    return lambda value: None if value in words else f"is not one of {', '.join(word or '(empty)' for word in words)}"


def shaped(pattern: str, what: str) -> Values:
    shape = re.compile(pattern)
    return lambda value: None if shape.fullmatch(value) else f"is not {what}"


def absolute(value: str) -> str | None:
    return None if _URL.fullmatch(value) else "is not an absolute URL"


def callback(value: str) -> str | None:
    """An absolute URL with, perhaps, time-outs and retries in its fragment."""
    try:
        parse_callback(value)
    except ValueError as wrong:
        return f"has a fragment that Plivo does not know: {wrong}"
    return absolute(value)


def or_word(word: str, values: Values) -> Values:
    return lambda value: None if value == word else values(value)


def sound_or_beep(value: str) -> str | None:
    return None if value in ("", "beep:1", "beep:2") else callback(value)


def anything(value: str) -> str | None:
    return None if value else "is empty"


_URL = re.compile(r"https?://[A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*(?:[/?#][!-~]*)?")

flag = one_of("true", "false")
key = one_of(*"0123456789*#")
keys = shaped(r"[0-9*#]+", "keys")
finish_key = one_of(*"0123456789*#", "", "none")
phone = shaped(r"\+?[0-9]{5,15}", "a phone number")
sip_address = shaped(r"sip:[^\s@]+@[A-Za-z0-9.:-]+", "a SIP address")
voice = shaped(r"WOMAN|MAN|Polly\.[A-Z][A-Za-z]+(-(Standard|Neural|Generative))?", "WOMAN, MAN or Polly.NAME")
language = shaped(r"[a-z]{2,3}-[A-Z]{2,3}", "a language like es-US")

POST = Attribute(one_of("GET", "POST"), "POST")
TRUE = Attribute(flag, "true")
FALSE = Attribute(flag, "false")
LOOP = Attribute(number(0), "1")
PROMPTS = frozenset({"Speak", "Play"})

# SSML, as far as Amazon Polly and so Plivo take it. The children are those that plivo 4.63.0 (plivo.xml) lets nest.
INLINE = frozenset({"break", "emphasis", "lang", "phoneme", "prosody", "say-as", "sub", "w"})
BLOCKS = INLINE | {"p", "s"}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_LOUDNESS = r"default|silent|x-soft|soft|medium|loud|x-loud|[+-][0-9]{1,2}(\.[0-9]+)?dB"
_RATE = r"x-slow|slow|medium|fast|x-fast|(2[0-9]|[3-9][0-9]|1[0-9]{2}|200)%"
_PITCH = r"default|x-low|low|medium|high|x-high|[+-][0-9]{1,3}(\.[0-9]+)?%"
_SAID_AS = (
    *("character", "characters", "spell-out", "cardinal", "number", "ordinal", "digits", "fraction", "unit", "date"),
    *("time", "address", "expletive", "telephone"),
)
_PAUSE = r"(10|[0-9](\.[0-9]+)?)s|(10000|[0-9]{1,4})ms"

SSML: Mapping[str, Element] = {
    "break": Element(
        "concepts/ssml",
        {
            "strength": Attribute(one_of("none", "x-weak", "weak", "medium", "strong", "x-strong")),
            "time": Attribute(shaped(_PAUSE, "a pause like 500ms or 2s, at most 10s")),
        },
    ),
    "emphasis": Element(
        "concepts/ssml", {"level": Attribute(one_of("strong", "moderate", "reduced"))}, INLINE, text=True
    ),
    "lang": Element("concepts/ssml", {XML_LANG: Attribute(language, required=True)}, BLOCKS, text=True),
    "p": Element("concepts/ssml", {}, INLINE | {"s"}, text=True),
    "phoneme": Element(
        "concepts/ssml",
        {"alphabet": Attribute(one_of("ipa", "x-sampa"), required=True), "ph": Attribute(anything, required=True)},
        text=True,
    ),
    "prosody": Element(
        "concepts/ssml",
        {
            "volume": Attribute(shaped(_LOUDNESS, "a loudness")),
            "rate": Attribute(shaped(_RATE, "a rate: a word, or 20% to 200%")),
            "pitch": Attribute(shaped(_PITCH, "a pitch")),
        },
        BLOCKS,
        text=True,
    ),
    "s": Element("concepts/ssml", {}, INLINE, text=True),
    "say-as": Element(
        "concepts/ssml",
        {
            "interpret-as": Attribute(one_of(*_SAID_AS), required=True),
            "format": Attribute(one_of("mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y", "yyyymmdd")),
        },
        text=True,
    ),
    "sub": Element("concepts/ssml", {"alias": Attribute(anything, required=True)}, text=True),
    "w": Element(
        "concepts/ssml",
        {"role": Attribute(one_of("amazon:VB", "amazon:VBD", "amazon:NN", "amazon:SENSE_1"), required=True)},
        INLINE - {"lang", "w"},
        text=True,
    ),
}

VOICE: Mapping[str, Element] = {
    "Speak": Element(
        "xml/speak, xml/audio-output",
        {"voice": Attribute(voice, "WOMAN"), "language": Attribute(language), "loop": LOOP},
        BLOCKS,
        text=True,
    ),
    "Play": Element("xml/play", {"loop": LOOP}, text=True),
    "Wait": Element(
        "xml/wait",
        {
            "length": Attribute(number(1), "1"),
            "silence": FALSE,
            "minSilence": Attribute(number(1), "2000"),
            "beep": FALSE,
        },
    ),
    "GetInput": Element(
        "xml/getinput",
        {
            "action": Attribute(callback, required=True),
            "method": POST,
            "inputType": Attribute(one_of("dtmf", "speech", "dtmf speech"), "dtmf"),
            "executionTimeout": Attribute(number(5, 60), "15"),
            "digitEndTimeout": Attribute(number(2, 10, words=("auto",)), "auto"),
            "speechEndTimeout": Attribute(number(2, 10, words=("auto",)), "auto"),
            "finishOnKey": Attribute(finish_key, "#"),
            "numDigits": Attribute(number(1, 32), "32"),
            "speechModel": Attribute(one_of("default", "command_and_search", "phone_call"), "default"),
            "hints": Attribute(anything),
            "language": Attribute(language, "en-US"),
            "interimSpeechResultsCallback": Attribute(callback),
            "interimSpeechResultsCallbackMethod": POST,
            "log": TRUE,
            "redirect": TRUE,
            "profanityFilter": FALSE,
        },
        PROMPTS,
    ),
    "GetDigits": Element(
        "xml/getdigits",
        {
            "action": Attribute(callback),
            "method": POST,
            "timeout": Attribute(number(1), "5"),
            "digitTimeout": Attribute(number(1), "2"),
            "finishOnKey": Attribute(finish_key, "#"),
            "numDigits": Attribute(number(1), "99"),
            "retries": Attribute(number(1), "1"),
            "redirect": TRUE,
            "playBeep": FALSE,
            "validDigits": Attribute(keys, "1234567890*#"),
            "invalidDigitsSound": Attribute(absolute),
            "log": TRUE,
        },
        PROMPTS | {"Wait"},
    ),
    "Dial": Element(
        "xml/dial",
        {
            "action": Attribute(callback),
            "method": POST,
            "hangupOnStar": FALSE,
            "timeLimit": Attribute(number(1), "14400"),
            "timeout": Attribute(number(1)),
            "callerId": Attribute(phone),
            "callerName": Attribute(shaped(r"(?s).{1,50}", "1 to 50 characters")),
            "confirmSound": Attribute(callback),
            "confirmKey": Attribute(key),
            "confirmTimeout": Attribute(number(1), "120"),
            "dialMusic": Attribute(or_word("real", callback)),
            "callbackUrl": Attribute(callback),
            "callbackMethod": POST,
            "redirect": TRUE,
            "digitsMatch": Attribute(shaped(r"[0-9*#]+(,[0-9*#]+)*", "keys, with commas between")),
            "digitsMatchBLeg": Attribute(shaped(r"[0-9*#]+(,[0-9*#]+)*", "keys, with commas between")),
            "sipHeaders": Attribute(shaped(r"[A-Za-z0-9-]+=[^,=]+(,[A-Za-z0-9-]+=[^,=]+)*", "NAME=VALUE, with commas")),
        },
        frozenset({"Number", "User"}),
    ),
    "Number": Element(
        "xml/dial",
        {"sendDigits": Attribute(shaped(r"[0-9*#wW@]+", "keys and waits")), "sendOnPreanswer": FALSE},
        text=True,
    ),
    "User": Element(
        "xml/dial",
        {
            "sendDigits": Attribute(shaped(r"[0-9*#wW@]+", "keys and waits")),
            "sendOnPreanswer": FALSE,
            "sipHeaders": Attribute(shaped(r"[A-Za-z0-9-]+=[^,=]+(,[A-Za-z0-9-]+=[^,=]+)*", "NAME=VALUE, with commas")),
        },
        text=True,
    ),
    "Conference": Element(
        "xml/conference",
        {
            "muted": FALSE,
            "enterSound": Attribute(sound_or_beep, ""),
            "exitSound": Attribute(sound_or_beep, ""),
            "startConferenceOnEnter": TRUE,
            "endConferenceOnExit": FALSE,
            "stayAlone": TRUE,
            "waitSound": Attribute(callback),
            "maxMembers": Attribute(number(1, 20), "20"),
            "timeLimit": Attribute(number(1, 86_400), "86400"),
            "hangupOnStar": FALSE,
            "record": FALSE,
            "recordFileFormat": Attribute(one_of("mp3", "wav"), "mp3"),
            "transcriptionType": Attribute(one_of("auto", "hybrid", "manual")),
            "transcriptionUrl": Attribute(callback),
            "transcriptionMethod": POST,
            "action": Attribute(callback),
            "method": POST,
            "redirect": TRUE,
            "callbackUrl": Attribute(callback),
            "callbackMethod": POST,
            "digitsMatch": Attribute(shaped(r"[0-9*#]+(,[0-9*#]+)*", "keys, with commas between")),
            "floorEvent": FALSE,
            "relayDTMF": TRUE,
        },
        text=True,
    ),
    "Redirect": Element("xml/redirect", {"method": POST}, text=True),
    "Hangup": Element(
        "xml/hangup", {"reason": Attribute(one_of("rejected", "busy")), "schedule": Attribute(number(1))}
    ),
}

RESPONSE = Element("xml/response", children=frozenset(VOICE) - {"Number", "User"})

ELSEWHERE = frozenset({"DTMF", "Message", "MultiPartyCall", "PreAnswer", "Record", "Stream"})
"""Elements that Plivo knows and that nothing here says yet: add their rules with the first document that needs them."""

BASIC_LANGUAGES: Mapping[str, frozenset[str]] = {
    "WOMAN": frozenset(
        {"da-DK", "nl-NL", "en-AU", "en-GB", "en-US", "fr-FR", "fr-CA", "de-DE", "it-IT", "pl-PL"}
        | {"pt-BR", "ru-RU", "es-ES", "es-US", "sv-SE"}
    ),
    "MAN": frozenset(
        {"nl-NL", "en-AU", "en-GB", "en-US", "fr-FR", "de-DE", "it-IT", "pl-PL", "pt-PT", "pt-BR", "es-ES", "es-US"}
    ),
}
"""What the two plain voices speak (xml/audio-output, "Supported languages"); any other ends the call (error 8011)."""
