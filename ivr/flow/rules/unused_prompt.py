"""A text is never said.

Why: An admin who changes it hears no difference; often its name is misspelt, and something else is missing.

Example:

    prompts:
      main.reprot: report what someone did

Cure: Correct its name, or remove it.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, suggest
from ivr.flow.subject import Subject


def check(subject: Subject) -> Iterator[Diagnostic]:
    for language in subject.flow.languages:
        places = subject.written[language].places
        for prompt, place in places.items():
            if prompt.startswith("line.") or prompt in subject.uses or prompt in subject.optional:
                continue
            missing = [used for used in subject.uses if used not in places]
            cure = suggest(prompt, missing, otherwise="Remove it, or correct its name.")
            yield Diagnostic(place, "unused-prompt", f"Nothing says the prompt `{prompt}`.", cure)
