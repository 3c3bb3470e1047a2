"""What the line's host may keep at rest: small values sealed, or known again, under a key derived from IVR_SECRET.
Whoever has the secret and the database can write reports in the line's name, and still not read one."""

from dataclasses import dataclass, field

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from ivr.vault.derivation import derive, digest

TAG_SIZE = 16


class WrongSecret(Exception):
    """A value was not sealed under this secret, or not for this purpose."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """The host's own key. What it sealed opens for the same purpose only: no value stands in for another."""

    _key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "HostKey":
        """From IVR_SECRET, of any length: it must be random (32 bytes of it), because it is not stretched."""
        return cls(digest(secret, purpose="host key"))

    def seal(self, value: bytes, *, purpose: bytes) -> bytes:
        """40 bytes longer than the value (XChaCha20-Poly1305, random nonce)."""
        return bytes(Aead(self._key).encrypt(value, purpose))

    def open(self, sealed: bytes, *, purpose: bytes) -> bytes:
        """What was sealed for this purpose. Raises WrongSecret."""
        try:
            return Aead(self._key).decrypt(sealed, purpose)
        except (CryptoError, ValueError) as error:
            raise WrongSecret(
                "these keys were made under another IVR_SECRET: start the line with the secret it was set up with"
            ) from error

    def tag(self, value: bytes, *, purpose: str) -> bytes:
        """16 bytes by which this host knows a value again that it does not keep, for this purpose (at most 16 bytes of
        it) only. Without the secret they tell nothing of it; with the secret, a short value is found by trying."""
        return derive(derive(self._key, b"", purpose="host tag key"), value, purpose=purpose, size=TAG_SIZE)
