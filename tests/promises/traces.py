"""What must not be found any more, and the search for it: any eight bytes in a row of it, wherever they lie."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy
from numpy.typing import NDArray

WINDOW = 8
"""Bytes. So many in a row are never met by chance: what is searched for is random or sealed."""

_BITS = 22
_SPREADING = numpy.uint64(0x9E3779B97F4A7C15)

Words = NDArray[numpy.uint64]


def _places(words: Words) -> Words:
    """Where in a table of 2^22 each word belongs: by its product with an odd number, which spreads alike ones."""
    return (words * _SPREADING) >> numpy.uint64(64 - _BITS)


@dataclass
class Traces:
    """Names, and the bytes that are known by them; each is searched for by every window of it."""

    _windows: dict[int, str] = field(default_factory=dict)
    _table: NDArray[numpy.bool_] = field(default_factory=lambda: numpy.zeros(1 << _BITS, dtype=numpy.bool_))
    count: int = 0

    def add(self, name: str, *contents: bytes) -> None:
        for content in contents:
            self.count += 1
            for words in every_word(content):
                self._table[_places(words)] = True
                self._windows.update(dict.fromkeys(words.tolist(), name))

    def found_in(self, places: Mapping[str, bytes]) -> list[str]:
        """What was found and where, each once."""
        return sorted({f"{name} in {place}" for place, content in places.items() for name in self.within(content)})

    def within(self, content: bytes) -> set[str]:
        """The names of what was found."""
        found = set()
        for words in every_word(content):
            near = words[self._table[_places(words)]]
            found |= {self._windows[word] for word in set(near.tolist()) if word in self._windows}
        return found


def every_word(content: bytes) -> Iterator[Words]:
    """Every window of eight bytes, as a number: those at one remainder of eight after those at another."""
    for at in range(min(WINDOW, max(len(content) - WINDOW + 1, 0))):
        yield numpy.frombuffer(content, "<u8", offset=at, count=(len(content) - at) // WINDOW)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every byte under a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def offsets_of(needles: Iterable[bytes], content: bytes) -> dict[bytes, list[int]]:
    """Where each of these begins, each time it does."""
    found: dict[bytes, list[int]] = {}
    for needle in needles:
        found[needle], at = [], content.find(needle)
        while at >= 0:
            found[needle].append(at)
            at = content.find(needle, at + 1)
    return found
