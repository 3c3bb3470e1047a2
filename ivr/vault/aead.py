"""XChaCha20-Poly1305, straight from PyNaCl's libsodium: PyNaCl's own functions cost four times the cipher (a token took
5 us each way, now 1.5), twice in every turn. Never knows what it encrypts."""

from typing import Any

from nacl._sodium import ffi, lib  # what nacl.bindings itself calls; tests compare the two

KEY_SIZE: int = lib.crypto_aead_xchacha20poly1305_ietf_keybytes()
NONCE_SIZE: int = lib.crypto_aead_xchacha20poly1305_ietf_npubbytes()
TAG_SIZE: int = lib.crypto_aead_xchacha20poly1305_ietf_abytes()

_BYTES: Any = ffi.typeof("unsigned char[]")  # looked up once; cffi has no types


def encrypt(plaintext: bytes, associated: bytes, nonce: bytes, key: bytes) -> bytes:
    """Ciphertext and tag. Raises ValueError for a key or a nonce of another size: C would read past its end."""
    _check(nonce, key)
    sealed = ffi.new(_BYTES, len(plaintext) + TAG_SIZE)
    lib.crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed, ffi.NULL, plaintext, len(plaintext), associated, len(associated), ffi.NULL, nonce, key
    )
    return bytes(ffi.buffer(sealed))


def decrypt(sealed: bytes, associated: bytes, nonce: bytes, key: bytes) -> bytes | None:
    """The plaintext, or None where the tag does not fit. Raises ValueError for a key or a nonce of another size."""
    _check(nonce, key)
    size = len(sealed) - TAG_SIZE
    if size < 0:
        return None
    plaintext = ffi.new(_BYTES, size)
    refused = lib.crypto_aead_xchacha20poly1305_ietf_decrypt(
        plaintext, ffi.NULL, ffi.NULL, sealed, len(sealed), associated, len(associated), nonce, key
    )
    return None if refused else bytes(ffi.buffer(plaintext))


def _check(nonce: bytes, key: bytes) -> None:
    if len(nonce) != NONCE_SIZE or len(key) != KEY_SIZE:
        raise ValueError(f"a nonce has {NONCE_SIZE} bytes and a key {KEY_SIZE}")
