"""A text is never said.

Why: An admin who changes it hears no difference; often its name is misspelt, and something else is missing.

Example:

    prompts:
      main.reprot: report what someone did

Cure: Correct its name, or remove it.
"""

from collections.abc import Iterator, Mapping

from ivr.flow.catalogues import Written
from ivr.flow.diagnostics import Diagnostic, Place, listed, shortened
from ivr.flow.line import ONLY_BY_PHONE
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
    for language, written in texts.written.items():
        yield from _of_nothing(written, texts.strange[language])
        yield from _never_written(written, texts)


def _of_nothing(written: Written, strange: Mapping[str, str | None]) -> Iterator[Diagnostic]:
    """Wordings under `text:` whose names nothing has."""
    rest = [name for name, meant in strange.items() if meant is None]
    for name, meant in strange.items():
        if meant is not None:
            message = f"`text` has `{shortened(name)}`, and no prompt is called that."
            cure = f"Did you mean `{meant.removeprefix('line.')}`?"
            yield Diagnostic(written.text_places[name], "unused-prompt", message, cure)
    if rest:
        message = f"`text` has {listed(rest, most=4)}, and no prompt is called that."
        cure = "Write here only names that stand under `line:` or `prompts:`."
        yield Diagnostic(written.text_places[rest[0]], "unused-prompt", message, cure)


def _never_written(written: Written, texts: Texts) -> Iterator[Diagnostic]:
    """Wordings under `text:` of what no text says."""
    for prompt, place in written.text_places.items():
        reason = ONLY_BY_PHONE.get(prompt.removeprefix("line.")) if prompt.startswith("line.") else None
        is_said = prompt in texts.uses or prompt in texts.optional
        if is_said and texts.complete and prompt not in texts.of_callers:
            reason = "those who answer callers hear it by phone"
        if reason is not None:
            message = f"No text says `{prompt.removeprefix('line.')}`: {reason}."
            yield Diagnostic(place, "unused-prompt", message, "Remove it here.")


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
