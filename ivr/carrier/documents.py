"""A document of Plivo voice XML, read as strictly as Plivo documents it: whatever Plivo does not know is refused, with
the reason. Never fetches, never speaks: it only reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import ParseError, fromstring

from ivr.carrier import grammar
from ivr.carrier.behaviours import VOICES, imitates
from ivr.carrier.grammar import BASIC_LANGUAGES, ELSEWHERE, RESPONSE, SSML, VOICE

MAX_BYTES = 100_000
"""Plivo, "XML request": the document is at most 100 KB."""

MAX_SPOKEN = 3000
"""Characters in one Speak, without its tags (Plivo, "Speak"; Amazon Polly counts the same way)."""

PAUSES = {"none": 0.0, "x-weak": 0.0, "weak": 0.2, "medium": 0.2, "strong": 0.6, "x-strong": 1.0}
"""Seconds of a `<break strength>`. Assumed: Polly says only "as after a comma, a sentence, a paragraph"."""


class Refused(Exception):
    """Plivo does not know what was said. The message is one sentence: what, where, why."""


@dataclass(frozen=True, slots=True)
class Speak:
    text: str
    """As it is heard: without tags, each run of white space one space, `<sub>` by its alias."""
    voice: str
    language: str | None
    """None: the Polly voice's own."""
    loop: int
    """Times it is said; 0 is for ever."""
    pause_seconds: float
    """The sum of its `<break>`s, of one time through."""


@dataclass(frozen=True, slots=True)
class Play:
    url: str
    loop: int


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: int


@dataclass(frozen=True, slots=True)
class GetInput:
    action: str
    input_type: str
    prompts: tuple[Speak | Play, ...]
    execution_timeout: int
    """Seconds, counted after the prompts."""
    digit_end_timeout: int | None
    """Seconds; None is `auto`."""
    num_digits: int
    finish_on_key: str
    """Empty when no key finishes."""
    redirect: bool
    log: bool


@dataclass(frozen=True, slots=True)
class GetDigits:
    action: str | None
    prompts: tuple[Speak | Play | Wait, ...]
    timeout: int
    """Seconds to the first digit."""
    digit_timeout: int
    """Seconds between two digits."""
    num_digits: int
    finish_on_key: str
    retries: int
    valid_digits: str
    redirect: bool
    log: bool


@dataclass(frozen=True, slots=True)
class Dial:
    numbers: tuple[str, ...]
    """Phone numbers and SIP addresses, rung at once, in the document's order."""
    action: str | None
    caller_id: str | None
    caller_name: str | None
    timeout: int | None
    time_limit: int
    confirm_sound: str | None
    confirm_key: str | None
    confirm_timeout: int
    dial_music: str | None
    callback_url: str | None
    hangup_on_star: bool
    redirect: bool


@dataclass(frozen=True, slots=True)
class Conference:
    name: str
    starts_on_enter: bool
    ends_on_exit: bool
    stay_alone: bool
    wait_sound: str | None
    max_members: int
    time_limit: int
    """Seconds."""
    hangup_on_star: bool
    relay_dtmf: bool
    """The others hear her keys."""
    muted: bool
    enter_sound: str
    """`beep:1`, `beep:2`, a URL, or empty."""
    exit_sound: str
    record: bool
    transcription: str | None
    """`auto`, `hybrid` or `manual`."""
    digits_match: str | None
    floor_event: bool
    action: str | None
    callback_url: str | None
    redirect: bool


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class Hangup:
    reason: str | None
    schedule: int | None
    """Seconds from now; None is at once."""


Element = Speak | Play | Wait | GetInput | GetDigits | Dial | Conference | Redirect | Hangup
Document = tuple[Element, ...]


def read(xml: bytes, content_type: str) -> Document:
    """The elements of a document, in order. Raises Refused for anything that Plivo does not document.

    Also refused, though Plivo might take them: `method="GET"` (our webhooks are signed POSTs) and elements that Plivo
    knows and nothing here imitates (`grammar.ELSEWHERE`).
    """
    if content_type.partition(";")[0].strip().lower() not in ("application/xml", "text/xml"):
        raise Refused(f"the content type is {content_type!r}, not application/xml or text/xml")
    if len(xml) > MAX_BYTES:
        raise Refused(f"the document has {len(xml)} bytes, more than {MAX_BYTES}")
    root = parsed(xml)
    if root.tag != "Response":
        raise Refused(f"the root is <{root.tag}>, not <Response>")
    _check_content(root, RESPONSE, "")
    _check_attributes(root, RESPONSE)
    return tuple(_element(node) for node in root)


