"""What the line says upon an answer of the world, before it goes on, where she texts. The engine says it; here it
stands for reckoning how long a text may become."""

from ivr.flow.line import CONSENTS
from ivr.flow.phrases import Label, Name, Phrase, phrase
from ivr.flow.wants import Want, WantConsent, WantNumber, WantOpen, WantPerson, WantStatus, WantWithdraw

Said = tuple[Phrase, ...]

NUMBER = Name("+123456789012345")
"""The longest that a phone can have (E.164)."""

BY_PHONE: Said = (phrase("line.person_by_phone", number=NUMBER),)
"""Somebody is on duty: she is told the number, and is asked again where she was."""

_NOTHING: tuple[Said, ...] = ((),)
_NO_REPORT: tuple[Said, ...] = ((phrase("line.receipt_wrong"),), (phrase("line.receipt_not_now"),))
_STATES = ("new", "confirmed")


def told_upon(want: Want, *, yes: bool) -> tuple[Said, ...]:
    """Each thing that may be said on the way to where the step leads with yes, or with no."""
    match want:
        case WantStatus() if yes:
            return _statuses()
        case WantOpen() if not yes:
            return (*_NO_REPORT, (phrase("line.receipt_crowded"),))
        case WantStatus() if not yes:
            return _NO_REPORT
        case WantConsent() | WantWithdraw() if not yes:
            return (*_NO_REPORT, (phrase("line.receipt_unsure"),))
        case WantPerson() if not yes:
            return (*_NOTHING, (phrase("line.nobody_by_phone", number=NUMBER),))
        case WantNumber() if yes:
            return ((want.told, phrase("line.call_number", number=Name(want.number))),)
        case _:
            return _NOTHING


def _statuses() -> tuple[Said, ...]:
    stands = [
        (phrase(f"line.status.{state}"), phrase("line.status_consent", consent=Label(f"line.consent.{consent}")))
        for state in _STATES
        for consent in CONSENTS
    ]
    return (*stands, (phrase("line.status.taken_back"),))
