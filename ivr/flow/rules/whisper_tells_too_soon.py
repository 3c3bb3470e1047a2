"""Whoever answers an advocate's phone hears too early what the call is about.

Why: It may be her voicemail, a call screener, her partner or her child. The first words must be neutral: what it is
about is told after she has pressed a key.

Example:

    whisper: The hotline has a caller for you.

Cure: Begin with `offer`, and let its first words and its options say no more than that somebody is calling.
"""

import re
from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.model import Offer
from ivr.flow.subject import Subject

TELLING = (
    *(
        "hotline",
        "helpline",
        "line",
        "anonymous",
        "caller",
        "report",
        "victim",
        "survivor",
        "assault",
        "violence",
        "abuse",
    ),
    *("rape", "sex", "worker", "client", "danger", "advocate", "on call", "shift", "police", "crisis"),
    *("línea", "anónim", "reporte", "denuncia", "víctima", "agresión", "violencia", "abuso", "violación", "sexual"),
    *("trabajador", "cliente", "peligro", "promotor", "guardia", "turno", "policía", "crisis", "auxilio"),
)
"""Beginnings of words that say what kind of call it is."""

_TELLING = re.compile(rf"\b({'|'.join(TELLING)})", re.IGNORECASE)
_LABELS = ("taken", "passed", "more")


def check(subject: Subject) -> Iterator[Diagnostic]:
    first = subject.flow.offered
    line = subject.lines.get(first) if first else None
    if not isinstance(line, Offer):
        for name in subject.file.steps:
            if name == first:
                message = f"Whoever answers a phone that rang comes to `{first}`, which is no `offer`."
                yield Diagnostic(name.place, "whisper-tells-too-soon", message, "Begin there with `offer: call`.")
        return
    for language, catalogue in subject.flow.catalogues.items():
        for prompt in (str(first), *(f"{first}.{label}" for label in _LABELS)):
            text = catalogue.prompts.get(prompt)
            match = text and _TELLING.search(text.many.text)
            if text and match:
                message = (
                    f"`{prompt}` is heard by whoever answers, and `{match[1]}` tells in `{language}` what it is about."
                )
                cure = "Say only that somebody is calling: `A call for you.`"
                yield Diagnostic(text.place, "whisper-tells-too-soon", message, cure)
