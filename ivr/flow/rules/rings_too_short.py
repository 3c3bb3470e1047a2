"""Phones ring for too short a time for anybody to reach one.

Why: Somebody who is asleep needs about twenty seconds to find her phone; and the last eleven of the promised time pass
until the caller hears that nobody came.

Example:

    ring: [ { on_call: 10s } ]

Cure: Let the rings together take thirty seconds or more.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.model import Transfer
from ivr.flow.subject import Subject

LEAST_SECONDS = 20


def check(subject: Subject) -> Iterator[Diagnostic]:
    for line in subject.lines.values():
        total = sum(rung.span.seconds for rung in line.ring) if isinstance(line, Transfer) else 0
        if isinstance(line, Transfer) and total < LEAST_SECONDS:
            message = f"Phones would ring for {total} s at most: nobody could reach one."
            cure = f"Let the rings together take {LEAST_SECONDS} s at least, better 30 s."
            yield Diagnostic(line.ring[0].span.place, "rings-too-short", message, cure)
