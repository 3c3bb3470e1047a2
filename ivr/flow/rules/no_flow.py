"""There is no flow.

Why: Without flows/hotline.yaml the line has nothing to say.

Example:

    flows/hotlne.yaml

Cure: Put the flow into flows/hotline.yaml.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(file: str) -> Diagnostic:
    return Diagnostic(Place(file), "no-flow", f"There is no file {file}.", "Write the flow into it, or give it this name.")
