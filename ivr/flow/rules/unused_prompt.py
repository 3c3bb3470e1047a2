"""A text is never said.

Why: An admin who changes it hears no difference; often its name is misspelt, and something else is missing.

Example:

    prompts:
      main.reprot: report what someone did

Cure: Correct its name, or remove it.
"""

from collections.abc import Iterator, Mapping

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.subject import Texts


def check(texts: Texts) -> Iterator[Diagnostic]:
    missing, misspelt = texts.missing, texts.misspelt
    groups: dict[tuple[str, str], dict[str, Place]] = {}
    for language, written in texts.written.items():
        for prompt, place in texts.unused[language].items():
            meant = misspelt[language].get(prompt)
            if meant is None:
                groups.setdefault((written.file, _family(prompt)), {})[prompt] = place
            elif meant not in texts.uses or len(missing[meant]) < len(texts.written):
                message = f"Nothing says the prompt `{prompt}`, and `{meant}` is missing."
                yield Diagnostic(place, "unused-prompt", message, f"Did you mean `{meant}`?")
            # else no language has it: then it is misspelt where it is used, and that is told there
    yield from map(_group, groups.values())


def _family(prompt: str) -> str:
    """A step with its options, a question with its codes."""
    return ".".join(prompt.split(".")[:2])


def _group(prompts: Mapping[str, Place]) -> Diagnostic:
    name, place = next(iter(prompts.items()))
    if len(prompts) == 1:
        return Diagnostic(
            place, "unused-prompt", f"Nothing says the prompt `{name}`.", "Remove it, or correct its name."
        )
    last = max(prompts.values())
    message = f"Nothing says the prompt `{name}`, nor {len(prompts) - 1} more down to line {last.line}."
    return Diagnostic(place, "unused-prompt", message, "Remove them, or correct the part of the name that they share.")
