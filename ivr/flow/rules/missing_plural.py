"""A text with {n} has only one form.

Why: “1 warnings” makes a caller wonder whether she heard right.

Example:

    alerts_some: There are {n} warnings.

Cure: Write both: `{ one: There is one warning., many: There are {n} warnings. }`.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.subject import Texts


def check(texts: Texts) -> Iterator[Diagnostic]:
    for _, name, prompt in (*texts.all(), *texts.reworded()):
        if "n" in prompt.gaps and not prompt.has_plural:
            cure = 'Write two texts: `{ one: "...", many: "... {n} ..." }`.'
            yield Diagnostic(prompt.place, "missing-plural", f"`{name}` has {{n}} but only one form.", cure)
