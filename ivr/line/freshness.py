"""The age of what a webhook answers. A signed request can be captured and sent again for as long as its token opens;
where its document was handed out longer ago than `FRESH_FOR` it begins nothing. Until then the live row that makes it
count once still exists.

A stamp is the minute in which a token was sealed, inside its seal. Two deliveries of a webhook within one minute are
answered with the same bytes."""

from datetime import datetime, timedelta

from ivr.store.live import STAYS

FRESH_FOR = STAYS / 2
"""The other half of a row's life is for the sweep, for whole minutes and for clocks that differ between hosts."""

STAMP_SIZE = 2
_MINUTE = timedelta(minutes=1)
_WRAPS = 1 << 8 * STAMP_SIZE
"""Minutes: 45 days. The key of a token is destroyed after 12 hours, so no stamp is taken for a newer one."""
_SKEW = 1
"""Minutes by which the clock of the host that sealed a token may be ahead."""


def stamped(plaintext: bytes, now: datetime) -> bytes:
    """What is to be sealed, behind the minute in which it is."""
    return (int(now.timestamp()) // 60 % _WRAPS).to_bytes(STAMP_SIZE) + plaintext


def age_of(stamped: bytes, now: datetime) -> timedelta:
    """How long ago it was sealed, to the minute. Negative where the clock that stamped it is ahead."""
    minutes = (int(now.timestamp()) // 60 - int.from_bytes(stamped[:STAMP_SIZE]) + _SKEW) % _WRAPS - _SKEW
    return minutes * _MINUTE


def is_fresh(age: timedelta) -> bool:
    """May what is so old begin anything?"""
    return -_SKEW * _MINUTE <= age <= FRESH_FOR
