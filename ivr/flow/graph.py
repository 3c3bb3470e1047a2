"""A compiled flow: primitive steps and where they lead. All that the engine, the checker and a drawing know.

Every verb is lowered to these; none of them knows a verb, a channel or a text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time

from ivr.flow.diagnostics import NOWHERE, Place
from ivr.flow.keys import Option, Pass
from ivr.flow.phrases import Phrase
from ivr.flow.prompts import Catalogue
from ivr.flow.wants import Want, WantOpen, WantPerson

# ---- what a branch may ask without asking the world ----


@dataclass(frozen=True, slots=True)
class Between:
    """The clock of the flow's zone is in this part of the day; past midnight when it ends before it starts."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Speaks:
    """The call is in this language."""

    language: str


@dataclass(frozen=True, slots=True)
class Answered:
    """This question of the branch's form has an answer; no name: any question has."""

    question: str | None = None


@dataclass(frozen=True, slots=True)
class SavedBefore:
    """The report in progress was saved at least once."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """She said once that what was read back is right: from there every answer is saved."""


@dataclass(frozen=True, slots=True)
class Adds:
    """What is being answered is an addition to a report that her receipt opened."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Her receipt opened a report of this form."""

    form: str


@dataclass(frozen=True, slots=True)
class TriesLeft:
    """She may try another receipt in this call."""


@dataclass(frozen=True, slots=True)
class TypedReceipt:
    """What she typed is the receipt that she has just heard."""


Condition = Between | Speaks | Answered | SavedBefore | Confirmed | Adds | Opened | TriesLeft | TypedReceipt


# ---- the primitives ----


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence, heard as the beginning of whatever comes next."""

    name: str
    told: Phrase
    to: str
    form: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Choose:
    """One key. `question` names what is being answered, `kept` is said when it has an answer already.
    `terse`: the options are said only when she is asked again. `back` None: where she came from. `times`: so often all
    of it is said at once. `aside`: what the line's own keys do, where it is not what they do for callers. `otherwise`:
    where silence and every other key lead, the line's own too; None where a mistake is forgiven. `staff_door`: the key
    that leads to the line of those who answer callers works here."""

    name: str
    intro: tuple[Phrase, ...]
    options: tuple[Option, ...]
    onward: Pass
    back: str | None = None
    outro: tuple[Phrase, ...] = ()
    kept: Phrase | None = None
    form: str | None = None
    question: str | None = None
    terse: bool = False
    times: int = 1
    otherwise: str | None = None
    staff_door: bool = False
    aside: Phrase | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Collect:
    """A string of `least` to `most` digits. `gathers`: it may come in several pieces."""

    name: str
    intro: tuple[Phrase, ...]
    least: int
    most: int
    to: str
    onward: Pass
    form: str | None = None
    question: str | None = None
    kept: Phrase | None = None
    back: str | None = None
    aside: Phrase | None = None
    gathers: bool = False
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """Something only the world can answer, with yes or no: saved or not, talked or nobody, on call or not."""

    name: str
    want: Want
    yes: str
    no: str
    form: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """A fork that the call itself decides."""

    name: str
    condition: Condition
    yes: str
    no: str
    form: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Enter:
    """Into a form: at its first question, or where she left it. `adds`: to add to a report that a receipt opened."""

    name: str
    form: str
    to: str
    adds: bool = False
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of a form: its report is over, and the next visit begins a new one. `added`: where an addition leads."""

    name: str
    form: str
    to: str
    added: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class End:
    """A last word, and the end."""

    name: str
    told: Phrase
    form: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Return:
    """Back to the line that callers know."""

    name: str
    form: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


Step = Say | Choose | Collect | Ask | Branch | Enter | Leave | End | Return
Wait = Choose | Collect
WAITS = (Choose, Collect)


# ---- forms ----


@dataclass(frozen=True, slots=True)
class Code:
    """A code and, when it is a finer one, the group it belongs to."""

    name: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """`kind`: one, several or digits. `codes` in the order of the codebook, groups before their finer codes."""

    name: str
    kind: str
    codes: tuple[Code, ...] = ()
    needs: str | None = None

    def group_of(self, code: str) -> str | None:
        return next((known.group for known in self.codes if known.name == code), None)


@dataclass(frozen=True, slots=True)
class Form:
    """The codebook of one kind of report. `keep_days`: the most that a report is kept. `consents`: the least first.
    `is_request`: it asks to be called; kept for so many nights, saved at its end and only with a number. `enter`: where
    it is entered; `add`: the same for an addition, if the flow opens receipts."""

    name: str
    keep_days: int
    save_after: str
    consents: tuple[str, ...]
    questions: tuple[Question, ...]
    enter: str
    is_request: bool = False
    add: str | None = None

    def question(self, name: str) -> Question:
        return next(question for question in self.questions if question.name == name)


@dataclass(frozen=True, slots=True)
class Promises:
    """What an admin promises her callers: seconds, a number of keys, and how many messages a text may take. None: she
    promises nothing."""

    first_key_within: float | None = None
    hears_of_person_within: float | None = None
    report_keys: int | None = None
    report_speech: float | None = None
    texts: int | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """Numbers for names, and names for numbers, so that a call's serialised form stays small."""

    step_names: tuple[str, ...]
    form_names: tuple[str, ...]
    steps: Mapping[str, int]
    forms: Mapping[str, int]

    @classmethod
    def of(cls, steps: Mapping[str, Step], forms: Mapping[str, Form]) -> "Index":
        def numbered(names: Mapping[str, object]) -> dict[str, int]:
            return {name: number for number, name in enumerate(names)}

        return cls(tuple(steps), tuple(forms), numbered(steps), numbered(forms))


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that compiled. `version` is the hash of the files it came from."""

    name: str
    version: str
    languages: tuple[str, ...]
    zone: str
    start: str
    person: str
    leave: str
    steps: Mapping[str, Step]
    forms: Mapping[str, Form]
    catalogues: Mapping[str, Catalogue]
    promises: Promises
    index: Index = field(compare=False)
    offered: str | None = None
    """Where somebody begins whose phone was rung for a caller."""

    def waits(self) -> Iterator[Wait]:
        """Every step at which a caller may press a key."""
        return (step for step in self.steps.values() if isinstance(step, WAITS))


def onward(step: Step) -> Iterator[str]:
    """Where a step itself leads; the line's own keys, which lead everywhere the same way, apart."""
    match step:
        case Say() | Enter():
            yield step.to
        case Leave():
            yield from (to for to in (step.to, step.added) if to is not None)
        case Ask() | Branch():
            yield step.yes
            yield step.no
            if isinstance(step, Ask) and isinstance(step.want, WantPerson):
                yield from (option.to for option in step.want.options)
            if isinstance(step, Ask) and isinstance(step.want, WantOpen):
                yield step.want.gone
        case Choose():
            yield from (option.to for option in step.options)
            yield from (to for to in (step.onward.to, step.back, step.otherwise) if to is not None)
        case Collect():
            yield step.to
            yield from (to for to in (step.onward.to, step.back) if to is not None)
        case End() | Return():
            pass
