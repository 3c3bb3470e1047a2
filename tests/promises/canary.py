"""Canaries: identifiers planted in every webhook, and a search for them, in any of many encodings, in every byte that
the line kept or sent."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import quote
from uuid import UUID

WINDOW = 6
"""Bytes. No needle is shorter, so that random bytes are never mistaken for one."""

HASHED = 8
"""Bytes of a hash that are searched for: also found where somebody kept only a part of it."""

Kind = Literal["number", "id", "text"]


@dataclass(frozen=True, slots=True)
class Canary:
    """One planted value, and where it was planted."""

    field: str
    value: str
    kind: Kind

    def forms(self) -> dict[str, str]:
        """The ways in which a person or a program may write it."""
        if self.kind == "number":
            return _number_forms("".join(filter(str.isdigit, self.value)))
        if self.kind == "id" and _is_uuid(self.value):
            return {"plain": self.value, "without hyphens": self.value.replace("-", "")}
        return {"plain": self.value}


def _number_forms(digits: str) -> dict[str, str]:
    ten, seven = digits[-10:], digits[-7:]
    return {
        "plain": digits,
        "with plus": f"+{digits}",
        "spaced": " ".join(digits),
        "last ten": ten,
        "last ten, spaced": " ".join(ten),
        "national": f"({ten[:3]}) {ten[3:6]}-{ten[6:]}",
        "with hyphens": f"{ten[:3]}-{ten[3:6]}-{ten[6:]}",
        "with dots": f"{ten[:3]}.{ten[3:6]}.{ten[6:]}",
        "in groups": f"{ten[:3]} {ten[3:6]} {ten[6:]}",
        "spoken": ", ".join(" ".join(group) for group in (ten[:3], ten[3:6], ten[6:])),
        "last seven": seven,
        "last seven, spoken": ", ".join(" ".join(group) for group in (seven[:3], seven[3:])),
    }


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


# ---- encodings of a text: each gives the whole of what somebody would have written ----

Encode = Callable[[str], bytes]

ENCODINGS: dict[str, Encode] = {
    "as it is": lambda text: text.encode(),
    "upper case": lambda text: text.upper().encode(),
    "lower case": lambda text: text.lower().encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "hex, upper case": lambda text: text.encode().hex().upper().encode(),
    "UTF-16, little end first": lambda text: text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
    "reversed": lambda text: text[::-1].encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "URL, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON": lambda text: json.dumps(text)[1:-1].encode(),
    "XML": lambda text: escape(text).encode(),
    "base32": lambda text: base64.b32encode(text.encode()).rstrip(b"="),
}

BASE64: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
}

HASHES: dict[str, Callable[[bytes], bytes]] = {
    "MD5": lambda value: hashlib.md5(value).digest(),
    "SHA-1": lambda value: hashlib.sha1(value).digest(),
    "SHA-256": lambda value: hashlib.sha256(value).digest(),
    "SHA-512": lambda value: hashlib.sha512(value).digest(),
    "SHA3-256": lambda value: hashlib.sha3_256(value).digest(),
    "BLAKE2b": lambda value: hashlib.blake2b(value).digest(),
    "BLAKE2b of 32": lambda value: hashlib.blake2b(value, digest_size=32).digest(),
    "BLAKE2b of 16": lambda value: hashlib.blake2b(value, digest_size=16).digest(),
    "BLAKE2s": lambda value: hashlib.blake2s(value).digest(),
}

KEYED: dict[str, Callable[[bytes, bytes], bytes]] = {
    "HMAC-MD5": lambda key, value: hmac.digest(key, value, "md5"),
    "HMAC-SHA-1": lambda key, value: hmac.digest(key, value, "sha1"),
    "HMAC-SHA-256": lambda key, value: hmac.digest(key, value, "sha256"),
    "keyed BLAKE2b": lambda key, value: hashlib.blake2b(value, key=key[:64]).digest(),
    "keyed BLAKE2b of 32": lambda key, value: hashlib.blake2b(value, key=key[:64], digest_size=32).digest(),
    "keyed BLAKE2b of 16": lambda key, value: hashlib.blake2b(value, key=key[:64], digest_size=16).digest(),
    "salted SHA-256": lambda key, value: hashlib.sha256(key + value).digest(),
}

AS_WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda digest: digest,
    "hex": lambda digest: digest.hex().encode(),
    "hex, upper case": lambda digest: digest.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
}


@dataclass(frozen=True, slots=True)
class Needle:
    """What is searched for (`core`), and the whole of what would have been written."""

    canary: Canary
    encoding: str
    core: bytes
    whole: bytes


def needles(canary: Canary, keys: Mapping[str, bytes]) -> Iterator[Needle]:
    """Every encoding of one canary; `keys` by where they were found."""
    for form, text in canary.forms().items():
        for name, encode in ENCODINGS.items():
            whole = encode(text)
            yield Needle(canary, f"{form}, {name}", whole, whole)
        for name, to_base64 in BASE64.items():
            for offset in range(3):
                whole = to_base64(b"\0" * offset + text.encode())
                core = _stable(whole, offset, len(text.encode()))
                yield Needle(canary, f"{form}, {name} at {offset}", core, whole)
        if form in HASHED_FORMS:
            yield from _hashed(canary, form, text.encode(), keys)
    yield from _binary(canary)


HASHED_FORMS = ("plain", "with plus", "last ten", "without hyphens")


def _stable(whole: bytes, offset: int, length: int) -> bytes:
    """The letters of a base64 text that its neighbours cannot change."""
    return whole[-(-offset * 8 // 6) : (offset + length) * 8 // 6]


def _hashed(canary: Canary, form: str, value: bytes, keys: Mapping[str, bytes]) -> Iterator[Needle]:
    digests = {name: make(value) for name, make in HASHES.items()}
    for where, key in keys.items():
        digests |= {f"{name} with {where}": make(key, value) for name, make in KEYED.items()}
    for name, digest in digests.items():
        for written, write in AS_WRITTEN.items():
            whole = write(digest)
            core = write(digest[:HASHED])[: HASHED if written == "raw" else 10]
            yield Needle(canary, f"{form}, {name}, {written}", core, whole)


def _binary(canary: Canary) -> Iterator[Needle]:
    if canary.kind == "number":
        digits = "".join(filter(str.isdigit, canary.value))
        for form, number in (("all", digits), ("last ten", digits[-10:])):
            whole = int(number).to_bytes(8)
            yield Needle(canary, f"{form}, integer, big end first", whole[2:], whole)
            yield Needle(canary, f"{form}, integer, little end first", whole[::-1][:6], whole[::-1])
        for form, packed in (("padded", digits + "f" * (len(digits) % 2)), ("zero first", digits.zfill(12))):
            bcd = bytes.fromhex(packed)
            if len(bcd) < WINDOW:
                continue
            swapped = bytes(byte >> 4 | (byte & 15) << 4 for byte in bcd)
            yield Needle(canary, f"BCD, {form}", bcd, bcd)
            yield Needle(canary, f"BCD, {form}, nibbles swapped", swapped, swapped)
    if canary.kind == "id" and _is_uuid(canary.value):
        raw = UUID(canary.value).bytes
        yield Needle(canary, "sixteen bytes", raw, raw)
        for name, to_base64 in BASE64.items():
            yield Needle(canary, f"sixteen bytes, {name}", to_base64(raw)[:20], to_base64(raw))


# ---- the search ----


class Scanner:
    """Looks for many needles at once: a window of six bytes tells where a closer look is due."""

    def __init__(self, wanted: Iterable[Needle]) -> None:
        self._by_window: dict[bytes, list[Needle]] = {}
        self.count = 0
        for needle in wanted:
            if len(needle.core) < WINDOW:
                raise ValueError(f"{needle.encoding} of {needle.canary.field} is too short to be searched for")
            self._by_window.setdefault(needle.core[:WINDOW], []).append(needle)
            self.count += 1
        self._windows = frozenset(self._by_window)

    def hits(self, haystack: bytes) -> list[Needle]:
        """Every needle that is in there."""
        found: dict[int, Needle] = {}
        for start in range(0, len(haystack), 1 << 18):
            block = haystack[start : start + (1 << 18) + WINDOW - 1]
            near = [at for at in range(len(block) - WINDOW + 1) if block[at : at + WINDOW] in self._windows]
            for at in near:
                for needle in self._by_window[block[at : at + WINDOW]]:
                    if haystack.startswith(needle.core, start + at):
                        found[id(needle)] = needle
        return list(found.values())


# ---- what is planted ----

AREAS = ("212555", "917555", "646555", "347555")
FORWARDED = ("718555", "315555", "516555", "585555")
NAMES = ("ROSA QUIÑONES-VELEZ", "Marisol Etxeberria", "WIRELESS CALLER 77", "Zoë O'Hara & Töchter")


def number(block: str, n: int) -> str:
    """A number that nobody has, and that is not a row of zeros or of one digit in any encoding."""
    return f"1{block}{(4837 + 1291 * n) % 10000:04}"


def uuid(word: str) -> str:
    return str(UUID(bytes=hashlib.sha256(word.encode()).digest()[:16], version=4))


def identity(n: int) -> dict[str, str]:
    """Everything about one call that Plivo may tell. Calls differ in their ids; numbers and names come round again."""
    who = n % 4
    caller, forwarded = number(AREAS[who], who), number(FORWARDED[who], who)
    shown = (caller, f"+{caller}", f"sip:+{caller}@198.51.100.{77 + who}", caller, "anonymous", "", "Restricted")
    return {
        "CallUUID": uuid(f"call {n}"),
        "From": shown[n % len(shown)],
        "To": number("929555", who),
        "ForwardedFrom": forwarded,
        "CallerName": NAMES[who],
        "RequestUUID": uuid(f"request {who}"),
        "ALegUUID": uuid(f"a leg {who}"),
        "ALegRequestUUID": uuid(f"a leg request {who}"),
        "ParentCallUUID": uuid(f"parent {who}"),
        "ParentAuthID": (
            "MAROSAXQZ7PLIVO00001",
            "MAMARISOLQZ7PLIVO002",
            "SAWIRELESSQZ7PLIV003",
            "MAZOEQZ7PLIVOXX00004",
        )[who],
        "SessionStart": f"2027-03-0{who + 3} 11:3{who}:33.23870{who}",
        "SIP-H-From": f'"Rosa {who}" <sip:rosa.handset.{who}@203.0.113.{who + 50}>;tag=hx{who}77q',
        "SIP-H-P-Asserted-Identity": f"<tel:+{number('332555', who)}>",
        "SIP-H-X-Device": f"imei-35693803564{who}809",
        "SIP-H-Via": f"SIP/2.0/UDP 192.0.2.{who + 31}:50{who}67;branch=z9hG4bKroza{who}",
        "STIRVerification": f"Verified-{who}-Attest",
        "StirPassport": f"eyJhbGciOiJFUzI1NiJ9.cm9zYQ{who}.c2lnbmF0dXJl{who}",
    }


WITHHELD = frozenset({"", "anonymous", "Restricted"})
"""What stands for a number that is withheld: words, not identifiers."""


def canaries(count: int) -> list[Canary]:
    """Every canary of the identities 0 to count - 1, once."""
    found: dict[tuple[str, str], Canary] = {}
    for n in range(count):
        for name, value in identity(n).items():
            if value not in WITHHELD:
                found.setdefault((name, value), Canary(name, value, _kind(name, value)))
    return list(found.values())


def _kind(name: str, value: str) -> Kind:
    if value.lstrip("+").isdigit():
        return "number"
    if name == "SIP-H-P-Asserted-Identity":
        return "number"
    return "id" if name.endswith("ID") else "text"
