"""What a talk begins with and what must be true after it: reports, requests to be called, transfers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import PlainValidator

from ivr.flow.diagnostics import NOWHERE, Diagnostic, Place, shortened
from ivr.flow.graph import Flow, Form
from ivr.flow.line import CONSENTS, RECEIPT_DIGITS
from ivr.flow.model import Strict
from ivr.flow.rules import bad_time, unknown_code, unknown_form, unknown_question
from ivr.flow.source import Items, Node, Table, Word
from ivr.flow.values import kind_of, refuse, refused

_TRANSFER = re.compile(r"nobody\Z|taken by [a-z][a-z0-9_]*\Z")
_RECEIPT = re.compile(rf"(?:\d ?){{{RECEIPT_DIGITS}}}\Z")
_STATES = {"new": "new", "confirmed": "confirmed", "deleted": "taken_back"}
_OF_THE_REPORT = frozenset({"receipt", "form", "consent", "state", "made"})

Kept = dict[str, tuple[str, ...]]
"""Question -> the codes or digits that a report must hold."""


@dataclass(frozen=True, slots=True)
class Made:
    """The day of an earlier call, in the flow's zone."""

    day: date
    place: Place


@dataclass(frozen=True, slots=True)
class Given:
    """A report of an earlier call, and the receipt (twelve digits) that leads to it. `made` None: on the day of the
    talk."""

    receipt: str
    form: str
    consent: str
    state: Literal["new", "confirmed", "taken_back"]
    answers: Kept
    place: Place
    made: Made | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true after the call. None: not said; where only one of reports, requests and additions is, there is
    none of the others. An empty tuple: none is kept. `before`: what the given report may be used for; DELETED."""

    reports: tuple[Kept, ...] | None = None
    requests: tuple[Kept, ...] | None = None
    added: tuple[Kept, ...] | None = None
    before: str | None = None
    transfers: tuple[str, ...] | None = None
    places: Mapping[str, Place] = field(default_factory=dict)

    def place(self, name: str) -> Place:
        """Where `report`, `request`, `added`, `before` or `transfers` stands; else where any of them does."""
        return self.places.get(name) or next(iter(self.places.values()), NOWHERE)


DELETED = "deleted"


class Then(Strict):
    """As it is written."""

    report: Annotated[tuple[Kept, ...] | None, PlainValidator(lambda value: _reports(value))] = None
    request: Annotated[tuple[Kept, ...] | None, PlainValidator(lambda value: _requests(value))] = None
    added: Annotated[tuple[Kept, ...] | None, PlainValidator(lambda value: _reports(value))] = None
    before: Annotated[str | None, PlainValidator(lambda value: _before(value))] = None
    transfers: Annotated[tuple[str, ...] | None, PlainValidator(lambda value: _transfers(value))] = None

    def expected(self, places: Mapping[str, Place]) -> Expected:
        return Expected(self.report, self.request, self.added, self.before, self.transfers, places)


def given(value: Any) -> Given:  # Any: whatever a file holds
    """A report of an earlier call."""
    shown = 'Write `{ receipt: "4820 1234 5678", form: bad_date, what: [taken], when: today }`.'
    if not isinstance(value, Table):
        refuse("wrong-type", f"Here a report is wanted, not {kind_of(value)}.", shown)
    kept: Kept = {name: _codes(name, node) for name, node in value.items()}
    receipt = _one(kept, "receipt")
    if not _RECEIPT.match(receipt) or not _one(kept, "form"):
        refuse(
            "wrong-type", "A report of an earlier call has a receipt of twelve digits, and a form.", shown, value.place
        )
    state = _one(kept, "state", otherwise="new")
    if state not in _STATES:
        refuse(
            "wrong-type", f"No report is `{shortened(state)}`.", "Write `new`, `confirmed` or `deleted`.", value.place
        )
    answers = {name: codes for name, codes in kept.items() if name not in _OF_THE_REPORT}
    consent, made = _one(kept, "consent", otherwise=CONSENTS[0]), _made(kept, value.place)
    return Given(receipt.replace(" ", ""), kept["form"][0], consent, _STATES[state], answers, value.place, made)  # type: ignore[arg-type]  # one of the three


def _one(kept: Kept, name: str, *, otherwise: str = "") -> str:
    """The only word of a name. Refuses several, and none."""
    words = kept.get(name, (otherwise,))
    if len(words) != 1:
        key = next(key for key in kept if key == name)
        place = key.place if isinstance(key, Word) else NOWHERE
        refuse("wrong-type", f"A report has exactly one `{name}`.", "Write one, without brackets.", place)
    return words[0]


def _made(kept: Kept, place: Place) -> Made | None:
    if "made" not in kept:
        return None
    word = _one(kept, "made")
    where = word.place if isinstance(word, Word) else place
    try:
        return Made(datetime.strptime(word, "%Y-%m-%d").date(), where)  # noqa: DTZ007  # a day; the flow has the zone
    except ValueError:
        raise refused([bad_time.day(word, where)]) from None


def _before(value: Any) -> str:
    if value == DELETED:
        return DELETED
    consent = value.get(Word("consent", value.place)) if isinstance(value, Table) else None
    if not isinstance(consent, Word) or consent not in CONSENTS or len(value) != 1:
        shown = "Write `{ consent: warn_others }`, or `deleted`."
        refuse("wrong-type", "A report of before may be used otherwise afterwards, or it is deleted.", shown)
    return str(consent)


def _reports(value: Any) -> tuple[Kept, ...]:
    """`none`, one report, or a list of them in the order in which they were begun."""
    if value == "none":
        return ()
    return tuple(map(_report, value)) if isinstance(value, Items) else (_report(value),)


def _report(value: Any) -> Kept:
    """Its names and codes are Words: they know their places."""
    if not isinstance(value, Table):
        refuse("wrong-type", "A report is `none`, or its answers.", "Write `{ what: [taken], when: today }`.")
    return {name: _codes(name, node) for name, node in value.items()}


def _requests(value: Any) -> tuple[Kept, ...]:
    """`none`, one request to be called, or a list of them."""
    if value == "none":
        return ()
    return tuple(map(_request, value)) if isinstance(value, Items) else (_request(value),)


def _request(value: Any) -> Kept:
    shown = 'Write `{ form: callback, phone: "2125550143" }`.'
    if not isinstance(value, Table):
        refuse("wrong-type", "A request is `none`, or its form and its answers.", shown)
    kept: Kept = {name: _codes(name, node) for name, node in value.items()}
    if len(kept.get("form", ())) != 1:
        refuse("wrong-type", "A request names its form.", shown, value.place)
    return kept


def _codes(name: Word, node: Node) -> tuple[str, ...]:
    codes = tuple(node) if isinstance(node, Items) else (node,)
    words = tuple(code for code in codes if isinstance(code, Word) and code)
    if len(words) != len(codes):
        message = f"The answer to `{name}` is a code, or a list of codes."
        refuse("wrong-type", message, "Write `when: today` or `what: [taken, weapon]`.", name.place)
    return words


def _transfers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Items):
        refuse("wrong-type", "Transfers are a list.", "Write `[taken by bo]` or `[nobody]`.")
    for node in value:
        if not isinstance(node, Word) or not _TRANSFER.match(node):
            shown = f"`{shortened(node)}`" if isinstance(node, Word) else kind_of(node)
            refuse("wrong-type", f"No transfer ends as {shown}.", "Write `taken by WHO` or `nobody`.", node.place)
    return tuple(str(item) for item in value)


def misanswered(expected: Expected, flow: Flow) -> Iterator[Diagnostic]:
    """Questions and codes that no form has."""
    forms = [form for form in flow.forms.values() if not form.is_request]
    known = {**_known(forms), "consent": frozenset(CONSENTS)}
    for kept in expected.reports or ():
        yield from _misnamed_in(kept, known, expected.place("report"))
    for kept in expected.added or ():
        yield from _misnamed_in(kept, _known(forms), expected.place("added"))
    requests = {form.name: form for form in flow.forms.values() if form.is_request}
    for kept in expected.requests or ():
        [form] = kept["form"]
        if form not in requests:
            place = form.place if isinstance(form, Word) else expected.place("request")
            yield unknown_form.no_request(form, requests=requests, place=place)
            continue
        known = {**_known([requests[form]]), "form": frozenset(requests)}
        yield from _misnamed_in(kept, known, expected.place("request"))


def misgiven(report: Given, flow: Flow, *, day: date) -> Iterator[Diagnostic]:
    """A form that has no receipts, what that form does not have, and a report that was made after the `day` of its
    talk."""
    if report.made is not None and report.made.day > day:
        yield bad_time.too_late(report.made.day, talk=day, place=report.made.place)
    forms = {form.name: form for form in flow.forms.values() if not form.is_request}
    if report.form not in forms:
        yield unknown_form.no_report(report.form, reports=forms, place=report.place)
        return
    form = forms[report.form]
    kept = {**report.answers, "consent": (report.consent,)}
    yield from _misnamed_in(kept, {**_known([form]), "consent": frozenset(form.consents)}, report.place)


def _known(forms: Iterable[Form]) -> dict[str, frozenset[str] | None]:
    """Question -> its codes; None where digits are typed, which may be any."""
    known: dict[str, frozenset[str] | None] = {}
    for question in (question for form in forms for question in form.questions):
        before = known.get(question.name, frozenset())
        codes = frozenset(code.name for code in question.codes)
        known[question.name] = None if before is None or question.kind == "digits" else before | codes
    return known


def _misnamed_in(kept: Kept, known: Mapping[str, frozenset[str] | None], place: Place) -> Iterator[Diagnostic]:
    for name, answers in kept.items():
        if name not in known:
            yield unknown_question.found(name, questions=known, place=name.place if isinstance(name, Word) else place)
            continue
        codes = known[name]
        for answer in answers if codes is not None else ():
            if codes is not None and answer not in codes:
                where = answer.place if isinstance(answer, Word) else place
                yield unknown_code.found(answer, question=name, codes=sorted(codes), place=where)
