"""YAML with places: every scalar stays the text that was typed, and remembers where it stood.

Only a small, unsurprising part of YAML is let through: no anchors, aliases, tags or doubled keys, so that a file means
what it looks like. Knows nothing of verbs or prompts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.flow.diagnostics import ENOUGH, Diagnostic, Place
from ivr.flow.rules import duplicate_key, no_shortcuts, not_text, not_yaml, too_big

MAX_BYTES = 200_000
"""A thousand menus with their texts fit; a file of this size, however odd, is read in well under a second."""

MAX_DEPTH = 12

_HASH_FOLLOWS = re.compile(r"[ \t]+#")
_NO_COLON = re.compile(r"(\S+?)[.):]?\s+(\S.*)|([^:]+):(\S.*)")
_RUN_TOGETHER = re.compile(r"(\S+?)\s+([\[{\"'].*)", re.S)
_YAMLS_OWN = "tag:yaml.org,2002:"
_NEAR = 2


class Word(str):
    """A scalar, exactly as typed: `no` is "no" and `08:30` is "08:30". `cut` when a ` #` remark follows it unquoted."""

    __slots__ = ("cut", "place")

    place: Place
    cut: bool

    def __new__(cls, text: str, place: Place, *, cut: bool = False) -> "Word":
        word = super().__new__(cls, text)
        word.place = place
        word.cut = cut
        return word


class Table(dict[Word, "Node"]):
    """Names with values; the names are Words with places of their own."""

    place: Place


class Items(list["Node"]):
    """A list."""

    place: Place


Node = Word | Table | Items


@dataclass(slots=True)
class Source:
    """One file, read: its tree (None when it could not be read to the end) and what was wrong on the way."""

    file: str
    tree: Node | None = None
    found: list[Diagnostic] = field(default_factory=list)


def read(file: str, content: bytes) -> Source:
    """The tree of a file. Never raises for what the file contains."""
    source = Source(file)
    if len(content) > MAX_BYTES:
        source.found.append(too_big.found(Place(file), MAX_BYTES))
        return source
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        source.found.append(not_text.found(_place_in(file, content[: error.start])))
        return source
    builder = _Builder(source, text.splitlines())
    try:
        source.tree = builder.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        unreadable = not_yaml.found(file, error, builder.lines)
        if not any(0 <= unreadable.place.line - known.place.line < _NEAR for known in source.found):
            source.found.append(unreadable)
    except yaml.reader.ReaderError as error:
        source.found.append(not_text.sign(_place_in(file, text.encode()[: error.position])))
    except _Enough as error:
        source.found.append(error.diagnostic)
    return source


def _place_in(file: str, before: bytes) -> Place:
    lines = before.decode("utf-8-sig", "replace").splitlines(keepends=True) or [""]
    if lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return Place(file, len(lines), len(lines[-1]) + 1)


def at(tree: Node, path: tuple[str | int, ...]) -> Node:
    """The node that a path of keys and positions leads to, or the last one on the way that exists."""
    node = tree
    for part in path:
        if isinstance(node, Table) and part in node:
            node = node[part]  # type: ignore[index]  # a Word is a str, and is found by its text
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            break
    return node


def key_of(table: Table, name: str) -> Word:
    """The key as it stands in the file, with its place."""
    return next(key for key in table if key == name)


class _Enough(Exception):
    """Reading ends here: the rest is worth nothing, or nothing more than was found."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic


class _Builder:
    def __init__(self, source: Source, lines: list[str]) -> None:
        self.source = source
        self.lines = lines

    def document(self, events: Iterator[Any]) -> Node:
        tree: Node | None = None
        for event in events:
            if isinstance(event, yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent | yaml.AliasEvent):
                if tree is not None:
                    raise _Enough(no_shortcuts.second_document(self._place(event)))
                tree = self._node(event, events, 1)
        if tree is None:
            tree = Table()
            tree.place = Place(self.source.file)
        return tree

    def _found(self, diagnostic: Diagnostic) -> None:
        if len(self.source.found) >= ENOUGH:
            raise _Enough(diagnostic)
        self.source.found.append(diagnostic)

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise _Enough(too_big.nested(place, MAX_DEPTH))
        if isinstance(event, yaml.AliasEvent):
            self._found(no_shortcuts.found(place, f"the alias `*{event.anchor}`"))
            return Word("", place)
        if event.anchor is not None:
            self._found(no_shortcuts.found(place, f"the anchor `&{event.anchor}`"))
        if event.tag is not None:
            self._found(no_shortcuts.found(place, f"the tag `{event.tag.replace(_YAMLS_OWN, '!!')}`"))
        if isinstance(event, yaml.ScalarEvent):
            return Word(event.value, place, cut=not event.style and self._hash_follows(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(events, place, depth)
        return self._table(events, place, depth, in_braces=bool(event.flow_style))

    def _items(self, events: Iterator[Any], place: Place, depth: int) -> Items:
        items = Items()
        items.place = place
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, depth + 1))
        return items

    def _table(self, events: Iterator[Any], place: Place, depth: int, *, in_braces: bool) -> Table:
        table = Table()
        table.place = place
        first: dict[str, Word] = {}
        again: list[Word] = []
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if in_braces and isinstance(key, Word) and value == "" and not self._colon_follows(event):
                key, value = self._divided(key)
            elif isinstance(key, Word) and (match := _RUN_TOGETHER.fullmatch(key)) and not self._is_quoted(key):
                self._found(not_yaml.run_together(match[1], match[2], place=key.place))
                key, value = Word(match[1], key.place), Word("", key.place)
            if not isinstance(key, Word):
                self._found(no_shortcuts.no_name(key.place))
            elif key == "<<":
                self._found(no_shortcuts.merge(key.place))
            elif key in first and table[first[key]] != "":
                again.append(key)
                continue
            elif key in first:
                self._found(duplicate_key.found(key, first[key].place, first=key.place))
                table[first[key]] = value
            else:
                first[key] = key
                table[key] = value
            self._doubled(again, first)
        self._doubled(again, first)
        return table

    def _doubled(self, again: list[Word], first: dict[str, Word]) -> None:
        """Tells of a run of names that stood before, and forgets them."""
        if again:
            self._found(duplicate_key.run(again, again[0].place, first=first[again[0]].place))
            again.clear()

    def _is_quoted(self, word: Word) -> bool:
        line = self.lines[word.place.line - 1] if word.place.line <= len(self.lines) else ""
        return line[word.place.column - 1 : word.place.column] in ("'", '"')

    def _divided(self, key: Word) -> tuple[Word, Node]:
        """Name and value of an entry in braces that has no colon: what she meant, so that nothing else seems wrong."""
        match = _NO_COLON.fullmatch(key)
        if match is None:
            self._found(not_yaml.no_value(key, key.place))
            return key, Word("", key.place)
        name, value = (match[1], match[2]) if match[1] else (match[3], match[4])
        self._found(not_yaml.no_colon(key, name, value, place=key.place))
        return Word(name, key.place), Word(value, key.place)

    def _colon_follows(self, event: Any) -> bool:
        end = event.end_mark
        rest = self.lines[end.line][end.column :] if end.line < len(self.lines) else ""
        return bool(rest.lstrip().startswith(":"))

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Place(self.source.file, start.line + 1, start.column + 1, max(length, 1))

    def _hash_follows(self, event: Any) -> bool:
        end = event.end_mark
        return end.line < len(self.lines) and bool(_HASH_FOLLOWS.match(self.lines[end.line], end.column))
