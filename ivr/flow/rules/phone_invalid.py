"""A phone number that cannot be called.

Why: A caller who was promised a shelter would hear that nothing answers.

Example:

    connect: 555-0123

Cure: Write it with its country: `+1 212 555 0123`.
"""

from ivr.flow.diagnostics import Diagnostic, Place, shortened


def found(number: str, place: Place) -> Diagnostic:
    message = f"`{shortened(number)}` is not a phone number with its country."
    return Diagnostic(place, "phone-invalid", message, "Write it like `+1 212 555 0123`.")
