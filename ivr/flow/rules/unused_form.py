"""No step asks this form.

Why: A form that nobody is asked collects nothing, and looks as if it did.

Example:

    flows/forms/callback.yaml    # and no step has `form: callback`

Cure: Add a step with `form: NAME`, or remove the file.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(form: str, place: Place) -> Diagnostic:
    cure = f"Add a step with `{{ form: {form}, next: STEP }}`, or remove the file."
    return Diagnostic(place, "unused-form", f"No step asks the form `{form}`.", cure)
