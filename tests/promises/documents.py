"""What every document must be like, whoever it is for: one rule, one function, and a mutant for each."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

from tests.promises.house import HOTLINE

PATIENT = "#ct=1000&rt=3000&rc=3&rp=all"
INPUTS = ("GetInput", "GetDigits")
SPOKEN = ("Speak", "Play")
CONFIRM = "/voice/confirm"


def is_sound(address: str) -> bool:
    """Of a document Plivo only plays the sounds: what a rung phone hears first, or whoever is alone in a conference."""
    return address == CONFIRM or address.startswith("/voice/alone/")


HANDED_OVER = re.compile(r"https://[^/]+/(voice/again/|staff/line#)")
LONGEST_TALK, LONGEST_RING = 14_400, 60
"""Seconds: Plivo's default for the former."""

Rule = Callable[[str, Element], Iterator[str]]


def no_recording(_address: str, root: Element) -> Iterator[str]:
    for node in root.iter():
        names = [node.tag, *node.attrib]
        yield from (f"{name} records" for name in names if "record" in name.lower())


def dials_hide_the_caller(_address: str, root: Element) -> Iterator[str]:
    for dial in root.iter("Dial"):
        if dial.get("callerId", "").lstrip("+") != HOTLINE.lstrip("+"):
            yield f"callerId is {dial.get('callerId')}"
        if dial.get("callerName") != "Porchlight":
            yield f"callerName is {dial.get('callerName')}"


def dials_are_confirmed(_address: str, root: Element) -> Iterator[str]:
    for dial in root.iter("Dial"):
        if not dial.get("confirmSound") or dial.get("confirmKey") not in tuple("0123456789*#"):
            yield "a voicemail may take the call"
        if not 1 <= int(dial.get("confirmTimeout", "120")) <= 20:
            yield f"confirmTimeout is {dial.get('confirmTimeout')}"


def dials_tell_nothing_of_the_caller(_address: str, root: Element) -> Iterator[str]:
    """The only thing in a Dial that may differ from call to call is the token in its action."""
    for dial in root.iter("Dial"):
        known = {"action", "method", "hangupOnStar", "timeLimit", "timeout", "callerId", "callerName", "redirect"}
        known |= {"confirmSound", "confirmKey", "confirmTimeout"}
        yield from (f"a Dial says {name}" for name in sorted(set(dial.attrib) - known))
        sound = dial.get("confirmSound", "")
        if not re.fullmatch(r"https://line\.example\.org/voice/confirm#[a-z0-9=&]+", sound):
            yield f"what an advocate hears depends on the caller: {sound}"
        for number in dial:
            yield from (f"a Number says {name}" for name in number.attrib)


def digits_are_not_logged(_address: str, root: Element) -> Iterator[str]:
    for node in _inputs(root):
        if node.get("log") != "false":
            yield f"log is {node.get('log')}"


def no_key_finishes(_address: str, root: Element) -> Iterator[str]:
    for node in _inputs(root):
        if node.get("finishOnKey") != "none":
            yield f"finishOnKey is {node.get('finishOnKey')}"


def menus_take_one_key(_address: str, root: Element) -> Iterator[str]:
    """A menu offers keys and ends at once; where digits are typed, a pause ends them."""
    for node in _inputs(root):
        typed = "digitEndTimeout" in node.attrib
        if (node.get("numDigits") == "1") == typed or not node.get("numDigits"):
            yield f"numDigits is {node.get('numDigits')}"


def addresses_are_patient(_address: str, root: Element) -> Iterator[str]:
    for node in root.iter():
        said = [value for value in node.attrib.values() if value.startswith("http")]
        said += [node.text or ""] if node.tag == "Redirect" else []
        yield from (f"{url[-60:]} has no fragment" for url in said if not url.endswith(PATIENT) or url.count("#") != 1)


def nothing_ends_in_silence(address: str, root: Element) -> Iterator[str]:
    """After an input that nobody uses something follows at once, and a document ends in a redirect or a hang-up."""
    elements = list(root)
    for node, after in zip(elements, [*elements[1:], None], strict=False):
        follows = after.tag if after is not None else "nothing"
        allowed = ("Redirect", "Dial") if node.tag == "GetDigits" else ("Redirect",)
        if node.tag in (*INPUTS, "Dial", "Conference") and follows not in allowed:
            yield f"{node.tag} is followed by {follows}"
    if elements and not is_sound(address) and elements[-1].tag not in ("Redirect", "Hangup"):
        yield f"it ends with {elements[-1].tag}"


def sentences_can_be_interrupted(address: str, root: Element) -> Iterator[str]:
    """Whatever is said stands in an input, unless nothing is left to choose: the call ends after it, two meet, or it
    goes on in the other flow. (An advocate's phone has its own key.)"""
    elements = list(root)
    chooses = any(node.tag in (*INPUTS, "Dial") for node in elements)
    leaves = elements and (elements[-1].tag == "Hangup" or HANDED_OVER.match(elements[-1].text or ""))
    ends = (leaves or _meets(root)) and not chooses
    if is_sound(address):
        return
    if any(node.tag in SPOKEN for node in elements) and not ends:
        yield "a sentence cannot be interrupted"
    yield from (f"{node.tag} says nothing" for node in _inputs(root) if not len(node))


