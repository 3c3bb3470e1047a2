"""A text conversation between two texts: where it lies and what opens it follow from the number that texts, which
nobody keeps. So it can only be found and opened when she texts again, and no longer than its hour's key lives.
Never knows what a conversation is: bytes in, bytes out."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from nacl.utils import random

from ivr.vault.aead import KEY_SIZE, NONCE_SIZE, decrypt, encrypt
from ivr.vault.derivation import derive
from ivr.vault.keyring import KeyRing
from ivr.vault.padding import pad, unpad

ROLLS = timedelta(hours=1)
LIVES = timedelta(hours=2)

ID_SIZE = 16
MARK_SIZE = 16
SECRET_SIZE = 16

PADDED_SIZE = 3968
"""Bytes of every conversation before sealing: how far it is, and what was said, shows in no row. With its names and
moments a row then fills one page of SQLite's, and each text writes that page only."""
MAX_PLAINTEXT = PADDED_SIZE - 1
SEALED_SIZE = PADDED_SIZE + NONCE_SIZE + 16


class ConversationTooLong(ValueError):
    """It does not fit into the one length that every conversation has."""


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """What the number that texts gives under one hour's K_text: the row's `id`, and the key that opens it."""

    id: bytes
    _key: bytes = field(repr=False)

    @classmethod
    def of(cls, k_text: bytes, number: str) -> "ConversationKey":
        """`number` as the phone company writes it, of any length."""
        named = number.encode()
        return cls(
            derive(k_text, named, purpose="conversation id", size=ID_SIZE),
            derive(k_text, named, purpose="conversation key", size=KEY_SIZE),
        )

    def seal(self, plaintext: bytes) -> bytes:
        """Always of one length (XChaCha20-Poly1305, a random nonce). Raises ConversationTooLong."""
        if len(plaintext) > MAX_PLAINTEXT:
            raise ConversationTooLong(f"a conversation of {len(plaintext)} bytes: at most {MAX_PLAINTEXT}")
        nonce = random(NONCE_SIZE)
        return nonce + encrypt(pad(plaintext, size=PADDED_SIZE), self.id, nonce, self._key)

    def open(self, sealed: bytes) -> bytes | None:
        """What was sealed under this key, or None for anything else whatever."""
        if len(sealed) != SEALED_SIZE:
            return None
        padded = decrypt(sealed[NONCE_SIZE:], self.id, sealed[:NONCE_SIZE], self._key)
        return None if padded is None else unpad(padded)


def text_keys(directory: Path) -> KeyRing[bytes]:
    """K_text: a new one every hour and one predecessor."""
    return KeyRing(directory, "text", rolls=ROLLS, lives=LIVES, make=lambda _kid, secret: secret)


def mark(secret: bytes, message_id: str) -> bytes:
    """By what a conversation knows again a text that it has answered. `secret` is the conversation's own."""
    return derive(secret, message_id.encode(), purpose="answered text", size=MARK_SIZE)
