"""How many messages a text takes on its way, after 3GPP TS 23.038: what is in the GSM alphabet costs 7 bits a
character, and one character outside of it makes the whole text UCS-2. Knows no prompt and no language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The GSM 7 bit default alphabet, without its escape."""

EXTENSION = frozenset("\f^{}\\[~]|€")
"""Reached by the escape: two places each."""

GSM = BASIC | EXTENSION

LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""Places in a message that stands alone, and in each part of a longer one (a header of six bytes tells which)."""

MOST = {"GSM-7": 1600, "UCS-2": 737}
"""Places in all that may be sent at once. (Plivo, "Send a message")"""

_ASTRAL = "\uffff"


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs. `characters`: places, so that an escaped or an astral character counts two. `because`: the
    characters that make it UCS-2, each once, in the order of the text."""

    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    messages: int
    because: str = ""


def segments(text: str) -> Segments:
    """What it takes to send `text`; nothing takes no message."""
    because = "".join(sign for sign in dict.fromkeys(text) if sign not in GSM)
    encoding: Literal["GSM-7", "UCS-2"] = "UCS-2" if because else "GSM-7"
    alone, in_part = LIMITS[encoding]
    wide = frozenset(sign for sign in set(text) if (sign > _ASTRAL if because else sign in EXTENSION))
    characters = len(text) + sum(map(text.count, wide))
    if characters <= alone:
        return Segments(encoding, characters, 1 if text else 0, because)
    return Segments(encoding, characters, _parts([2 if sign in wide else 1 for sign in text], in_part), because)


def fits(text: str) -> bool:
    """May it be sent at once?"""
    whole = segments(text)
    return whole.characters <= MOST[whole.encoding]


def is_gsm(text: str) -> bool:
    """Does every character of it stand in the GSM alphabet?"""
    return GSM.issuperset(text)


def _parts(places: Iterable[int], in_part: int) -> int:
    """No character is cut in two: what does not fit any more begins the next part."""
    parts = room = 0
    for width in places:
        if width > room:
            parts, room = parts + 1, in_part
        room -= width
    return parts
