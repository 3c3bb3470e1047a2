"""One key from another: keyed BLAKE2b with a stated purpose, so that no two uses of a key can ever meet.
Python's own BLAKE2b, not PyNaCl's: the same bytes at an eighth of the price, several times a turn."""

import hashlib

MAX_PURPOSE = 16
"""Bytes of BLAKE2b's personalisation field."""


def derive(key: bytes, message: bytes, *, purpose: str, size: int = 32) -> bytes:
    """`size` bytes (at most 64) that only a holder of `key` (16 to 64 bytes) can compute for this message and purpose.

    A message of several parts must be unambiguous by itself: parts of fixed length, the free one last.
    """
    return hashlib.blake2b(message, digest_size=size, key=key, person=purpose.encode()).digest()


def digest(message: bytes, *, purpose: str, size: int = 32) -> bytes:
    """`size` bytes that anyone can compute for this message and purpose."""
    return hashlib.blake2b(message, digest_size=size, person=purpose.encode()).digest()
