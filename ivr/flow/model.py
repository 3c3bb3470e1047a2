"""What an admin may write: one small strict model per verb, and the files they stand in. Every word keeps its place.

These models know shapes only; whether a name leads anywhere is for the rules."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.flow.graph import Promises
from ivr.flow.source import Word
from ivr.flow.values import (
    AnyTable,
    CodeLine,
    Codes,
    Count,
    DigitsOf,
    Language,
    Name,
    Outcomes,
    PhoneOf,
    PromptName,
    Span,
    SpanOf,
    Targets,
    TextOf,
    Window,
    Zone,
    refuse,
)


class Strict(BaseModel):
    """No field that is not named, nothing turned into something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


# ---- verbs ----


class ChooseLanguage(Strict):
    """The greeting, said in each language, each followed by the key of that language."""

    choose_language: PromptName
    next: Name


class SayLine(Strict):
    """A sentence. It is heard at the beginning of the next wait, so that a key can interrupt it."""

    say: PromptName
    next: Name


class Menu(Strict):
    """Up to four keys, each with the step it leads to. The spoken options are made from the labels of the targets."""

    menu: Targets


class FormLine(Strict):
    """The questions of a form, then on."""

    form: Name
    next: Name


class RungFor(Strict):
    """Who is rung, and for how long: one of the two."""

    on_call: SpanOf | None = None
    backup: SpanOf | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "RungFor":
        if (self.on_call is None) == (self.backup is None):
            refuse("wrong-type", "Each ring is for one group.", "Write `{ on_call: 25s }` or `{ backup: 25s }`.")
        return self

    @property
    def span(self) -> Span:
        span = self.on_call or self.backup
        assert span is not None, "one of the two is there"
        return span


class ReceiptLine(Strict):
    """What her receipt is good for: the order is the keys."""

    receipt: list[Literal["status", "add", "consent", "withdraw"]] = Field(min_length=1, max_length=4)
    next: Name


class Transfer(Strict):
    """A person: those on call, then the backup. `nobody` when no one can, `next` when they have talked."""

    transfer: Literal["advocates"]
    ring: list[RungFor] = Field(min_length=1)
    nobody: Name
    next: Name
    meanwhile: Targets = ()


class Connect(Strict):
    """A partner's number, rung for her with the hotline's own number shown. `nobody` when nobody answers there, `next`
    when they have talked."""

    connect: PhoneOf
    ring: SpanOf
    nobody: Name
    next: Name


class Fork(Strict):
    """What a branch looks at: exactly one of these."""

    time: Window | None = None
    on_call: Literal["anyone"] | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Fork":
        if sum(asked is not None for asked in (self.time, self.on_call, self.language)) != 1:
            cure = "Write one of `time: 22:00-06:00`, `on_call: anyone` and `language: es`."
            refuse("wrong-type", "A branch asks exactly one thing.", cure)
        return self


class BranchLine(Strict):
    """One of two ways, by the clock, by who is on call, or by the language of the call."""

    branch: Fork
    yes: Name
    no: Name


class Exit(Strict):
    """A last word, and the end of the call."""

    exit: PromptName


# ---- verbs of those who answer callers ----


class Offer(Strict):
    """A call that her phone rang for. `taken`: after they have talked; `passed`: for every other end."""

    offer: Literal["call"]
    taken: Name
    passed: Name


class CountLine(Strict):
    """How their talk went, in a word that is counted."""

    count: Outcomes
    next: Name


class SignInLine(Strict):
    """Her PIN, which says who she is."""

    sign_in: Literal["pin"]
    next: Name
    back: Name


class ShiftsLine(Strict):
    """Her shifts: the order is the keys."""

    shifts: list[Literal["status", "switch", "hour", "next"]] = Field(min_length=1, max_length=4)


class ReturnLine(Strict):
    """Back to the line that callers know."""

    return_: Literal["hotline"] = Field(alias="return")


