"""A request to be called does not ask for one phone number, of everybody.

Why: Without a number nobody can call. With two, nobody knows which is hers; a number that is asked for only sometimes
is often missing.

Example:

    form: callback
    kind: request
    keep_for: 72 hours
    questions:
      hours: { one: { 1: morning, 2: evening } }

Cure: Ask exactly one question with `digits: phone`, and give it no `needs`.
"""

from collections.abc import Iterator, Mapping

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.model import QuestionLine
from ivr.flow.source import Word


def check(form: Word, questions: Mapping[Word, QuestionLine]) -> Iterator[Diagnostic]:
    """What is wrong with the number that a request asks for."""
    numbers = [name for name, line in questions.items() if line.digits is not None and line.digits.is_phone]
    if not numbers:
        message = f"The request `{form}` asks for no phone number: nobody could call."
        cure = "Add a question for it: `phone: { digits: phone }`."
        yield Diagnostic(form.place, "request-without-number", message, cure)
    for name in numbers[1:]:
        message = f"`{name}` asks for a second phone number, after `{numbers[0]}`."
        cure = "Keep one of the two: the number to call."
        yield Diagnostic(name.place, "request-without-number", message, cure)
    for name in numbers[:1]:
        needs = questions[name].needs
        if needs is not None:
            message = f"The number is asked for only when `{needs}` was answered."
            yield Diagnostic(needs.place, "request-without-number", message, "Leave out `needs`: everybody is asked.")
