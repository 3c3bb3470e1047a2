"""A seizure: everything that lies in the memory, the environment and the files of a process, and what can be done with
it. Two searches: for secrets that the test knows, in many encodings; and, as somebody who knows none, with every window
of 32 bytes tried as a key. Linux only: elsewhere no process shows its memory."""

import os
import re
from base64 import b32encode, b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tests.promises.traces import files_in
from tests.shipped import ROOT

KEY = 32
MEMORY = "memory"
HAS_MEMORY = Path("/proc/self/mem").exists()

_REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)\s*(.*)")


def seized(pid: int, *folders: Path) -> dict[str, bytes]:
    """What a process has: its memory as far as it may be written to, its environment, and every file in the folders.
    (Memory that is only mapped from files, and not written to, is those files.)"""
    found = {f"{folder.name}/{name}": content for folder in folders for name, content in files_in(folder).items()}
    of = Path(f"/proc/{pid}")
    found["environment"] = (of / "environ").read_bytes()
    found["command"] = (of / "cmdline").read_bytes()
    for link in (of / "fd").iterdir():
        if str(link.readlink()).endswith(" (deleted)"):
            found[f"deleted {link.name}"] = link.read_bytes()
    with (of / "mem").open("rb", buffering=0) as memory:
        for line in (of / "maps").read_text().splitlines():
            region = _REGION.match(line)
            assert region is not None, line
            start, end, rights, inode, name = region.groups()
            if "r" in rights and ("w" in rights or inode == "0") and name not in ("[vvar]", "[vsyscall]"):
                found[f"{MEMORY} {start} {name}"] = _read(memory.fileno(), int(start, 16), int(end, 16))
    return found


def _read(memory: int, start: int, end: int) -> bytes:
    """A region, or as much of it as is there."""
    parts, at = list[bytes](), start
    while at < end:
        try:
            part = os.pread(memory, min(end - at, 1 << 24), at)
        except OSError:  # pages that nobody ever touched behind the end of a stack
            break
        if not part:
            break
        parts.append(part)
        at += len(part)
    return b"".join(parts)


# ---- secrets that are known ----

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "backwards": lambda secret: secret[::-1],
    "hex": lambda secret: secret.hex().encode(),
    "hex, upper case": lambda secret: secret.hex().upper().encode(),
    "hex, UTF-16": lambda secret: secret.hex().encode("utf-16-le"),
    "hex, UTF-32": lambda secret: secret.hex().encode("utf-32-le"),
    "base64": lambda secret: b64encode(secret).rstrip(b"="),
    "base64, a byte later": lambda secret: b64encode(b"\0" + secret)[2:].rstrip(b"="),
    "base64, two bytes later": lambda secret: b64encode(b"\0\0" + secret)[3:].rstrip(b"="),
    "base64 for URLs": lambda secret: urlsafe_b64encode(secret).rstrip(b"="),
    "base32": lambda secret: b32encode(secret).rstrip(b"="),
    "as Python writes it": lambda secret: repr(secret)[2:-1].encode(),
    "numbers with commas": lambda secret: ", ".join(map(str, secret)).encode(),
    "one number": lambda secret: str(int.from_bytes(secret)).encode(),
    "one number, little end first": lambda secret: str(int.from_bytes(secret, "little")).encode(),
}


@dataclass
class Known:
    """Secrets by name. Half of one, in any encoding, is one too many."""

    _halves: dict[bytes, list[tuple[str, bytes]]] = field(default_factory=dict)
    count: int = 0

    def add(self, name: str, *secrets: bytes) -> None:
        for secret in secrets:
            for encoding, encode in ENCODINGS.items():
                whole = encode(secret)
                for half in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
                    self._halves.setdefault(half[:8], []).append((f"{name}, {encoding}", half))
                    self.count += 1

    def found_in(self, places: Mapping[str, bytes]) -> list[str]:
        """What was found and where."""
        return sorted({f"{name} in {place}" for place, content in places.items() for name in self._within(content)})

    def _within(self, content: bytes) -> Iterator[str]:
        table = numpy.zeros(1 << 24, dtype=numpy.bool_)
        for start in self._halves:
            table[int.from_bytes(start[:3], "little")] = True
        read = numpy.frombuffer(content, dtype=numpy.uint8)
        for block in range(0, max(len(read) - 2, 0), 1 << 24):
            part = read[block : block + (1 << 24) + 2].astype(numpy.uint32)
            windows = part[:-2] | part[1:-1] << 8 | part[2:] << 16
            for at in (numpy.nonzero(table[windows])[0] + block).tolist():
                for name, half in self._halves.get(content[at : at + 8], ()):
                    if content.startswith(half, at):
                        yield name


