"""YAML with places: every scalar stays the text that was typed, and remembers where it stood.

Only a small, unsurprising part of YAML is let through: no anchors, aliases, tags or doubled keys, so that a file means
what it looks like. Knows nothing of verbs or prompts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.rules import duplicate_key, no_shortcuts, not_text, not_yaml, too_big

MAX_BYTES = 1_000_000
MAX_DEPTH = 12

_HASH_FOLLOWS = re.compile(r"[ \t]+#")


class Word(str):
    """A scalar, exactly as typed: `no` is "no" and `08:30` is "08:30". `cut` when a ` #` comment follows it unquoted."""

    __slots__ = ("cut", "place")

    place: Place
    cut: bool

    def __new__(cls, text: str, place: Place, *, cut: bool = False) -> "Word":
        word = super().__new__(cls, text)
        word.place = place
        word.cut = cut
        return word


class Table(dict[Word, "Node"]):
    """A mapping; its keys are Words with places of their own."""

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
        source.found.append(not_text.found(_place_in(file, content[: error.start].decode("latin-1"))))
        return source
    builder = _Builder(source, text.splitlines())
    try:
        source.tree = builder.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        source.found.append(not_yaml.found(file, error, builder.lines))
    except yaml.reader.ReaderError as error:
        source.found.append(not_text.found(_place_in(file, text[: error.position])))
    except _TooDeep as error:
        source.found.append(too_big.nested(error.place, MAX_DEPTH))
    return source


def _place_in(file: str, before: str) -> Place:
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


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


class _TooDeep(Exception):
    def __init__(self, place: Place) -> None:
        self.place = place


class _Builder:
    def __init__(self, source: Source, lines: list[str]) -> None:
        self.source = source
        self.lines = lines

    def document(self, events: Iterator[Any]) -> Node:
        tree: Node | None = None
        for event in events:
            if isinstance(event, yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent | yaml.AliasEvent):
                node = self._node(event, events, 1)
                if tree is not None:
                    self.source.found.append(no_shortcuts.found(node.place, "a second document (`---`)"))
                tree = tree if tree is not None else node
        if tree is None:
            tree = Table()
            tree.place = Place(self.source.file)
        return tree

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise _TooDeep(place)
        if isinstance(event, yaml.AliasEvent):
            self.source.found.append(no_shortcuts.found(place, f"the alias `*{event.anchor}`"))
            return Word("", place)
        if event.anchor is not None:
            self.source.found.append(no_shortcuts.found(place, f"the anchor `&{event.anchor}`"))
        if event.tag is not None:
            self.source.found.append(no_shortcuts.found(place, f"the tag `{event.tag}`"))
        if isinstance(event, yaml.ScalarEvent):
            return Word(event.value, place, cut=event.style is None and self._hash_follows(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(events, place, depth)
        return self._table(events, place, depth)

    def _items(self, events: Iterator[Any], place: Place, depth: int) -> Items:
        items = Items()
        items.place = place
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, depth + 1))
        return items

    def _table(self, events: Iterator[Any], place: Place, depth: int) -> Table:
        table = Table()
        table.place = place
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, Word):
                self.source.found.append(no_shortcuts.found(key.place, "a list or table as a key"))
            elif key == "<<":
                self.source.found.append(no_shortcuts.found(key.place, "the merge key `<<`"))
            elif key in table:
                self.source.found.append(duplicate_key.found(key, key.place, first=key_of(table, key).place))
            else:
                table[key] = value
        return table

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Place(self.source.file, start.line + 1, start.column + 1, max(length, 1))

    def _hash_follows(self, event: Any) -> bool:
        end = event.end_mark
        return end.line < len(self.lines) and bool(_HASH_FOLLOWS.match(self.lines[end.line], end.column))
