"""A secret for one reader: sealed to a public key (libsodium's sealed box), opened with its private half.
Says nothing of who wrapped it: what was wrapped must be known by another sign, a certificate or what it opens."""

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

OVERHEAD = 48
"""Bytes that a wrapped secret is longer than the secret."""


def public_of(private_key: bytes) -> bytes:
    """The 32 public bytes (X25519) that secrets for the holder of this key are wrapped to."""
    return bytes(PrivateKey(private_key).public_key)


def wrap(secret: bytes, *, to: bytes) -> bytes:
    """The secret, for the holder of the private half of `to` (32 bytes, X25519) and for nobody else."""
    return SealedBox(PublicKey(to)).encrypt(secret)


def unwrap(wrapped: bytes, *, by: bytes) -> bytes | None:
    """What was wrapped to the public half of `by` (32 private bytes); None for anything else."""
    try:
        return SealedBox(PrivateKey(by)).decrypt(wrapped)
    except (CryptoError, ValueError):
        return None
