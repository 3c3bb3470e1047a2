"""A step leads to a step that does not exist.

Why: A caller who presses that key would be sent nowhere.

Example:

    main:
      menu: { 1: report, 2: hepl }

Cure: Correct the name, or add a step of that name.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, suggest


def found(target: str, *, steps: Iterable[str], place: Place) -> Diagnostic:
    cure = suggest(target, steps, otherwise=f"Add a step `{target}:`, or name one that exists.")
    return Diagnostic(place, "unknown-step", f"There is no step `{target}`.", cure)