def parsed(xml: bytes) -> Node:
    """Raises Refused for what is not XML, or has a document type."""
    try:
        text = xml.decode()
    except UnicodeDecodeError:
        raise Refused("the document is not UTF-8") from None
    # An entity could grow without end or read a file; Plivo documents no document type.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused("the document has a document type")
    try:
        return fromstring(xml)  # noqa: S314 -- no document type, so no entity, comes this far
    except (ParseError, LookupError, ValueError) as wrong:
        raise Refused(f"the document is not XML: {wrong}") from None


def _check_content(node: Node, rule: grammar.Element, where: str) -> None:
    for child in node:
        if child.tag in ELSEWHERE and node.tag == "Response":
            raise Refused(f"<{child.tag}> is known to Plivo but not imitated here")
        if child.tag not in rule.children:
            raise Refused(f"<{child.tag}> is not known in <{node.tag}>{where}")
    loose = [node.text, *(child.tail for child in node)]
    if not rule.text and any(text and text.strip() for text in loose):
        raise Refused(f"<{node.tag}> holds text")


def _check_attributes(node: Node, rule: grammar.Element) -> None:
    for name, value in node.attrib.items():
        if name not in rule.attributes:
            raise Refused(f"<{node.tag}> has no attribute {name}")
        wrong = rule.attributes[name].values(value)
        if wrong:
            raise Refused(f"<{node.tag} {name}> {wrong}: {value!r}")
        if name.lower().endswith("method") and value == "GET":
            raise Refused(f"<{node.tag} {name}> is GET: what is not a signed POST is not imitated here")
    for name, attribute in rule.attributes.items():
        if attribute.required and name not in node.attrib:
            raise Refused(f"<{node.tag}> lacks {name}")


