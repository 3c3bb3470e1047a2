"""One text as Plivo's REST interface and its XML take it, read as strictly as they are documented. Sends nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from ivr.carrier.behaviours import imitates
from ivr.carrier.documents import MAX_BYTES, Refused, parsed
from ivr.carrier.phones import plain
from ivr.carrier.text_behaviours import TEXT_LENGTH, TEXT_REFUSED, TEXT_XML

KNOWN = frozenset({"src", "dst", "text", "log"})
"""Plivo knows more; nothing here imitates it."""
MOST_GSM, MOST_UCS2 = 1600, 737
MOST_DIGITS = 15

_NEEDED = ("src", "dst", "text")
_STRIPPED = str.maketrans("", "", "/-.+() \t")
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class Message:
    """A text that is to be sent. `is_logged`: its words stand in the carrier's logs."""

    to: str
    words: str
    is_logged: bool


class NotATextOfOurs(ValueError):
    """Plivo refuses to send this. The message says why, and never what."""


@imitates(TEXT_LENGTH, TEXT_REFUSED)
def message(told: Mapping[str, Any], number: str) -> Message:
    """What a request asks for; `number` is the account's. Raises NotATextOfOurs."""
    missing = [name for name in _NEEDED if not told.get(name)]
    if missing:
        raise NotATextOfOurs(f"{missing[0]} is missing")
    src, dst, words = (str(told[name]) for name in _NEEDED)
    if dialled(src) != plain(number):
        raise NotATextOfOurs("src is not a number of this account")
    to = dialled(dst)
    if to == plain(number):
        raise NotATextOfOurs("src and dst are the same")
    if not to.isdecimal() or not to.isascii() or not 7 <= len(to) <= MOST_DIGITS or to.startswith("0"):
        raise NotATextOfOurs("dst is not a valid phone number")
    if len(words) > (MOST_GSM if is_gsm(words) else MOST_UCS2):
        raise NotATextOfOurs("text is too long")
    log = told.get("log", "true")
    if log not in ("true", "false", True, False):
        raise NotATextOfOurs("log is neither true nor false")
    return Message(f"+{to}", words, log in ("true", True))


@imitates(TEXT_XML)
def messages(xml: bytes, content_type: str, number: str) -> tuple[Message, ...]:
    """Those of a document that answers a text. Raises Refused for what Plivo does not document there."""
    if content_type.partition(";")[0].strip().lower() not in ("application/xml", "text/xml"):
        raise Refused(f"the content type is {content_type!r}, not application/xml or text/xml")
    if len(xml) > MAX_BYTES:
        raise Refused(f"the document has {len(xml)} bytes, more than {MAX_BYTES}")
    root = parsed(xml)
    if root.tag != "Response" or root.attrib or (root.text or "").strip():
        raise Refused(f"the root is <{root.tag}>, not a bare <Response>")
    found = []
    for node in root:
        if node.tag != "Message" or len(node) or set(node.attrib) - {"src", "dst", "type"}:
            raise Refused(f"<{node.tag}> is not known in the answer to a text, or holds what is not")
        try:
            found.append(message({**node.attrib, "text": node.text}, number))
        except NotATextOfOurs as wrong:
            raise Refused(f"<Message>: {wrong}") from None
    return tuple(found)


def dialled(number: str) -> str:
    """A number without what Plivo strips from it."""
    return number.translate(_STRIPPED)


def is_gsm(words: str) -> bool:
    return set(words) <= _BASIC | _EXTENDED


def units(words: str) -> int:
    """How many parts it is sent in: 160 or 70 characters in one, 153 or 67 in each of several."""
    if is_gsm(words):
        length = len(words) + sum(sign in _EXTENDED for sign in words)
        return 1 if length <= 160 else ceil(length / 153)
    length = len(words.encode("utf-16-be", "replace")) // 2
    return 1 if length <= 70 else ceil(length / 67)
