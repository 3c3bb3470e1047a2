"""A talk expects an answer that its question does not have.

Why: The talk can never come true, so it proves nothing about the line.

Example:

    then:
      report: { what: [takn], when: today }

Cure: Name a code of the question, as the form has it.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, listed, shortened, suggest


def found(code: str, *, question: str, codes: Iterable[str], place: Place) -> Diagnostic:
    known = list(codes)
    cure = suggest(code, known, otherwise=f"It has {listed(known)}.")
    return Diagnostic(place, "unknown-code", f"The question `{question}` has no code `{shortened(code)}`.", cure)
