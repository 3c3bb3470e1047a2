"""Every shipped file, broken line by line as an admin would break it: the checker gives the place and a cure, near the
mistake, and never falls over. A share of all breakages runs each time; IVR_TEST_EVERY_BREAKAGE=1 runs them all."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ivr.cli.main import app
from ivr.flow.compiler import TALKS, compile_flow
from ivr.flow.diagnostics import Diagnostic, in_order
from ivr.flow.talk import misnamed, read_talks
from tests.flow.test_corpus import assert_readable
from tests.shipped import content

SHARE = 1 if os.environ.get("IVR_TEST_EVERY_BREAKAGE") else 89
LINES_AWAY = 2
NEAR = 0.95

_WORD = re.compile(r"[A-Za-z_]{3,}")
_TIME = re.compile(r"\b(\d+) ?(s|days)\b")


@dataclass(frozen=True, slots=True)
class Breakage:
    """One line of one file, and what became of it."""

    how: str
    file: str
    row: int
    lines: tuple[str, ...]

    def files(self) -> dict[str, bytes]:
        return {**shipped(), self.file: "\n".join(self.lines).encode()}

    @property
    def line(self) -> str:
        return shipped()[self.file].decode().split("\n")[self.row]

    def __str__(self) -> str:
        return f"{self.how} {self.file}:{self.row + 1}"


def shipped() -> dict[str, bytes]:
    return {path: text for path, text in content().files.items() if path.endswith(".yaml")}


def breakages() -> Iterator[Breakage]:
    """Every line of every file, broken in every way that applies to it."""
    for file, text in shipped().items():
        lines = text.decode().split("\n")
        for row, line in enumerate(lines):
            if line.strip() and not line.lstrip().startswith("#"):
                for how, new in ways(line):
                    yield Breakage(how, file, row, (*lines[:row], *new, *lines[row + 1 :]))


def ways(line: str) -> Iterator[tuple[str, list[str]]]:
    written = line.partition(" #")[0].rstrip()
    yield "delete", []
    yield "double", [line, line]
    yield "deeper", [f" {line}"]
    yield "tab", [f"\t{line.lstrip()}"]
    if line.startswith(" "):
        yield "shallower", [line[1:]]
    for word in _WORD.finditer(written):
        yield from misspelt(line, word)
    for how, sign in (("brace", "}"), ("opening brace", "{"), ("bracket", "]"), ("comma", ","), ("quote", '"')):
        if sign in written:
            yield how, ["".join(written.rsplit(sign, 1))]
    if ":" in written:
        name, _, value = line.partition(":")
        yield "alias", [f"{name}: *same"]
        yield "anchor", [f"{name}: &same{value}"]
        yield "colon", [f"{name}{value}"]
        yield "last colon", ["".join(written.rsplit(":", 1))]
    if _TIME.search(written):
        yield "unit", [_TIME.sub(r"\1", line, count=1)]


def misspelt(line: str, word: re.Match[str]) -> Iterator[tuple[str, list[str]]]:
    middle = len(word[0]) // 2
    dropped = word[0][:middle] + word[0][middle + 1 :]
    swapped = word[0][: middle - 1] + word[0][middle] + word[0][middle - 1] + word[0][middle + 1 :]
    yield "letter dropped", [line[: word.start()] + dropped + line[word.end() :]]
    if swapped != word[0]:
        yield "letters swapped", [line[: word.start()] + swapped + line[word.end() :]]


def diagnosed(files: dict[str, bytes]) -> tuple[Diagnostic, ...]:
    compiled = compile_flow(files)
    talks, found = read_talks(TALKS, files[TALKS])
    if compiled.flow is not None:
        found = (*found, *misnamed(talks, compiled.flow))
    return in_order((*compiled.diagnostics, *found))


def is_near(breakage: Breakage, found: Iterable[Diagnostic]) -> bool:
    """Some diagnostic is within two lines of the mistake, or names a word of the line that was broken."""
    words = set(_WORD.findall(breakage.line)) | set(_WORD.findall("\n".join(breakage.lines[breakage.row :][:1])))
    return any(
        (one.place.file == breakage.file and abs(one.place.line - breakage.row - 1) <= LINES_AWAY)
        or words & set(_WORD.findall(f"{one.message} {one.cure}"))
        for one in found
    )


def test_a_broken_line_gives_its_place_and_its_cure() -> None:
    refused: list[tuple[Breakage, tuple[Diagnostic, ...]]] = []
    kinds: Counter[str] = Counter()
    for breakage in list(breakages())[::SHARE]:
        files = breakage.files()
        found = diagnosed(files)
        kinds[breakage.how] += 1
        for diagnostic in found:
            assert_readable(diagnostic, files)
        if found:
            refused.append((breakage, found))
    far = [breakage for breakage, found in refused if not is_near(breakage, found)]
    assert len(kinds) >= 14
    assert len(far) <= (1 - NEAR) * len(refused), "\n".join(map(str, far))
    single = sum(len(found) == 1 for _, found in refused)
    assert single >= 0.9 * len(refused), "one mistake, one message"


MUST_BE_REFUSED = ("delete", "double", "deeper", "tab", "colon", "brace", "alias", "anchor", "unit")


@pytest.mark.parametrize("how", MUST_BE_REFUSED)
def test_the_command_refuses_a_broken_flow_without_a_traceback(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step `person`, which every caller needs: no way of breaking it goes through."""
    of_flow = [one for one in breakages() if one.file == "flows/hotline.yaml" and one.how == how]
    breakage = next((one for one in of_flow if "transfer" in one.line or "ring" in one.line), of_flow[0])
    for path, text in breakage.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text)
    monkeypatch.setenv("IVR_FLOWS_DIR", str(tmp_path / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(tmp_path / "prompts"))
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 1, breakage
    assert "Traceback" not in result.output
    assert "flows/hotline.yaml:" in result.output
    assert "\n  -> " in result.output
