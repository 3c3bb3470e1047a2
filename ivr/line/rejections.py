"""How many requests that carry the carrier's signature were refused, and why: a line whose token or public URL is wrong
refuses every webhook, and its operator must see that. Knows counts and nothing that tells one request from another."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import structlog

from ivr.carrier.signature import MAIN_SIGNATURE, SIGNATURE

log = structlog.get_logger()

_SIGNATURES = frozenset(name.lower().encode() for name in (SIGNATURE, MAIN_SIGNATURE))


class Reason(StrEnum):
    """Why; the README says what to look at for each."""

    SIGNATURE = "signature"
    NOT_A_FORM = "not a form"
    SHAPE = "shape"
    ADDRESS = "address unknown"


class Rejections:
    """Counts until it tells. Whoever has no signature is not counted: strangers come all day."""

    def __init__(self) -> None:
        self._counts: Counter[Reason] = Counter()

    def count(self, reason: Reason, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if any(name in _SIGNATURES for name, _ in headers):
            self._counts[reason] += 1

    async def tell(self) -> None:
        """One line of the log for all of them, or none: anybody can send something that looks like a signature."""
        counts, self._counts = self._counts, Counter()
        if counts:
            log.warning("signed webhooks refused", refused={reason.value: counts[reason] for reason in sorted(counts)})
