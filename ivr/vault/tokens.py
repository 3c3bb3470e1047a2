"""A call between two turns: its value sealed into a URL-safe token that is worthless in any other call.
Sealing is deterministic, so a repeated turn gives the same bytes. Never knows what a call is: bytes in, bytes out."""

import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ivr.vault.aead import NONCE_SIZE, decrypt, encrypt
from ivr.vault.derivation import derive
from ivr.vault.keyring import KeyRing
from ivr.vault.padding import pad, unpad

ROLLS = timedelta(hours=6)
LIVES = timedelta(hours=12)

SIZES = (256, 512)
"""The only two lengths of a padded plaintext, in bytes."""
MAX_PLAINTEXT = SIZES[-1] - 1

KID_SIZE = 4
HEAD_SIZE = KID_SIZE + NONCE_SIZE
MAX_TOKEN = 1024
"""Characters. The longest token is 742 of them; anything longer is not ours."""

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


class TokenTooLong(ValueError):
    """The call does not fit into a token: its path holds more than 511 bytes of answers."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One period's K_token, as the subkeys for cipher, nonce and binding. Each way costs about 5 microseconds.

    A token is base64url(kid (4 bytes), nonce (24), ciphertext and tag) without padding: 400 or 742 characters.
    """

    kid: int
    _cipher: bytes = field(repr=False)
    _nonce: hashlib.blake2b = field(repr=False)
    _binding: hashlib.blake2b = field(repr=False)

    @classmethod
    def of(cls, kid: int, secret: bytes) -> "TokenKey":
        """The subkeys of a period's 32 secret bytes; each has one use."""
        return cls(
            kid=kid,
            _cipher=derive(secret, b"", purpose="token cipher"),
            _nonce=hashlib.blake2b(
                key=derive(secret, b"", purpose="token nonce"), digest_size=NONCE_SIZE, person=b"nonce"
            ),
            _binding=hashlib.blake2b(
                key=derive(secret, b"", purpose="token binding"), digest_size=32, person=b"binding"
            ),
        )

    def bind(self, call_uuid: str) -> bytes:
        """The keyed hash of a call's id, 32 bytes: what `seal` and `open` take, so that the id goes no further."""
        binding = self._binding.copy()
        binding.update(call_uuid.encode())
        return binding.digest()

    def seal(self, plaintext: bytes, *, call: bytes) -> str:
        """The token of a call at most 511 bytes long; `call` is what `bind` gave. Raises TokenTooLong."""
        padded = _padded(plaintext)
        nonce = self._nonce.copy()
        nonce.update(call)  # of fixed length, so that nothing can slide between it and the plaintext
        nonce.update(padded)
        drawn = nonce.digest()
        sealed = encrypt(padded, call, drawn, self._cipher)
        return _to_text(self.kid.to_bytes(KID_SIZE) + drawn + sealed)

    def open(self, token: str, *, call: bytes) -> bytes | None:
        """What was sealed for this call, or None for anything else whatever."""
        sealed = _from_text(token)
        if sealed is None or int.from_bytes(sealed[:KID_SIZE]) != self.kid:
            return None
        padded = decrypt(sealed[HEAD_SIZE:], call, sealed[KID_SIZE:HEAD_SIZE], self._cipher)
        try:
            return unpad(padded) if padded is not None else None
        except ValueError:
            return None


def token_keys(directory: Path) -> KeyRing[TokenKey]:
    """K_token: a new one every 6 h, gone after 12 h. A call keeps the key it began with and ends within 4 h."""
    return KeyRing(directory, "token", rolls=ROLLS, lives=LIVES, make=TokenKey.of)


def kid_of(token: str) -> int | None:
    """Which period's key a token names, or None if it cannot be one of ours. Proves nothing about the rest of it."""
    head = _decoded(token[:8])
    if head is None or len(head) < KID_SIZE or len(token) > MAX_TOKEN:
        return None
    return int.from_bytes(head[:KID_SIZE])


def _padded(plaintext: bytes) -> bytes:
    for size in SIZES:
        if len(plaintext) < size:
            return pad(plaintext, size=size)
    raise TokenTooLong(f"a call of {len(plaintext)} bytes does not fit into a token: at most {MAX_PLAINTEXT}")


def _to_text(sealed: bytes) -> str:
    return binascii.b2a_base64(sealed, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def _from_text(token: str) -> bytes | None:
    """The bytes of exactly this text: base64 that only decodes alike (spare bits, other alphabet) is refused."""
    if len(token) > MAX_TOKEN:
        return None
    sealed = _decoded(token)
    if sealed is None or len(sealed) < HEAD_SIZE or _to_text(sealed) != token:
        return None
    return sealed


def _decoded(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except ValueError:
        return None
