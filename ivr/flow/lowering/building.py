"""What every lowering writes into: the steps so far, the prompts they need, and where each was asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.forms import WrittenForm
from ivr.flow.graph import Form, Step
from ivr.flow.keys import Option, Record
from ivr.flow.phrases import KeyName, Label, Phrase, phrase
from ivr.flow.source import Word


@dataclass(slots=True)
class Building:
    """A flow under construction. `texts`: the prompts that exist in any language."""

    languages: tuple[str, ...]
    forms_written: Mapping[str, WrittenForm]
    texts: frozenset[str]
    steps: dict[str, Step] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    uses: dict[str, Place] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    targets: list[Word] = field(default_factory=list)
    form_steps: dict[str, str] = field(default_factory=dict)
    comes_back: str | None = None
    """The step at which a caller's receipt opens her report, if there is one."""
    found: list[Diagnostic] = field(default_factory=list)

    def add(self, step: Step) -> None:
        self.steps[step.name] = step

    def to(self, target: Word) -> str:
        """A step that an admin named; it is checked when all are known."""
        self.targets.append(target)
        return str(target)

    def use(self, prompt: str, place: Place) -> str:
        """A prompt that must exist."""
        self.uses.setdefault(str(prompt), place)
        return str(prompt)

    def said_first(self, prompt: str) -> tuple[Phrase, ...]:
        """A prompt that is said if somebody wrote it."""
        self.optional.add(prompt)
        return (phrase(prompt),) if prompt in self.texts else ()


def own(key: str, prompt: str, to: str, record: Record | None = None) -> Option:
    """An option of the line's own, with a sentence of its own."""
    return Option(key, phrase(prompt, option=True, key=KeyName(key)), to, record)


def options(
    told: str, next_told: str, choices: Iterable[tuple[Word | str, str, str, Record | None]]
) -> tuple[Option, ...]:
    """Options from (key, label, target, record): the first told with `told`, the others shorter with `next_told`."""
    return tuple(
        Option(
            str(key),
            phrase(next_told if position else told, option=True, label=Label(label), key=KeyName(str(key))),
            target,
            record,
        )
        for position, (key, label, target, record) in enumerate(choices)
    )
