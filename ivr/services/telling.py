"""What somebody may be told of a call before she takes it: what the caller keyed in this call, as names of prompts.
It lies sealed beside the transfer, under a key that dies within hours, until somebody has taken the call."""

from ivr.engine.call import Call
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.vault.keyring import KeyRing
from ivr.vault.tokens import TokenKey, kid_of

MOST = 5
"""More than that nobody remembers who has just been woken."""

FINISHED = "line.about_finished"
ASKED = "line.about_request"
_LONGEST = 480
"""Bytes; a seal takes 511."""


def told_in(call: Call, flow: Flow) -> tuple[str, ...]:
    """Codes only, never digits; of a report that is over no more than that there is one, and so of a request."""
    told: list[str] = []
    for draft in call.drafts:
        form = flow.forms[draft.form]
        if form.is_request:
            told += [ASKED] if draft.saved else []
            continue
        if draft.is_over:
            told += [FINISHED] if draft.saved else []
            continue
        for question, values in draft.answers:
            known = {code.name for code in form.question(question).codes}
            told += [f"{draft.form}.{question}.{value}" for value in values if value in known]
    return tuple(told[:MOST])


class Envelopes:
    """Seals what is told for one transfer, and opens it again."""

    def __init__(self, keys: KeyRing[TokenKey], clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def seal(self, transfer: bytes, told: tuple[str, ...]) -> str | None:
        """None where there is nothing to tell. Raises KeysUnavailable."""
        while told and len("\n".join(told)) > _LONGEST:
            told = told[:-1]
        if not told:
            return None
        key = self._keys.current(self._clock.now())
        return key.seal("\n".join(told).encode(), call=key.bind(_bound(transfer)))

    def open(self, transfer: bytes, sealed: str | None) -> tuple[str, ...]:
        """Nothing where it cannot be opened: a call is taken or passed all the same."""
        kid = kid_of(sealed) if sealed else None
        key = self._keys.get(kid, now=self._clock.now()) if kid is not None else None
        if sealed is None or key is None:
            return ()
        opened = key.open(sealed, call=key.bind(_bound(transfer)))
        return () if opened is None else tuple(opened.decode().split("\n"))


def _bound(transfer: bytes) -> str:
    """Stands where a call's id does: no call's token opens as this, nor the other way."""
    return f"told {transfer.hex()}"
