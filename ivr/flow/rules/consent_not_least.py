"""The uses of a report do not begin with the least.

Why: Until she chooses, the first one holds. Anything but `count_only` there would take from her what she did not give.

Example:

    consent: [warn_others, count_only]

Cure: Write `[count_only, warn_others, pass_on]`, in this order; leave out from the end what you do not offer.
"""

from collections.abc import Sequence

from ivr.flow.diagnostics import Diagnostic, suggest
from ivr.flow.line import CONSENTS
from ivr.flow.source import Word


def check(consents: Sequence[Word]) -> Diagnostic | None:
    for position, consent in enumerate(consents):
        if consent not in CONSENTS:
            cure = suggest(consent, CONSENTS, otherwise="Known are `count_only`, `warn_others` and `pass_on`.")
            return Diagnostic(consent.place, "consent-not-least", f"There is no use called `{consent}`.", cure)
        if consent != CONSENTS[position]:
            message = f"Here `{CONSENTS[position]}` is due, and `{consent}` stands there."
            cure = "Begin with `count_only`, then `warn_others`, then `pass_on`."
            return Diagnostic(consent.place, "consent-not-least", message, cure)
    return None
