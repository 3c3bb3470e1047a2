"""The uses of a report do not begin with the least.

Why: Until she chooses, the first one holds. Anything but `count_only` there would take from her what she did not give.

Example:

    consent: [warn_others, count_only]

Cure: Write `[count_only, warn_others, pass_on]`, in this order; leave out from the end what you do not offer.
"""

from collections.abc import Sequence

from ivr.flow.diagnostics import Diagnostic, listed, shortened, suggest
from ivr.flow.line import CONSENTS
from ivr.flow.source import Word


def check(consents: Sequence[Word]) -> Diagnostic | None:
    for position, consent in enumerate(consents):
        if consent not in CONSENTS:
            cure = suggest(consent, CONSENTS, otherwise=f"Known are {listed(CONSENTS)}.")
            message = f"There is no use called `{shortened(consent)}`."
            return Diagnostic(consent.place, "consent-not-least", message, cure)
        if consent in consents[:position]:
            message = f"`{consent}` stands here a second time."
            return Diagnostic(consent.place, "consent-not-least", message, "Name each use once.")
        if consent != CONSENTS[position]:
            message = f"`{CONSENTS[position]}` should come here, and `{consent}` stands there."
            cure = "Begin with `count_only`, then `warn_others`, then `pass_on`."
            return Diagnostic(consent.place, "consent-not-least", message, cure)
    return None