def nobody_listens_for_machines(_address: str, root: Element) -> Iterator[str]:
    """It drops people who answer slowly; no mailbox presses 1."""
    for node in root.iter():
        yield from (f"{node.tag} {name}" for name in node.attrib if "machine" in name.lower())


def conferences_are_of_two(_address: str, root: Element) -> Iterator[str]:
    for node in _meets(root):
        if node.get("maxMembers") not in ("1", "2"):
            yield f"maxMembers is {node.get('maxMembers')}"
        if node.get("stayAlone") != "true":  # with false Plivo may send out whoever enters first
            yield f"stayAlone is {node.get('stayAlone')}"
        if not re.fullmatch("/voice/alone/[a-z]{2}", urlsplit(node.get("waitSound", "")).path):
            yield f"whoever is alone hears {node.get('waitSound')}"


def conferences_pass_no_keys_on(_address: str, root: Element) -> Iterator[str]:
    """Plivo's default does: whoever listens would hear what is dialled there."""
    yield from (f"relayDTMF is {node.get('relayDTMF')}" for node in _meets(root) if node.get("relayDTMF") != "false")


def conferences_tell_nothing_of_the_caller(_address: str, root: Element) -> Iterator[str]:
    """A conference has neither caller id nor caller name: nobody is shown anything by it, and both have been connected
    before, one by calling and one by a request that says the hotline's. What it says is its name, which was drawn, and
    who comes into it is told to an address that is the same for every call."""
    known = {"action", "method", "startConferenceOnEnter", "endConferenceOnExit", "stayAlone", "maxMembers"}
    known |= {"relayDTMF", "hangupOnStar", "timeLimit", "redirect", "callbackUrl", "callbackMethod", "waitSound"}
    for node in _meets(root):
        yield from (f"a Conference says {name}" for name in sorted(set(node.attrib) - known))
        told = urlsplit(node.get("callbackUrl", "")).path
        if told not in (f"/voice/entered/{node.text}", f"/staff/entered/{node.text}"):
            yield f"it reports to {node.get('callbackUrl')}"
        if not re.fullmatch(r"[0-9a-f]{24}", node.text or ""):
            yield f"it is named {node.text}"


def talks_have_an_end(_address: str, root: Element) -> Iterator[str]:
    for node in root.iter():
        if node.tag in ("Dial", "Conference") and not 1 <= int(node.get("timeLimit", "0")) <= LONGEST_TALK:
            yield f"timeLimit is {node.get('timeLimit')}"
        if node.tag == "Dial" and not 1 <= int(node.get("timeout", "0")) <= LONGEST_RING:
            yield f"timeout is {node.get('timeout')}"


def _meets(root: Element) -> list[Element]:
    return list(root.iter("Conference"))


def _inputs(root: Element) -> Iterator[Element]:
    return (node for node in root.iter() if node.tag in INPUTS)


RULES: dict[str, Rule] = {
    "no recording": no_recording,
    "dials hide the caller": dials_hide_the_caller,
    "dials are confirmed": dials_are_confirmed,
    "dials tell nothing of the caller": dials_tell_nothing_of_the_caller,
    "digits are not logged": digits_are_not_logged,
    "no key finishes": no_key_finishes,
    "menus take one key": menus_take_one_key,
    "addresses are patient": addresses_are_patient,
    "nothing ends in silence": nothing_ends_in_silence,
    "sentences can be interrupted": sentences_can_be_interrupted,
    "nobody listens for machines": nobody_listens_for_machines,
    "conferences are of two": conferences_are_of_two,
    "conferences pass no keys on": conferences_pass_no_keys_on,
    "conferences tell nothing of the caller": conferences_tell_nothing_of_the_caller,
    "talks have an end": talks_have_an_end,
}