Verb = (
    ChooseLanguage
    | SayLine
    | Menu
    | FormLine
    | ReceiptLine
    | Transfer
    | Connect
    | BranchLine
    | Exit
    | Offer
    | CountLine
    | SignInLine
    | ShiftsLine
    | ReturnLine
)

VERBS: dict[str, type[Verb]] = {
    "choose_language": ChooseLanguage,
    "say": SayLine,
    "menu": Menu,
    "form": FormLine,
    "receipt": ReceiptLine,
    "transfer": Transfer,
    "connect": Connect,
    "branch": BranchLine,
    "exit": Exit,
}
"""Of the callers' flow."""

STAFF_VERBS: dict[str, type[Verb]] = {
    "offer": Offer,
    "count": CountLine,
    "sign_in": SignInLine,
    "shifts": ShiftsLine,
    "return": ReturnLine,
    "say": SayLine,
    "menu": Menu,
    "branch": BranchLine,
    "exit": Exit,
}
"""Of the flow of those who answer callers."""


FIELDS = {field for verb in (*VERBS.values(), *STAFF_VERBS.values()) for field in verb.model_fields} - (
    VERBS.keys() | STAFF_VERBS.keys()
)
"""What may stand beside a verb."""


# ---- files ----


class Always(Strict):
    """Where the line's own keys lead from everywhere."""

    person: Name = Field(alias="0")
    leave: Name = Field(alias="9")


class ReportWithin(Strict):
    keys: Count
    speech: SpanOf


class PromisesMade(Strict):
    """What callers may count on. The checker proves each, in every language."""

    first_key_within: SpanOf | None = None
    hears_of_person_within: SpanOf | None = None
    report_within: ReportWithin | None = None
    texts_within: Count | None = None

    def figures(self) -> Promises:
        """The same in numbers: lengths of time in seconds."""
        first_key, person, report = self.first_key_within, self.hears_of_person_within, self.report_within
        return Promises(
            first_key.seconds if first_key else None,
            person.seconds if person else None,
            int(report.keys) if report else None,
            report.speech.seconds if report else None,
            int(self.texts_within) if self.texts_within else None,
        )


class FlowFile(Strict):
    """A flow: where a call starts and what it walks through."""

    flow: Name
    languages: list[Language] = Field(min_length=1, max_length=4)
    zone: Zone
    start: Name
    always: Always
    steps: AnyTable
    promises: PromisesMade = PromisesMade()


class StaffFile(Strict):
    """What those who answer callers walk through; languages and zone are the callers' flow's. `start`: she called the
    line herself; `offered`: her phone rang for a caller."""

    flow: Name
    start: Name
    offered: Name
    always: Always
    steps: AnyTable

    @property
    def promises(self) -> PromisesMade:
        """Nothing is promised to those who answer."""
        return PromisesMade()


class QuestionLine(Strict):
    """One question: one code, several codes, or digits."""

    one: Codes | None = None
    several: Codes | None = None
    digits: DigitsOf | None = None
    needs: Name | None = None

    @property
    def codes(self) -> tuple[tuple[Word, CodeLine], ...]:
        return self.one or self.several or ()

    @property
    def kind(self) -> str:
        return "one" if self.one else "several" if self.several else "digits"


class FormFile(Strict):
    """The questions of a form, with their codes."""

    form: Name
    kind: Literal["report", "request"]
    keep_for: SpanOf
    questions: AnyTable


class ReportFile(FormFile):
    """The form of a report: saved from a question on, and used as she allows."""

    save_after: Name
    consent: list[Name] = Field(min_length=1)


class RequestFile(FormFile):
    """The form of a request to be called: saved at its end, read by advocates, and gone after a few nights."""


class PromptsFile(Strict):
    """The texts of one language."""

    language: Language
    name: TextOf
    voice: TextOf
    keys: AnyTable
    line: AnyTable
    prompts: AnyTable
    words: AnyTable
    text: AnyTable
    accents_in_texts: Literal["kept", "dropped"] = "kept"
