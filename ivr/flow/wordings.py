"""The part of a prompts file that is about text messages: `text:`, what they say in place of a prompt, and `words:`,
what is sent in place of a key. Says what is wrong with single ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from ivr.flow.diagnostics import ENOUGH, Diagnostic, Place, nearest
from ivr.flow.line import MORE_WORDS, SENTENCES, WORDS
from ivr.flow.prompts import Prompt
from ivr.flow.rules import missing_field, unknown_field, wrong_type
from ivr.flow.source import Node, Table, Word

Read = Callable[[Word, Node, list[Diagnostic]], Prompt | None]


@dataclass(slots=True)
class Wordings:
    """Both by the name of the prompt, which may be of no prompt: that is seen when all are known."""

    texts: dict[str, Prompt] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)


def read_wordings(table: Table, found: list[Diagnostic], *, prompt: Read) -> Wordings:
    """`prompt` reads one text. A name that is both a sentence of the line and a prompt means the sentence."""
    wordings = Wordings()
    for name, node in table.items():
        if len(found) > ENOUGH:
            break
        if name.startswith("line."):
            sentence = name.removeprefix("line.")
            wordings.places[str(name)] = name.place
            found.append(unknown_field.found(name, known=[sentence], owner="`text`", place=name.place))
            continue
        full = f"line.{name}" if name in SENTENCES else str(name)
        wordings.places[full] = name.place
        text = prompt(name, node, found)
        if text is not None:
            wordings.texts[full] = text
    return wordings


def read_words(table: Table, found: list[Diagnostic]) -> dict[str, Word]:
    """What each of WORDS is called, and some of MORE_WORDS. Whether it can be so called is for a rule that sees every
    language."""
    missing = [what for what in WORDS if what not in table]
    every, words = (*WORDS, *MORE_WORDS), {}
    for what, word in islice(table.items(), ENOUGH):
        if what not in every:
            meant = nearest(what, missing) or nearest(what, every)
            missing = [one for one in missing if one != meant]
            known = [meant] if meant else every
            found.append(unknown_field.found(what, known=known, owner="`words`", place=what.place))
        elif isinstance(word, Word) and word.strip():
            words[str(what)] = word
        else:
            cure = f"Write one word after the colon: `{what}: ...`."
            found.append(wrong_type.found(what.place, f"There is no word for `{what}`.", cure))
    if missing:
        found.append(missing_field.found(*missing, owner="`words`", place=table.place))
    return words
