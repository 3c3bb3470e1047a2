"""The fields of a webhook: names and values, form-urlencoded. Strict, because a signed body has no delimiters: it must
not be read in two ways. Never knows what a field means."""

from collections.abc import Iterable
from itertools import product
from string import hexdigits
from urllib.parse import quote_plus

Fields = tuple[tuple[str, str], ...]
"""Decoded (name, value) pairs in the order they came, no name twice."""

MAX_FIELDS = 150

_OCTETS = {high + low: chr(int(high + low, 16)) for high, low in product(hexdigits, repeat=2)}


def parse_form(body: bytes) -> dict[str, str] | None:
    """The fields of an `application/x-www-form-urlencoded` body, in its order; None when it is malformed.

    Malformed: a name twice, empty or not UTF-8, a piece without `=`, a broken escape, bytes that are not ASCII before
    decoding, more than `MAX_FIELDS`. A value that is not UTF-8 is kept as it is: a network may write a caller's name in
    an older encoding, and she must not be turned away for it. An empty body has no fields. The caller limits the size.
    """
    if not body:
        return {}
    if not body.isascii() or body.count(b"&") >= MAX_FIELDS:
        return None
    pieces = body.decode("ascii").replace("+", " ").split("&")
    fields: dict[str, str] = {}
    try:
        for piece in pieces:
            name, equals, value = piece.partition("=")
            if not equals:
                return None
            if "%" in piece:
                value = _unescaped(value, "surrogateescape")
                name = _unescaped(name) if "%" in name else name
            fields[name] = value
    except (ValueError, KeyError):
        return None
    return fields if len(fields) == len(pieces) and "" not in fields else None


def _unescaped(text: str, errors: str = "strict") -> str:
    first, *rest = text.split("%")
    octets = first + "".join([_OCTETS[part[:2]] + part[2:] for part in rest])
    return octets if octets.isascii() else octets.encode("latin-1").decode("utf-8", errors)


def encode_form(fields: Iterable[tuple[str, str]]) -> bytes:
    """The body that `parse_form` reads back."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode("ascii")
