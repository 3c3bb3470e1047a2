"""A trial ring: whether an advocate's phone can be reached is tried before a caller needs them. What the phone company
is given of the advocate is their number; the address to call afterwards names them sealed, as a call's addresses name
the call."""

from datetime import datetime

from nacl.utils import random

from ivr.line.freshness import STAMP_SIZE, age_of, is_fresh, stamped
from ivr.vault.keyring import KeyRing
from ivr.vault.tokens import TokenKey, kid_of

_BOUND_TO = "trial ring"
"""Stands where a call's id does: no call's token opens as a trial's, nor the other way."""
_ONE_OF_MANY = 8
"""Random bytes by which two trials of one phone within a minute differ: each ends once."""


def seal(keys: KeyRing[TokenKey], person: bytes, now: datetime) -> str:
    """The token of a trial. Raises KeysUnavailable."""
    key = keys.current(now)
    return key.seal(stamped(random(_ONE_OF_MANY) + person, now), call=key.bind(_BOUND_TO))


def opened(keys: KeyRing[TokenKey], token: str, now: datetime) -> bytes | None:
    """Whose trial it was; None for any other token, and for one that is not fresh: a trial is over within minutes.
    Raises KeysUnavailable."""
    kid = kid_of(token)
    key = keys.get(kid, now=now) if kid is not None else None
    found = None if key is None else key.open(token, call=key.bind(_BOUND_TO))
    return found[STAMP_SIZE + _ONE_OF_MANY :] if found is not None and is_fresh(age_of(found, now)) else None
