"""A form file, read, and what can be wrong with its questions and codes."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.diagnostics import ENOUGH, Diagnostic
from ivr.flow.line import REQUEST
from ivr.flow.model import FormFile, QuestionLine, ReportFile, RequestFile
from ivr.flow.reading import beginning, validate
from ivr.flow.rules import (
    bad_name,
    consent_not_least,
    doubled_code,
    form_without_code,
    kept_too_long,
    keys_with_gaps,
    request_like_report,
    request_without_number,
    too_big,
    unknown_file,
    unknown_question,
    wrong_type,
)
from ivr.flow.source import Node, Table, Word, at
from ivr.flow.values import MENU_KEYS

RESERVED = ("line", "language")
"""Names of steps and forms that would mix up their prompts with the line's own."""

MOST_QUESTIONS = 60
"""More than anybody answers on a phone."""

DAY = 86400

MOST_NIGHTS = 7
"""A number that somebody can be found by is kept no longer, whatever for."""

OF_REPORTS = ("save_after", "consent")
"""What a request has not."""

RESERVED_QUESTIONS = ("consent",)
"""A report has this answer already."""


@dataclass(frozen=True, slots=True)
class WrittenForm:
    """A form as it was written: what the file says, and its questions in order."""

    file: FormFile
    questions: Mapping[Word, QuestionLine]


def read_form(tree: Node, found: list[Diagnostic], *, path: str, name: str) -> WrittenForm | None:
    """A form in which everything fits, or None, and what is wrong in `found`."""
    before = len(found)
    file = _file(tree, found, path=path, name=name)
    table = tree.get(Word("questions", tree.place)) if isinstance(tree, Table) else None
    if isinstance(table, Table) and len(table) > MOST_QUESTIONS:
        found.append(too_big.questions(len(table), MOST_QUESTIONS, place=next(iter(table)).place))
        return None
    questions = dict(_read_questions(table, found)) if isinstance(table, Table) else {}
    if file is None:
        return None
    found.extend(_form(file, name, questions))
    found.extend(_questions(file, questions))
    return WrittenForm(file, questions) if len(found) == before else None


def _file(tree: Node, found: list[Diagnostic], *, path: str, name: str) -> FormFile | None:
    """What the file says beside its questions, as its kind has it."""
    place = beginning(tree, path)
    if not isinstance(tree, Table) or at(tree, ("kind",)) != REQUEST:
        return validate(ReportFile, tree, found, owner=f"The form `{name}`", place=place)
    found.extend(request_like_report.found(key, key.place) for key in tree if key in OF_REPORTS)
    own = Table({key: node for key, node in tree.items() if key not in OF_REPORTS})
    own.place = tree.place
    return validate(RequestFile, own, found, owner=f"The request `{name}`", place=place)


def _read_questions(table: Table, found: list[Diagnostic]) -> Iterator[tuple[Word, QuestionLine]]:
    for key, node in table.items():
        if len(found) > ENOUGH:
            return
        if isinstance(node, Table) and node and all(part in MENU_KEYS for part in node):
            found.append(form_without_code.only_keys(key, key.place))
            continue
        line = validate(QuestionLine, node, found, owner=f"The question `{key}`", place=key.place)
        if line is not None:
            yield key, line


def _form(file: FormFile, name: str, questions: Mapping[Word, QuestionLine]) -> Iterator[Diagnostic]:
    if file.form != name:
        yield unknown_file.named_otherwise(file.form, wanted=name, place=file.form.place)
    if name in RESERVED:
        yield bad_name.reserved(name, file.form.place)
    is_request = isinstance(file, RequestFile)
    if file.keep_for.seconds % DAY:
        whole = "A request is kept for whole nights." if is_request else "A report is kept for whole days."
        cure = "Write it in days, or as so many times 24 hours: `3 days`, `72 hours`."
        yield wrong_type.found(file.keep_for.place, whole, cure if is_request else "Write it in days: `90 days`.")
    elif is_request and file.keep_for.seconds > MOST_NIGHTS * DAY:
        yield kept_too_long.found(file.keep_for.seconds // DAY, most=MOST_NIGHTS, place=file.keep_for.place)
    if not file.questions:
        yield form_without_code.empty(name, file.questions.place)
    elif is_request:
        yield from request_without_number.check(file.form, questions)
    if isinstance(file, ReportFile):
        yield from _report(file, questions.values())


def _report(file: ReportFile, questions: Collection[QuestionLine]) -> Iterator[Diagnostic]:
    is_needed = any(line.needs == file.save_after for line in questions)
    if file.questions and file.save_after not in file.questions and not is_needed:
        yield unknown_question.found(file.save_after, questions=file.questions, place=file.save_after.place)
    wrong = consent_not_least.check(file.consent)
    if wrong:
        yield wrong


def _questions(file: FormFile, questions: Mapping[Word, QuestionLine]) -> Iterator[Diagnostic]:
    seen: list[str] = []
    for name in file.questions:
        if not bad_name.is_name(name):
            yield bad_name.found(name, name.place)
        if name in RESERVED_QUESTIONS:
            yield bad_name.reserved(name, name.place)
        if name in questions:
            yield from _question(name, questions[name], seen, file)
        seen.append(str(name))


def _question(name: Word, line: QuestionLine, seen: list[str], file: FormFile) -> Iterator[Diagnostic]:
    kinds = sum(kind is not None for kind in (line.one, line.several, line.digits))
    if kinds == 0:
        yield form_without_code.found(name, name.place)
    if kinds > 1:
        yield form_without_code.several(name, name.place)
    levels = [[key for key, _ in line.codes], *([key for key, _ in code.finer] for _, code in line.codes if code.finer)]
    yield from (gap for level in levels if (gap := keys_with_gaps.check(level)))
    codes = [code for _, line_code in line.codes for code in (line_code.name, *(finer for _, finer in line_code.finer))]
    counts = Counter(map(str, codes))
    yield from (
        doubled_code.found(code, question=name, place=code.place)
        for position, code in enumerate(codes)
        if counts[code] > 1 and code in codes[:position]
    )
    if line.needs is not None and line.needs not in seen:
        if line.needs == name:
            yield unknown_question.itself(name, line.needs.place)
        elif line.needs in file.questions:
            yield unknown_question.too_late(line.needs, line.needs.place)
        else:
            yield unknown_question.found(line.needs, questions=file.questions, place=line.needs.place)