MUTANTS: dict[str, tuple[str, str, str]] = {
    "a Dial that records": ("no recording", "<Dial ", '<Dial record="true" '),
    "an element that records": ("no recording", "<Response>", "<Response><Record/>"),
    "an input that records": ("no recording", "<GetInput ", '<GetInput recordSession="true" '),
    "a Dial without callerId": ("dials hide the caller", r' callerId="[^"]*"', ""),
    "a Dial with another callerId": ("dials hide the caller", r' callerId="[^"]*"', ' callerId="12125550100"'),
    "a Dial without callerName": ("dials hide the caller", r' callerName="[^"]*"', ""),
    "a Dial without confirmKey": ("dials are confirmed", r' confirmKey="[^"]*"', ""),
    "a Dial without confirmSound": ("dials are confirmed", r' confirmSound="[^"]*"', ""),
    "a Dial with Plivo's confirmTimeout": ("dials are confirmed", r' confirmTimeout="[^"]*"', ""),
    "a Dial with SIP headers": ("dials tell nothing of the caller", "<Dial ", '<Dial sipHeaders="From=1" '),
    "a confirm sound of this call": (
        "dials tell nothing of the caller",
        r"/voice/confirm#",
        "/voice/confirm/12125550100#",
    ),
    "a Number that sends keys": ("dials tell nothing of the caller", "<Number>", '<Number sendDigits="2125">'),
    "an input that is logged": ("digits are not logged", 'log="false"', 'log="true"'),
    "an input with Plivo's log": ("digits are not logged", r' log="false"', ""),
    "a finish key": ("no key finishes", 'finishOnKey="none"', 'finishOnKey="#"'),
    "Plivo's finish key": ("no key finishes", ' finishOnKey="none"', ""),
    "a menu of two keys": ("menus take one key", 'numDigits="1"', 'numDigits="2"'),
    "a menu of Plivo's 32 keys": ("menus take one key", ' numDigits="1"', ""),
    "an address without a fragment": ("addresses are patient", r"#ct=1000&amp;rt=3000&amp;rc=3&amp;rp=all", ""),
    "an address with fewer retries": ("addresses are patient", r"rc=3&amp;", ""),
    "a wait without redirect": ("nothing ends in silence", r"<Redirect[^>]*>[^<]*</Redirect>", ""),
    "a goodbye without hang-up": ("nothing ends in silence", "<Hangup ?/>", ""),
    "a sentence before the input": ("sentences can be interrupted", "<GetInput ", "<Speak>Hello</Speak><GetInput "),
    "a Dial that listens for machines": ("nobody listens for machines", "<Dial ", '<Dial machineDetection="true" '),
    "a Dial without end": ("talks have an end", r' timeLimit="[^"]*"', ""),
    "a Dial that rings as long as Plivo likes": ("talks have an end", r' timeout="\d+"(?=[^>]*callerId)', ""),
    "an input without a word": ("sentences can be interrupted", r"<Speak.*?</Speak>(?=.*</GetInput>)", ""),
}
"""Name -> (the rule that must see it, what is exchanged in each document, for what)."""


STAFF_MUTANTS: dict[str, tuple[str, str, str]] = {
    "a conference that records": ("no recording", "<Conference ", '<Conference record="true" '),
    "a whisper that records": ("no recording", "<GetInput ", '<GetInput recordSession="true" '),
    "a conference of Plivo's two hundred": ("conferences are of two", r' maxMembers="2"', ""),
    "a conference of three": ("conferences are of two", 'maxMembers="2"', 'maxMembers="3"'),
    "a conference that may send out the first": ("conferences are of two", 'stayAlone="true"', 'stayAlone="false"'),
    "a conference in which nothing is heard alone": ("conferences are of two", r' waitSound="[^"]*"', ""),
    "a conference that passes keys on": ("conferences pass no keys on", 'relayDTMF="false"', 'relayDTMF="true"'),
    "a conference with Plivo's relayDTMF": ("conferences pass no keys on", ' relayDTMF="false"', ""),
    "a conference that reports": (
        "conferences tell nothing of the caller",
        r"/entered/[0-9a-f]{24}#",
        "/entered/12125550100#",
    ),
    "a conference with a name of the caller's": (
        "conferences tell nothing of the caller",
        "(<Conference [^>]*>)[^<]*",
        r"\g<1>12125550100",
    ),
    "a conference without end": ("talks have an end", r' timeLimit="[^"]*"', ""),
    "a conference that nothing follows": (
        "nothing ends in silence",
        "</Conference><Redirect.*</Redirect>",
        "</Conference>",
    ),
    "a whisper whose keys are logged": ("digits are not logged", 'log="false"', 'log="true"'),
    "a PIN with Plivo's log": ("digits are not logged", r' log="false"', ""),
    "a whisper with Plivo's finish key": ("no key finishes", ' finishOnKey="none"', ""),
    "a whisper of two keys": ("menus take one key", 'numDigits="1"', 'numDigits="2"'),
    "an address without a fragment": ("addresses are patient", r"#ct=1000&amp;rt=3000&amp;rc=3&amp;rp=all", ""),
    "a conference whose action is impatient": ("addresses are patient", r"(<Conference [^>]*)#ct=1000", r"\g<1>#"),
    "a whisper that is followed by nothing": ("nothing ends in silence", r"<Redirect[^>]*>[^<]*</Redirect>", ""),
    "a whisper that listens for machines": ("nobody listens for machines", "<GetInput ", '<GetInput machineTime="5" '),
}
"""The same, for what those hear who answer callers."""


def complaints(address: str, document: bytes) -> set[tuple[str, str]]:
    """(rule, what is wrong) for one document."""
    root = fromstring(document)
    return {(name, wrong) for name, rule in RULES.items() for wrong in rule(address, root)}
