"""A receipt is good for something that only reports have, and there is no report.

Why: Adding asks the questions of a report again, and what it may be used for is chosen from its own list. Where no form
is a report, a caller would choose one of the two and be led nowhere.

Example:

    steps:
      come_back: { receipt: [status, add, consent], next: main }      # and every form is of kind: request

Cure: Write a form of `kind: report` and lead to it, or leave out `add` and `consent`. Status and deleting serve those
whose reports are still kept.
"""

from collections.abc import Iterable, Iterator

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.model import FormFile, ReportFile
from ivr.flow.source import Items, Node, Table, Word

OF_REPORTS = ("add", "consent")


def check(steps: Table, forms: Iterable[FormFile]) -> Iterator[Diagnostic]:
    """Told of every step with a receipt, where all forms could be read and none is a report."""
    if any(isinstance(form, ReportFile) for form in forms):
        return
    for name, node in steps.items():
        words = _of_reports(node.get(Word("receipt", name.place))) if isinstance(node, Table) else []
        if words:
            these, them = ("`add` and `consent` are", "them") if len(words) > 1 else (f"`{words[0]}` is", "it")
            message = f"{these} for reports, and no form here is one."
            cure = f"Write a form of `kind: report`, or leave {them} out here."
            yield Diagnostic(words[0].place, "receipt-without-report", message, cure)


def _of_reports(wanted: Node | None) -> list[Word]:
    words = wanted if isinstance(wanted, Items) else ()
    return [word for word in words if isinstance(word, Word) and word in OF_REPORTS]