class _Said:
    """The checked attributes of one element, with Plivo's defaults."""

    __slots__ = ("_rule", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self._rule = VOICE[node.tag]
        _check_content(node, self._rule, "")
        _check_attributes(node, self._rule)

    def word(self, name: str) -> str | None:
        return self.node.get(name, self._rule.attributes[name].default)

    def known(self, name: str) -> str:
        """Of an attribute that is required or has a default."""
        return self.word(name) or ""

    def whole(self, name: str) -> int:
        return int(self.known(name))

    def whole_or_none(self, name: str) -> int | None:
        value = self.word(name)
        return int(value) if value and value.isdigit() else None

    def flag(self, name: str) -> bool:
        return self.word(name) == "true"

    def finish_key(self) -> str:
        return self.known("finishOnKey").removeprefix("none")

    def text(self) -> str:
        return (self.node.text or "").strip()


def _element(node: Node) -> Element:
    match node.tag:
        case "Speak" | "Play" | "Wait":
            return _sound(node)
        case "GetInput":
            return _get_input(_Said(node))
        case "GetDigits":
            return _get_digits(_Said(node))
        case "Dial":
            return _dial(_Said(node))
        case "Conference":
            return _conference(_Said(node))
        case "Redirect":
            return Redirect(_url(_Said(node), grammar.callback))
        case "Hangup":
            said = _Said(node)
            return Hangup(said.word("reason"), said.whole_or_none("schedule"))
    raise Refused(f"<{node.tag}> is not known in <Response>")


def _sound(node: Node) -> Speak | Play | Wait:
    said = _Said(node)
    if node.tag == "Speak":
        return _speak(said)
    if node.tag == "Play":
        return Play(_url(said, grammar.absolute), said.whole("loop"))
    return Wait(said.whole("length"))


def _url(said: _Said, values: grammar.Values) -> str:
    wrong = values(said.text())
    if wrong:
        raise Refused(f"what <{said.node.tag}> names {wrong}: {said.text()!r}")
    return said.text()


@imitates(VOICES)
def _speak(said: _Said) -> Speak:
    voice = said.known("voice")
    language = said.word("language") or ("en-US" if voice in BASIC_LANGUAGES else None)
    if voice in BASIC_LANGUAGES and language not in BASIC_LANGUAGES[voice]:
        raise Refused(f"<Speak voice> {voice} does not speak {language}")
    if voice in BASIC_LANGUAGES and len(said.node):
        raise Refused(f"<Speak voice> {voice} does not know <{said.node[0].tag}>: SSML needs a Polly voice")
    for inner in said.node.iter():
        if inner is not said.node:
            _check_content(inner, SSML[inner.tag], " in <Speak>")
            _check_attributes(inner, SSML[inner.tag])
    text = " ".join("".join(_spoken(said.node)).split())
    if not text:
        raise Refused("<Speak> says nothing")
    if len(text) > MAX_SPOKEN:
        raise Refused(f"<Speak> has {len(text)} characters, more than {MAX_SPOKEN}")
    return Speak(text, voice, language, said.whole("loop"), sum(map(_pause, said.node.iter("break"))))


def _spoken(node: Node) -> Iterator[str]:
    yield node.get("alias") or node.text or ""
    for child in node:
        yield from _spoken(child)
        yield (" " if child.tag in ("break", "p", "s") else "") + (child.tail or "")


def _pause(node: Node) -> float:
    time = node.get("time")
    if time is None:
        return PAUSES[node.get("strength", "medium")]
    return float(time.removesuffix("ms")) / 1000 if time.endswith("ms") else float(time.removesuffix("s"))


def _get_input(said: _Said) -> GetInput:
    prompts = tuple(sound for sound in map(_sound, said.node) if not isinstance(sound, Wait))
    return GetInput(
        action=said.known("action"),
        input_type=said.known("inputType"),
        prompts=prompts,
        execution_timeout=said.whole("executionTimeout"),
        digit_end_timeout=said.whole_or_none("digitEndTimeout"),
        num_digits=said.whole("numDigits"),
        finish_on_key=said.finish_key(),
        redirect=said.flag("redirect"),
        log=said.flag("log"),
    )


def _get_digits(said: _Said) -> GetDigits:
    return GetDigits(
        action=said.word("action"),
        prompts=tuple(map(_sound, said.node)),
        timeout=said.whole("timeout"),
        digit_timeout=said.whole("digitTimeout"),
        num_digits=said.whole("numDigits"),
        finish_on_key=said.finish_key(),
        retries=said.whole("retries"),
        valid_digits=said.known("validDigits"),
        redirect=said.flag("redirect"),
        log=said.flag("log"),
    )


def _dial(said: _Said) -> Dial:
    if not len(said.node):
        raise Refused("<Dial> rings nobody: it needs a <Number> or a <User>")
    if said.word("confirmSound") is None and {"confirmKey", "confirmTimeout"} & set(said.node.attrib):
        raise Refused("<Dial> has a confirmKey or confirmTimeout without a confirmSound")
    return Dial(
        numbers=tuple(map(_rung, said.node)),
        action=said.word("action"),
        caller_id=said.word("callerId"),
        caller_name=said.word("callerName"),
        timeout=said.whole_or_none("timeout"),
        time_limit=said.whole("timeLimit"),
        confirm_sound=said.word("confirmSound"),
        confirm_key=said.word("confirmKey"),
        confirm_timeout=said.whole("confirmTimeout"),
        dial_music=said.word("dialMusic"),
        callback_url=said.word("callbackUrl"),
        hangup_on_star=said.flag("hangupOnStar"),
        redirect=said.flag("redirect"),
    )


def _rung(node: Node) -> str:
    said = _Said(node)
    wrong = (grammar.phone if node.tag == "Number" else grammar.sip_address)(said.text())
    if wrong:
        raise Refused(f"<{node.tag}> {wrong}: {said.text()!r}")
    return said.text()


def _conference(said: _Said) -> Conference:
    if not said.text():
        raise Refused("<Conference> has no name")
    return Conference(
        name=said.text(),
        starts_on_enter=said.flag("startConferenceOnEnter"),
        ends_on_exit=said.flag("endConferenceOnExit"),
        stay_alone=said.flag("stayAlone"),
        wait_sound=said.word("waitSound"),
        max_members=said.whole("maxMembers"),
        time_limit=said.whole("timeLimit"),
        hangup_on_star=said.flag("hangupOnStar"),
        relay_dtmf=said.flag("relayDTMF"),
        muted=said.flag("muted"),
        enter_sound=said.known("enterSound"),
        exit_sound=said.known("exitSound"),
        record=said.flag("record"),
        transcription=said.word("transcriptionType"),
        digits_match=said.word("digitsMatch"),
        floor_event=said.flag("floorEvent"),
        action=said.word("action"),
        callback_url=said.word("callbackUrl"),
        redirect=said.flag("redirect"),
    )
