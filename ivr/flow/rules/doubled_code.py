"""A code stands twice in one question.

Why: Codes are what is stored: two answers with one name could not be told apart.

Example:

    when: { one: { 1: today, 2: today } }

Cure: Give each code of a question a name of its own.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(code: str, *, question: str, place: Place) -> Diagnostic:
    message = f"The code `{code}` stands twice in the question `{question}`."
    return Diagnostic(place, "doubled-code", message, "Rename one of the two.")
