"""A file cannot be read as YAML.

Why: A file that cannot be read to its end would lose every step after the mistake; so nothing of it is used.

Example:

    steps:
      welcome: { choose_language: greeting, next: safety
      safety: { say: safety, next: main }     # the } above is missing

Cure: Look at the line named and the one before it: a missing `}`, `]`, quote or colon, or an indent that differs from its neighbours.
"""

import yaml

from ivr.flow.diagnostics import Diagnostic, Place


def found(file: str, error: yaml.MarkedYAMLError, lines: list[str]) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    row = min(mark.line, max(len(lines) - 1, 0)) if mark else 0
    line = lines[row] if lines else ""
    place = Place(file, row + 1, min(mark.column if mark else 0, len(line)) + 1)
    message, cure = _explain(str(error.problem or ""), str(error.context or ""), line)
    return Diagnostic(place, "not-yaml", message, cure)


def _explain(problem: str, context: str, line: str) -> tuple[str, str]:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "This line begins with a tab.", "Indent with spaces only."
    if "mapping values are not allowed" in problem:
        return "There is a second colon in this line, or it is indented deeper than it should be.", (
            'Put a text that has a colon in quotes: `name: "so: quoted"`; else give the line the indent of the one above.'
        )
    if "flow" in context or "expected ',' or" in problem:
        return "A `{` or `[` is not closed, or a comma is missing.", "Close it with `}` or `]`, and put commas between."
    if "could not find expected ':'" in problem:
        return "This line, or the one before it, has no colon.", "Write `name: value`."
    if "quoted scalar" in context or "quoted scalar" in problem:
        return "A quote is opened and never closed.", "Close it with the same quote sign."
    if "block" in context or "expected <block end>" in problem:
        return "The indent of this line does not fit the lines around it.", (
            "Begin it exactly below the lines that it belongs with."
        )
    if "cannot start any token" in problem:
        return "A text cannot begin with this sign.", "Put the whole text in quotes."
    if "alias" in context or "anchor" in context:
        return "A text that begins with `*` or `&` must be in quotes.", "Put the whole text in quotes."
    return "This cannot be read as YAML.", "Compare the line with its neighbours: colon, quotes, brackets, indent."
