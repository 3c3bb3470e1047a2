"""A prompts file, read: its catalogue, and where each text stands. Says what is wrong with single texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.flow.diagnostics import ENOUGH, GUESSES, Diagnostic, Place, nearest
from ivr.flow.line import SENTENCES
from ivr.flow.model import PromptsFile
from ivr.flow.prompts import KEYS, Catalogue, Prompt, Template
from ivr.flow.reading import beginning, validate
from ivr.flow.rules import missing_field, text_cut_by_hash, unknown_field, unknown_file, wrong_type
from ivr.flow.source import Node, Table, Word, key_of
from ivr.flow.values import kind_of
from ivr.flow.wordings import read_wordings, read_words


@dataclass(frozen=True, slots=True)
class Written:
    """The prompts of one language. `places`: prompt name -> where its name stands in the file. `line`: where the line's
    own sentences stand; `misspelt`: those that seem to be there under a wrong name; `text` and `text_places`:
    the same of the wordings of text messages; `words`: what is sent in place of a key."""

    file: str
    catalogue: Catalogue
    voice: Word
    is_voice_set: bool
    """By IVR_VOICES, in place of what the file says."""
    language: Word
    places: Mapping[str, Place]
    line: Place
    misspelt: frozenset[str]
    text: Place
    text_places: Mapping[str, Place]
    words: Mapping[str, Word]


def read_prompts(
    tree: Node,
    found: list[Diagnostic],
    *,
    path: str,
    language: str,
    recordings: Mapping[str, float],
    voice: str = "",
) -> Written | None:
    """The prompts of a language, or None when the file is not one; texts that are wrong are left out and reported.
    `voice` speaks them, in place of the file's."""
    reading = _Reading(found)
    tables = [tree.get(Word(name, tree.place)) if isinstance(tree, Table) else None for name in ("line", "prompts")]
    if isinstance(tables[0], Table):
        reading.sentences(tables[0], has_prompts=tables[1] is not None)
    if isinstance(tables[1], Table):
        reading.own(tables[1])
    if reading.strange and tables[1] is None:
        return None  # what stands under `line:` tells that `prompts:` is missing
    file = validate(PromptsFile, tree, found, owner="A prompts file", place=beginning(tree, path))
    if file is None:
        return None
    speaker = Word(voice, file.voice.place) if voice else file.voice
    if file.language != language:
        found.append(unknown_file.named_otherwise(file.language, wanted=language, place=file.language.place))
    keys = dict(_keys(file.keys, found))
    wordings = read_wordings(file.text, found, prompt=_prompt)
    words = read_words(file.words, found)
    reading.prompts["language.name"] = _plain(file.name)
    catalogue = Catalogue(
        language,
        str(file.name),
        str(speaker),
        keys,
        reading.prompts,
        recordings,
        wordings.texts,
        {what: word.strip() for what, word in words.items()},
        drops_accents=file.accents_in_texts == "dropped",
    )
    misspelt = frozenset(reading.misspelt)
    line, text = (key_of(tree, name).place if isinstance(tree, Table) else Place(path) for name in ("line", "text"))
    places, texts = reading.places, wordings.places
    return Written(path, catalogue, speaker, bool(voice), file.language, places, line, misspelt, text, texts, words)


@dataclass(slots=True)
class _Reading:
    found: list[Diagnostic]
    prompts: dict[str, Prompt] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    misspelt: list[str] = field(default_factory=list)
    strange: list[Word] = field(default_factory=list)

    def sentences(self, table: Table, *, has_prompts: bool) -> None:
        """The line's own sentences. Without a table of prompts these may stand here, under the wrong heading."""
        absent = [sentence for sentence in SENTENCES if sentence not in table]
        for name, node in table.items():
            if name in SENTENCES:
                self._add(f"line.{name}", name, node)
                continue
            guess = has_prompts and len(self.misspelt) + len(self.strange) < GUESSES
            meant = (nearest(name, absent) or nearest(name, SENTENCES)) if guess else None
            if meant is None:
                self.strange.append(name)
            else:
                self.misspelt.append(meant)
                self.found.append(unknown_field.found(name, known=[meant], owner="`line`", place=name.place))
        if self.strange:
            self.found.append(unknown_field.no_sentence(self.strange, place=self.strange[0].place))

    def own(self, table: Table) -> None:
        """What an admin wrote for her steps and forms."""
        for name, node in table.items():
            if len(self.found) > ENOUGH:
                return
            if name.startswith("line."):
                self.found.append(unknown_field.in_prompts(name, place=name.place))
            else:
                self._add(str(name), name, node)

    def _add(self, prompt: str, name: Word, node: Node) -> None:
        self.places[prompt] = name.place
        text = _prompt(name, node, self.found)
        if text is not None:
            self.prompts[prompt] = text


def _keys(table: Table, found: list[Diagnostic]) -> Iterator[tuple[str, str]]:
    missing = [key for key in KEYS if key not in table]
    for key, spoken in table.items():
        if key not in KEYS:
            meant = next((known for known in missing if known in key), missing[0] if missing else None)
            missing = [known for known in missing if known != meant]
            found.append(unknown_field.no_line_key(key, meant, place=key.place))
        elif not isinstance(spoken, Word) or not spoken.strip():
            cure = f'Write the word that is said for it: `"{key}": ...`.'
            found.append(wrong_type.found(key.place, f"Nothing says how the key `{key}` is spoken.", cure))
        else:
            yield str(key), str(spoken)
    if missing:
        found.append(missing_field.found(*(f'"{key}"' for key in missing), owner="`keys`", place=table.place))


def _prompt(name: Word, node: Node, found: list[Diagnostic]) -> Prompt | None:
    if isinstance(node, Word):
        text = _text(name, node, found)
        return _plain(text) if text is not None else None
    if isinstance(node, Table) and set(node) == {"one", "many"}:
        one, many = node[key_of(node, "one")], node[key_of(node, "many")]
        if isinstance(one, Word) and isinstance(many, Word):
            first, second = _text(name, one, found), _text(name, many, found)
            return _plural(first, second) if first is not None and second is not None else None
    message = f"Here a text is wanted, not {kind_of(node)}."
    cure = 'Write one text; in quotes if it has a colon, or begins with `{` or `[`: `name: "..."`.'
    found.append(wrong_type.found(name.place, message, cure))
    return None


def _text(name: Word, word: Word, found: list[Diagnostic]) -> Word | None:
    if word.cut:
        found.append(text_cut_by_hash.found(word.place))
        return None
    if not word.strip():
        message = f"The text of `{name}` is empty: a caller would hear nothing."
        found.append(wrong_type.found(name.place, message, "Write the text after the colon."))
        return None
    return word


def _plain(word: Word) -> Prompt:
    template = Template(str(word), word.place)
    return Prompt(template, template, word.place)


def _plural(one: Word, many: Word) -> Prompt:
    return Prompt(Template(str(many), many.place), Template(str(one), one.place), many.place)
