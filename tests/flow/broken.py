"""A corpus of broken files: a small sound set, and cases that each change it and tell what the checker then says.

A case is a text file, `corpus/CODE/NAME.txt`: a sentence, the changes, a line `---`, and what is printed. A change
names a file and then says what becomes of it:

    @ flows/hotline.yaml            these lines, which stand there once, are replaced
    - old
    + new
    @ flows/forms/other.yaml is     the whole file is this
    + form: other
    @ flows/hotline.yaml gone       there is no such file
    @ prompts/en.yaml bytes         the whole file is this, with \\x00 and the like for single bytes
    + language: \\xff
    @ prompts/en.yaml 10 times      the whole file is this, so often
    + name: value
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ivr.flow.line import SENTENCES, WRITTEN
from ivr.services.content import Content, load

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
CUT = "---"

_CHANGE = re.compile(r"@ (\S+)(?: (is|gone|bytes|(\d+) times))?\n((?:[-+][^\n]*\n)*)")


@dataclass(frozen=True, slots=True)
class Case:
    """One broken set. `golden` None: nobody has looked at what is printed yet."""

    path: Path
    written: str
    golden: str | None

    @property
    def code(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return f"{self.code}/{self.path.stem}"

    def files(self) -> dict[str, bytes]:
        """The sound set, changed."""
        files = dict(sound())
        changes = list(_CHANGE.finditer(self.written))
        assert changes, f"{self.path} changes nothing"
        for change in changes:
            path, how, times, lines = change.groups()
            old = "\n".join(line[2:] for line in lines.splitlines() if line.startswith("-"))
            new = "\n".join(line[2:] for line in lines.splitlines() if line.startswith("+"))
            if how == "gone":
                del files[path]
            elif how == "is":
                files[path] = f"{new}\n".encode()
            elif how == "bytes":
                files[path] = new.encode("latin-1").decode("unicode_escape").encode("latin-1")
            elif times:
                files[path] = f"{new}\n".encode() * int(times)
            else:
                text = files[path].decode()
                assert text.count(old) == 1, f"{self.path}: {old!r} stands {text.count(old)} times in {path}"
                files[path] = text.replace(old, new).encode()
        return files

    def rewritten(self, golden: str) -> None:
        """Keep what is printed now as the golden output."""
        self.path.write_text(f"{self.written}{CUT}\n{golden}\n", "utf-8")


def cases() -> list[Case]:
    """Every case, by code and name."""
    return [_read(path) for path in sorted(CORPUS.glob("*/*.txt"))]


def _read(path: Path) -> Case:
    written, cut, golden = path.read_text("utf-8").partition(f"\n{CUT}\n")
    return Case(path, f"{written.rstrip()}\n", golden.rstrip("\n") if cut else None)


@cache
def sound() -> dict[str, bytes]:
    """The set in which nothing is wrong. Sentences that the line has learnt since are added at the end of its own, and
    their wordings for texts at the end of those."""
    files = {}
    for path in sorted((HERE / "base").rglob("*.yaml")):
        text = path.read_text("utf-8")
        if path.parent.name == "prompts":
            above, words, below = text.partition("\nwords:")
            said = _learnt(SENTENCES, after=above.partition("\nline:\n")[2])
            text = f"{above}{said}{words}{below}{_learnt(WRITTEN, after=below.partition('text:')[2])}"
        files[path.relative_to(HERE / "base").as_posix()] = text.encode()
    return files


def _learnt(sentences: Iterable[str], *, after: str) -> str:
    written = set(re.findall(r"^  ([a-z_.]+):", after, re.MULTILINE))
    return "".join(_sentence(name, SENTENCES[name]) for name in sentences if name not in written)


def _sentence(name: str, gaps: frozenset[str]) -> str:
    said = f'"..{"".join(f" {{{gap}}}" for gap in sorted(gaps))}"'
    return f"  {name}: {{ one: {said}, many: {said} }}\n" if "n" in gaps else f"  {name}: {said}\n"


def loaded(files: dict[str, bytes], folder: Path) -> Content:
    """What `ivr check` finds in these files, read from the disk."""
    for top in ("flows", "prompts"):
        (folder / top).mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return load(folder / "flows", folder / "prompts")
