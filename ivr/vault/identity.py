"""The line's own keys: it signs what it writes with one, and is given its receipt keys and its salt by the other.
At rest they are sealed under IVR_SECRET, certified by the organisation; none of them opens a report."""

from dataclasses import dataclass, field

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from ivr.vault.host import HostKey
from ivr.vault.organisation import Claim

_SIZE = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a line is, to others: 32 bytes that verify what it wrote (Ed25519), 32 that secrets for it are wrapped to."""

    signing_key: bytes
    sealing_key: bytes

    def claim(self, wrapped_salt: bytes) -> Claim:
        """What the certificate of a line's keys is about: the keys, and the site's salt as it was wrapped to them."""
        return ("line", self.signing_key, self.sealing_key, wrapped_salt)


@dataclass(frozen=True, slots=True)
class PrivateIdentity:
    """The private halves."""

    signing_key: bytes = field(repr=False)
    sealing_key: bytes = field(repr=False)


def make(host: HostKey) -> tuple[Identity, bytes]:
    """New keys, and their private halves sealed (104 bytes) under the host's key."""
    signing, sealing = SigningKey.generate(), PrivateKey.generate()
    identity = Identity(bytes(signing.verify_key), bytes(sealing.public_key))
    return identity, host.seal(bytes(signing) + bytes(sealing), purpose=_purpose(identity))


def open_private(sealed: bytes, identity: Identity, *, host: HostKey) -> PrivateIdentity:
    """The private halves. Raises WrongSecret, also when the public halves are not the ones they were made with."""
    private = host.open(sealed, purpose=_purpose(identity))
    return PrivateIdentity(private[:_SIZE], private[_SIZE:])


def _purpose(identity: Identity) -> bytes:
    return b"line identity" + identity.signing_key + identity.sealing_key
