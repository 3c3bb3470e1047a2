"""The age of what a webhook answers. A signed request can be captured and sent again for as long as its token opens;
where its document was handed out longer ago than `FRESH_FOR` it begins nothing. Until then the live row that makes it
count once still exists.

A stamp is the minute in which a token was sealed, inside its seal. Two deliveries of a webhook within one minute are
answered with the same bytes. Ages are whole minutes: every turn of every call pays for them."""

from datetime import datetime, timedelta

from ivr.store.live import STAYS

FRESH_FOR = STAYS / 2
"""The other half of a row's life is for the sweep, for whole minutes and for clocks that differ between hosts."""

STAMP_SIZE = 2
_MINUTE = timedelta(minutes=1)
_MOST = FRESH_FOR // _MINUTE
_LEAST = -1
"""The clock of the host that sealed a token may be a minute ahead."""
_WRAPS = 1 << 8 * STAMP_SIZE
"""Minutes: 45 days. The key of a token is destroyed after 12 hours, so no stamp is taken for a newer one."""


def stamped(plaintext: bytes, now: datetime) -> bytes:
    """What is to be sealed, behind the minute in which it is."""
    return (int(now.timestamp()) // 60 % _WRAPS).to_bytes(STAMP_SIZE) + plaintext


def age_of(stamped: bytes, now: datetime) -> int:
    """How many minutes ago it was sealed. Negative where the clock that stamped it is ahead."""
    return (int(now.timestamp()) // 60 - (stamped[0] << 8 | stamped[1]) - _LEAST) % _WRAPS + _LEAST


def age_since(moment: datetime, now: datetime) -> int:
    """How many minutes ago that was."""
    return (now - moment) // _MINUTE


def is_fresh(age: int) -> bool:
    """May what is so old begin anything?"""
    return _LEAST <= age <= _MOST
