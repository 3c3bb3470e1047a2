"""A day, a moment or a part of the day is not written as it must be.

Why: `9-5` could be morning or evening; the line must not guess when people are there. A talk whose report is made after
the talk tests nothing that could happen.

Example:

    night: { branch: { time: 10pm-6am }, yes: sleeping, no: main }

Cure: Write it with four digits each: `22:00-06:00`. Write a day as `2027-03-13`.
"""

from datetime import date

from ivr.flow.diagnostics import Diagnostic, Place, shortened


def window(word: str, place: Place) -> Diagnostic:
    message = f"`{shortened(word)}` is not a part of the day."
    return Diagnostic(place, "bad-time", message, "Write it with four digits each: `22:00-06:00`.")


def no_time(word: str, place: Place) -> Diagnostic:
    message = f"`{word}` begins and ends at the same moment."
    return Diagnostic(place, "bad-time", message, "Write from when to when: `22:00-06:00`.")


def moment(word: str, place: Place) -> Diagnostic:
    message = f"`{shortened(word)}` is not a day and a time."
    return Diagnostic(place, "bad-time", message, "Write year, month, day and time: `2027-03-13 23:55`.")


def day(word: str, place: Place) -> Diagnostic:
    message = f"`{shortened(word)}` is not a day."
    return Diagnostic(place, "bad-time", message, "Write year, month and day: `2027-03-13`.")


def too_late(made: date, *, talk: date, place: Place) -> Diagnostic:
    message = f"A report that was made on {made} is not there yet on {talk}, the day of this talk."
    return Diagnostic(place, "bad-time", message, f"Write {talk} or a day before it, or leave out `made`.")
