"""One phone rings, until somebody or something answers it, or nobody does. Never knows who rings it, or why."""

from datetime import timedelta

from ivr.carrier.behaviours import imitates
from ivr.carrier.exchange_behaviours import DECLINED, RING_TIMEOUT
from ivr.carrier.party import Gone, Party, PickedUp
from ivr.carrier.phones import Answers, Fails, NeverAnswers, Phones
from ivr.carrier.states import Over

_FOR_EVER = 86_400.0


@imitates(RING_TIMEOUT, DECLINED)
async def ring(party: Party, phones: Phones, *, seconds: float | None) -> Answers:
    """Who answered. Raises Gone where nobody did in `seconds` (None: whoever rings it gives up), and when the
    phone says so. By hand it can be picked up, or declined, whatever it would do."""
    phone = phones.ring(party.leg.to)
    longest = _FOR_EVER if seconds is None else seconds
    if isinstance(phone, Fails) and not phone.rings:
        # The network says no: nothing was heard where the phone is.
        party.rang_from = None
    rings = longest if isinstance(phone, NeverAnswers) else min(phone.after, longest)
    end_at = party.now() + timedelta(seconds=rings)
    while (left := (end_at - party.now()).total_seconds()) > 0:
        if isinstance(await party.wait(left), PickedUp):
            return phone if isinstance(phone, Answers) else Answers()
    if isinstance(phone, Answers) and phone.after < longest:
        return phone
    if isinstance(phone, Fails) and phone.after < longest:
        raise Gone(Over("callee" if phone.rings else "carrier", phone.cause), phone.ending)
    raise Gone(Over("carrier", "NO_ANSWER"), "no-answer")
