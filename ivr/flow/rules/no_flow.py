"""There is no flow.

Why: Without flows/hotline.yaml the line has nothing to say.

Example:

    flows/hotlne.yaml

Cure: Put the flow into flows/hotline.yaml.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place, nearest


def found(file: str, *, others: Iterable[str]) -> Diagnostic:
    """`others`: files that nothing reads, one of which may be meant."""
    meant = misnamed(file, others)
    cure = f"Rename {meant} to {file}." if meant else "Write the flow into a file of this name."
    return Diagnostic(Place(file), "no-flow", f"There is no file {file}.", cure)


def misnamed(file: str, others: Iterable[str]) -> str | None:
    """The file that seems to be the flow under another name."""
    return nearest(file, [other for other in others if other.startswith("flows/") and other.endswith(("yaml", "yml"))])
