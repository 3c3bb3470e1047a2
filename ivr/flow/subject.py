"""What the rules look at: texts and the names they are needed by; the compiled flow beside what was written. Built by
the compiler, as far as the files could be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ivr.flow.catalogues import Written
from ivr.flow.diagnostics import GUESSES, Place, nearest
from ivr.flow.forms import WrittenForm
from ivr.flow.graph import Flow
from ivr.flow.line import ONLY_BY_PHONE, SENTENCES, WRITTEN
from ivr.flow.model import FlowFile, StaffFile, Verb
from ivr.flow.prompts import Prompt

_BY_PHONE = frozenset(f"line.{sentence}" for sentence in ONLY_BY_PHONE)


@dataclass(frozen=True)
class Texts:
    """`written`: the languages of the flow whose prompts could be read. `uses`: prompt name -> where a flow or form
    needs it. `optional`: prompts that are said if they are there. `complete`: everything that could use a prompt is
    known, so what is not used is really unused. `of_callers`: the prompts that callers meet."""

    written: Mapping[str, Written]
    uses: Mapping[str, Place]
    optional: frozenset[str]
    complete: bool
    of_callers: frozenset[str] = frozenset()

    def all(self) -> Iterator[tuple[str, str, Prompt]]:
        """Every text: its language, its name and itself."""
        for language, written in self.written.items():
            yield from ((language, name, prompt) for name, prompt in written.catalogue.prompts.items())

    def reworded(self) -> Iterator[tuple[str, str, Prompt]]:
        """Every wording of text messages: its language, the prompt that it takes the place of, and itself. Those that
        no text says are told of as unused."""
        for language, written in self.written.items():
            said = written.catalogue.prompts.keys() - _BY_PHONE
            yield from ((language, name, text) for name, text in written.catalogue.texts.items() if name in said)

    @cached_property
    def strange(self) -> dict[str, dict[str, str | None]]:
        """Language -> wordings for texts of what is no prompt there -> the one that was meant. Where the prompt itself
        is missing, that is told; none as long as something may be unread."""
        return {
            language: {
                name: meant
                for name, meant in _meant(written).items()
                if self.complete and language not in self.missing.get(name, ())
            }
            for language, written in self.written.items()
        }

    @cached_property
    def missing(self) -> dict[str, list[str]]:
        """Prompt name -> the languages that lack it."""
        lacking = {
            name: [language for language, written in self.written.items() if name not in written.places]
            for name in (*self.uses, *sorted(self.optional - self.uses.keys()))
        }
        return {
            name: languages
            for name, languages in lacking.items()
            if languages and (name in self.uses or len(languages) < len(self.written))
        }

    @cached_property
    def unused(self) -> dict[str, dict[str, Place]]:
        """Language -> the texts that nothing says; none as long as something may be unread."""
        return {
            language: {
                name: place
                for name, place in written.places.items()
                if self.complete
                and not name.startswith("line.")
                and name not in self.uses
                and name not in self.optional
            }
            for language, written in self.written.items()
        }

    @cached_property
    def misspelt(self) -> dict[str, dict[str, str]]:
        """Language -> unused prompt -> the missing one that was meant."""
        missing = self.missing
        return {
            language: _paired([name for name in missing if language in missing[name]], [*self.unused[language]])
            for language in self.written
        }

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Missing prompts that all differ from unused ones in the same part of their names, as when a question was
        renamed -> the shortest of them, which is told for all."""
        every = {name for name, languages in self.missing.items() if len(languages) == len(self.written)}
        changes: dict[tuple[str, str], set[str]] = {}
        for pairs in self.misspelt.values():
            for unused, name in pairs.items():
                change = _changed(unused, name)
                if name in every and change is not None:
                    changes.setdefault(change, set()).add(name)
        return {name: min(names, key=len) for names in changes.values() for name in names}


def _meant(written: Written) -> dict[str, str | None]:
    strange = [name for name in written.text_places if name not in written.places and not name.startswith("line.")]
    lacking = [name for name in WRITTEN if f"line.{name}" not in written.text_places]
    others = [*SENTENCES, *(name for name in written.places if not name.startswith("line."))]
    meant: dict[str, str | None] = dict.fromkeys(strange)
    for name in strange[:GUESSES]:
        near = nearest(name, lacking) or nearest(name, others)
        meant[name] = f"line.{near}" if near in SENTENCES else near
    return meant


def _changed(old: str, new: str) -> tuple[str, str] | None:
    """The shortest beginnings, cut at a dot, after which two names are the same."""
    before, after = old.split("."), new.split(".")
    differing = [place for place, parts in enumerate(zip(before, after, strict=False)) if parts[0] != parts[1]]
    if len(before) != len(after) or len(differing) != 1:
        return None
    upto = differing[0] + 1
    return ".".join(before[:upto]), ".".join(after[:upto])


def _paired(missing: list[str], unused: list[str]) -> dict[str, str]:
    left = dict.fromkeys(unused)
    pairs = {}
    for name in missing[:GUESSES] if left else ():
        near = nearest(name, left)
        if near is not None:
            pairs[near] = name
            del left[near]
    return pairs


@dataclass(frozen=True, slots=True)
class Subject:
    """A flow whose names all lead somewhere. `lines`: step name -> what was written; `forms`: as they were written."""

    flow: Flow
    file: FlowFile | StaffFile
    lines: Mapping[str, Verb]
    forms: Mapping[str, WrittenForm]


def in_languages(figures: Mapping[str, str]) -> str:
    """Figures for a sentence, told once where they are the same: 6 keys; 2.1 s in `en` and 4.8 s in `es`."""
    if len(set(figures.values())) == 1 and len(figures) > 1:
        return next(iter(figures.values()))
    return " and ".join(f"{figure} in `{language}`" for language, figure in figures.items())
