"""A part of the day is not written as HH:MM-HH:MM.

Why: `9-5` could be morning or evening; the line must not guess when people are there.

Example:

    night: { branch: { time: 10pm-6am }, yes: sleeping, no: main }

Cure: Write it with four digits each: `22:00-06:00`.
"""


