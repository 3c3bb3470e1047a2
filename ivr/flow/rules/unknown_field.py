"""A line has a name that nothing reads.

Why: What nothing reads does nothing: a misspelt `next` would end a call.

Example:

    safety: { say: safety, nxt: main }

Cure: Correct the name, or remove the line.
"""

from collections.abc import Iterable, Sequence

from ivr.flow.diagnostics import Diagnostic, Place, listed, shortened, suggest


def found(field: str, *, known: Iterable[str], owner: str, place: Place) -> Diagnostic:
    """A name that `owner` ("The step `main`") does not have."""
    names = list(known)
    cure = suggest(field, names, otherwise=f"Known here: {listed(names)}. Correct the name, or remove the line.")
    return Diagnostic(place, "unknown-field", f"{owner} has no `{shortened(field)}`.", cure)


def several(fields: Sequence[str], *, known: Iterable[str], owner: str, place: Place, header: str | None) -> Diagnostic:
    """Names that resemble nothing. `header`: a line that is missing elsewhere, under which they may belong."""
    if header is not None:
        cure = f"Is the line `{header}:` missing above?"
    else:
        cure = f"Known here: {listed(known)}. Correct the name, or remove the line."
    return Diagnostic(place, "unknown-field", f"{owner} has no {listed(fields, most=4)}.", cure)


def no_sentence(names: Sequence[str], *, place: Place) -> Diagnostic:
    """Names under `line:` that are none of the line's own sentences."""
    cure = "Is the line `prompts:` missing above? `line:` holds only the line's own sentences."
    return Diagnostic(place, "unknown-field", f"`line` has no {listed(names, most=4)}.", cure)


def in_prompts(name: str, *, place: Place) -> Diagnostic:
    """One of the line's own sentences, or what looks like one, among the admin's prompts."""
    message = f"`{shortened(name)}` stands under `prompts:`, and the line's own sentences do not."
    cure = f"Write it under `line:` as `{shortened(name).removeprefix('line.')}`."
    return Diagnostic(place, "unknown-field", message, cure)


def no_line_key(key: str, meant: str | None, *, place: Place) -> Diagnostic:
    """A key that is none of the line's, under `keys:`."""
    cure = f'Did you mean `"{meant}"`?' if meant else "Remove it: the line's own keys are all there."
    return Diagnostic(place, "unknown-field", f"`keys` has no `{shortened(key)}`.", cure)
