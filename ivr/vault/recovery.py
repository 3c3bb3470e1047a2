"""The recovery key: three printed shares, any two of which bring back everything a lead holds; one alone tells nothing.
Split by pairwise XOR: for each pair of shares one holds random bytes and the other what is missing of the seed."""

import binascii
from base64 import b32decode, b32encode
from dataclasses import dataclass, field

from nacl.utils import random

from ivr.kit.told import Told
from ivr.vault.derivation import derive, digest
from ivr.vault.organisation import Claim
from ivr.vault.wrapping import public_of

SEED_SIZE = 16
SHARES = 3
ID_SIZE = 16
_MARK_SIZE = 3
_LINES = 4
_LINE_SIZE = 9
"""Bytes of a share on each printed line; a tenth checks them. Ten bytes are sixteen letters."""
_GROUP = 4

_PARTNERS = {1: (2, 3), 2: (1, 3), 3: (1, 2)}
_MISREAD = str.maketrans("018", "OIB", " -\t")
"""What is not in the alphabet of base32 is a letter that looks like it."""


class ShareUnreadable(ValueError):
    """What was typed is not a share; the message says where."""


class SharesDiffer(Told):
    """The shares do not belong together; the message says why."""


@dataclass(frozen=True, slots=True)
class Share:
    """One of three. `mark`: 3 bytes that shares of one recovery key have in common. `parts`: 16 bytes for each of the
    two others, in their order."""

    number: int
    mark: bytes
    parts: tuple[bytes, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """What two shares give: `id` (16 bytes) names it in the database, things are wrapped to `public_key`."""

    id: bytes
    public_key: bytes
    private_key: bytes = field(repr=False)


def make() -> tuple[RecoveryKey, tuple[Share, ...]]:
    """A new recovery key and its three shares. The key itself is kept nowhere."""
    seed = random(SEED_SIZE)
    key = _key(seed)
    held: dict[int, dict[int, bytes]] = {number: {} for number in _PARTNERS}
    for one, other in ((1, 2), (1, 3), (2, 3)):
        held[one][other] = random(SEED_SIZE)
        held[other][one] = _xor(seed, held[one][other])
    shares = (Share(n, key.id[:_MARK_SIZE], (held[n][a], held[n][b])) for n, (a, b) in _PARTNERS.items())
    return key, tuple(shares)


def join(one: Share, other: Share) -> RecoveryKey:
    """The recovery key, from any two shares. Raises SharesDiffer."""
    if one.number == other.number:
        raise SharesDiffer(f"both are share {one.number}: two different shares are needed")
    if one.mark != other.mark:
        raise SharesDiffer("these shares were printed at different times: take two of the newest three")
    key = _key(_xor(_for(one, other.number), _for(other, one.number)))
    if key.id[:_MARK_SIZE] != one.mark:
        raise SharesDiffer("these shares do not fit together: one of them was altered")
    return key


def claim(key_id: bytes, public_key: bytes) -> Claim:
    """What the certificate of a recovery key is about."""
    return ("recovery", key_id, public_key)


def printed(share: Share) -> str:
    """Four lines of four groups of four letters, as they are printed and typed again."""
    payload = bytes([share.number]) + share.mark + b"".join(share.parts)
    lines = [payload[at : at + _LINE_SIZE] for at in range(0, len(payload), _LINE_SIZE)]
    letters = [b32encode(line + _check(line, at)).decode() for at, line in enumerate(lines)]
    return "\n".join(" ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP)) for text in letters)


def typed(text: str) -> Share:
    """A share as somebody typed it: case, spaces and line breaks do not matter. Raises ShareUnreadable."""
    letters = "".join(text.split()).upper().translate(_MISREAD)
    length = (_LINE_SIZE + 1) * 8 // 5
    if len(letters) != _LINES * length:
        raise ShareUnreadable(f"a share has {_LINES * length} letters, this has {len(letters)}")
    payload = b"".join(_line(letters[at * length : (at + 1) * length], at) for at in range(_LINES))
    number, mark, parts = payload[0], payload[1 : 1 + _MARK_SIZE], payload[1 + _MARK_SIZE :]
    if number not in _PARTNERS:
        raise ShareUnreadable("this is no share of a recovery key")
    return Share(number, mark, (parts[:SEED_SIZE], parts[SEED_SIZE:]))


def _line(letters: str, at: int) -> bytes:
    try:
        decoded = b32decode(letters)
    except (binascii.Error, ValueError):
        decoded = b""
    line, check = decoded[:_LINE_SIZE], decoded[_LINE_SIZE:]
    if not line or check != _check(line, at):
        raise ShareUnreadable(f"line {at + 1} of the share has a mistake in it: compare it letter by letter")
    return line


def _check(line: bytes, at: int) -> bytes:
    """One byte that a slip of the finger changes; the line's place is in it, so that lines cannot be exchanged."""
    return digest(bytes([at]) + line, purpose="share line", size=1)


def _key(seed: bytes) -> RecoveryKey:
    private = derive(seed, b"", purpose="recovery key")
    public = public_of(private)
    return RecoveryKey(digest(public, purpose="recovery id", size=ID_SIZE), public, private)


def _for(share: Share, partner: int) -> bytes:
    return share.parts[_PARTNERS[share.number].index(partner)]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