# ---- secrets that nobody knows ----

FEWEST_DISTINCT, FEWEST_HIGH, MOST_ZEROS = 23, 4, 4
"""Of 32 random bytes at least so many differ, so many are 128 and more, so many less, and at most so many are 0: of all
but four keys in a million. What lies in memory is mostly text, addresses and small numbers, and is not like that."""

Windows = NDArray[numpy.uint8]
"""One window of 32 bytes in each row."""

_HEX = re.compile(rb"[0-9a-fA-F]{64,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{43,}")


def candidates(places: Mapping[str, bytes], *, every_offset: bool = False) -> Windows:
    """Everything that could be a key, each once: windows of files at every offset, of memory at every eighth (or at
    every one), and what text in hexadecimal or base64 stands for."""
    found = [numpy.zeros((0, KEY), dtype=numpy.uint8)]
    for place, content in places.items():
        step = 8 if place.startswith(MEMORY) and not every_offset else 1
        found.append(_random_looking(content, step))
        found += [_random_looking(decoded, 1) for decoded in _decoded(content)]
    return _each_once(numpy.concatenate(found))


def _random_looking(content: bytes, step: int) -> Windows:
    read = numpy.frombuffer(content, dtype=numpy.uint8)
    found = [numpy.zeros((0, KEY), dtype=numpy.uint8)]
    for block in range(0, len(read) - KEY + 1, 1 << 22):
        part = read[block : block + (1 << 22) + KEY - 1]
        high, zeros = _counts(part >= 128)[::step], _counts(part == 0)[::step]
        near = (high >= FEWEST_HIGH) & (high <= KEY - FEWEST_HIGH) & (zeros <= MOST_ZEROS)
        windows = sliding_window_view(part, KEY)[::step][near]
        ordered = numpy.sort(windows, axis=1)
        distinct = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
        found.append(_each_once(windows[distinct >= FEWEST_DISTINCT]))
    return numpy.concatenate(found)


def _counts(marks: NDArray[numpy.bool_]) -> NDArray[numpy.int32]:
    """How many marks there are in each window."""
    summed = numpy.concatenate(([0], numpy.cumsum(marks, dtype=numpy.int32)))
    return numpy.asarray(summed[KEY:] - summed[:-KEY], dtype=numpy.int32)


def _each_once(windows: Windows) -> Windows:
    whole = numpy.ascontiguousarray(windows).view(f"V{KEY}").ravel()
    return numpy.unique(whole).view(numpy.uint8).reshape(-1, KEY)


def _decoded(content: bytes) -> Iterator[bytes]:
    """What long texts of digits or letters may stand for: those of even and of odd beginning, and at each of four."""
    for text in _HEX.findall(content):
        for at in (0, 1):
            even = text[at : at + (len(text) - at) // 2 * 2]
            yield bytes.fromhex(even.decode())
    for text in _BASE64.findall(content):
        plain = text.replace(b"-", b"+").replace(b"_", b"/")
        for at in range(4):
            part = plain[at:]
            yield b64decode(part[: len(part) // 4 * 4] + _rest(part))


def _rest(text: bytes) -> bytes:
    """The last letters of a text in base64, filled up; one alone stands for nothing."""
    rest = text[len(text) // 4 * 4 :]
    return rest.ljust(4, b"=") if len(rest) > 1 else b""


@cache
def purposes() -> tuple[str, ...]:
    """Every purpose that the code derives a key for."""
    said = "".join(path.read_text("utf-8") for path in sorted((ROOT / "ivr").rglob("*.py")))
    return tuple(sorted({*re.findall(r'purpose="([^"]+)"', said), *re.findall(r'person=b"([^"]+)"', said)}))
