"""Phones ring for longer than a caller should have to wait.

Why: On other lines callers held for an hour. After two minutes she must hear that nobody came, and what she can do.

Example:

    ring: [ { on_call: 5 min }, { backup: 5 min } ]

Cure: Let the rings together take two minutes at most.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.model import Transfer
from ivr.flow.subject import Subject

MOST_SECONDS = 120


def check(subject: Subject) -> Iterator[Diagnostic]:
    for line in subject.lines.values():
        total = sum(rung.span.seconds for rung in line.ring) if isinstance(line, Transfer) else 0
        if isinstance(line, Transfer) and total > MOST_SECONDS:
            message = f"Phones would ring for {total} s before the caller hears anything else."
            cure = f"Let the rings together take {MOST_SECONDS} s at most."
            yield Diagnostic(line.ring[0].span.place, "rings-too-long", message, cure)
