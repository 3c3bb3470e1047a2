"""Phone numbers of people who work here, in E.164. Never a caller's: those go no further than the edge."""

import phonenumbers


class NotANumber(ValueError):
    """This cannot be dialled; the message says how a number is written. It holds what was written."""


def e164(written: str) -> str:
    """`+1 (212) 555-0143` as `+12125550143`. Raises NotANumber.

    A number is possible, by its country's lengths, or refused: which of the possible are in use changes faster than any
    table of them."""
    try:
        parsed = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise NotANumber(f"{written!r} is not a phone number with its country: write +12125550100")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
