"""A trial ring: whether somebody's phone can be reached is tried before a caller needs her. What the phone company is
given of her is her number; the address to call afterwards names her sealed, as a call's addresses name the call."""

from datetime import datetime

from ivr.vault.keyring import KeyRing
from ivr.vault.tokens import TokenKey, kid_of

_BOUND_TO = "trial ring"
"""Stands where a call's id does: no call's token opens as a trial's, nor the other way."""


def seal(keys: KeyRing[TokenKey], person: bytes, now: datetime) -> str:
    """The token of a trial. Raises KeysUnavailable."""
    key = keys.current(now)
    return key.seal(person, call=key.bind(_BOUND_TO))


def opened(keys: KeyRing[TokenKey], token: str, now: datetime) -> bytes | None:
    """Whose trial it was; None for any other token. Raises KeysUnavailable."""
    kid = kid_of(token)
    key = keys.get(kid, now=now) if kid is not None else None
    return None if key is None else key.open(token, call=key.bind(_BOUND_TO))
