"""A prompts file, read: its catalogue, and where each text stands. Says what is wrong with single texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.line import SENTENCES
from ivr.flow.model import PromptsFile, kind_of
from ivr.flow.prompts import KEYS, Catalogue, Prompt, Template
from ivr.flow.reading import validate
from ivr.flow.rules import missing_field, text_cut_by_hash, unknown_field, unknown_file, wrong_type
from ivr.flow.source import Node, Table, Word


@dataclass(frozen=True, slots=True)
class Written:
    """The prompts of one language. `places`: prompt name -> where its name stands in the file."""

    file: str
    catalogue: Catalogue
    voice: Word
    places: Mapping[str, Place]


def read_prompts(
    tree: Node, found: list[Diagnostic], *, path: str, language: str, recordings: Mapping[str, float]
) -> Written | None:
    """The prompts of a language, or None when the file is not one; texts that are wrong are left out and reported."""
    file = validate(PromptsFile, tree, found, owner="A prompts file", place=Place(path))
    if file is None:
        return None
    if file.language != language:
        found.append(unknown_file.named_otherwise(file.language, wanted=language, place=file.language.place))
    keys = dict(_keys(file.keys, found))
    prompts: dict[str, Prompt] = {}
    places: dict[str, Place] = {}
    for prefix, table in (("line.", file.line), ("", file.prompts)):
        for name, node in table.items():
            if prefix and name not in SENTENCES:
                found.append(unknown_field.found(name, known=SENTENCES, owner="The line", place=name.place))
                continue
            if not prefix and name.startswith("line."):
                found.append(
                    unknown_field.found(name, known=[name.removeprefix("line.")], owner="`prompts`", place=name.place)
                )
                continue
            places[prefix + name] = name.place
            prompt = _prompt(node, found)
            if prompt is not None:
                prompts[prefix + name] = prompt
    prompts["language.name"] = _plain(file.name)
    catalogue = Catalogue(language, str(file.name), str(file.voice), keys, prompts, recordings)
    return Written(path, catalogue, file.voice, places)


def _plain(word: Word) -> Prompt:
    template = Template(str(word), word.place)
    return Prompt(template, template, word.place)


def _keys(table: Table, found: list[Diagnostic]) -> Iterator[tuple[str, str]]:
    for key, spoken in table.items():
        if key not in KEYS:
            found.append(unknown_field.found(key, known=KEYS, owner="`keys`", place=key.place))
        elif not isinstance(spoken, Word) or not spoken.strip():
            found.append(wrong_type.found(key.place, f"How `{key}` is spoken is a word.", f'Write `"{key}": word`.'))
        else:
            yield str(key), str(spoken)
    for missing in KEYS:
        if missing not in table:
            found.append(missing_field.found(f'"{missing}"', owner="`keys`", place=table.place))


def _prompt(node: Node, found: list[Diagnostic]) -> Prompt | None:
    if isinstance(node, Word):
        return _text(node, found)
    if isinstance(node, Table) and set(node) == {"one", "many"}:
        one, many = node[Word("one", node.place)], node[Word("many", node.place)]
        if isinstance(one, Word) and isinstance(many, Word):
            first, second = _text(one, found), _text(many, found)
            return Prompt(second.many, first.many, many.place) if first and second else None
    message = f"Here a text is wanted, not a {kind_of(node)}."
    found.append(wrong_type.found(node.place, message, "Write one text, or `{ one: text, many: text }`."))
    return None


def _text(word: Word, found: list[Diagnostic]) -> Prompt | None:
    if word.cut:
        found.append(text_cut_by_hash.found(word.place))
        return None
    if not word.strip():
        found.append(wrong_type.found(word.place, "This text is empty: a caller would hear nothing.", "Write the text."))
        return None
    return _plain(word)
