"""Every broken set is refused with the words that an author was meant to read. `pytest tests/flow --update` keeps what
is printed now; read the difference as she would."""

import time
from pathlib import Path

import pytest

from ivr.cli.diagnostics import Format, shown
from ivr.cli.explain import codes
from ivr.flow.diagnostics import Diagnostic, in_order
from tests.flow.broken import Case, cases, loaded, sound

ALL = cases()
AT_LEAST = 100
PER_CODE = 2
ELSEWHERE = {"talk-failed"}
"""Told by `ivr test`, which plays talks; `ivr check` only reads them."""

JARGON = ("mapping", "scalar", "node", "schema", "token", "parse", "None", "Word(", "dict", "<class")
CPU_SECONDS = 1.0


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_broken_set_is_refused_in_these_words(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    files = case.files()
    began = time.process_time()
    found = loaded(files, tmp_path)
    spent = time.process_time() - began
    printed = shown(found.diagnostics, found.files, Format.full)
    if request.config.getoption("update", default=False):
        case.rewritten(printed)
    else:
        assert case.golden is not None, "no golden output yet: run pytest tests/flow --update, and read it"
        assert printed == case.golden
    assert case.code in {diagnostic.code for diagnostic in found.diagnostics}
    assert spent < CPU_SECONDS
    for diagnostic in found.diagnostics:
        assert_readable(diagnostic, found.files)


def assert_readable(diagnostic: Diagnostic, files: dict[str, bytes]) -> None:
    """The place is in a file, the sentences are sentences, and no word is ours."""
    place = diagnostic.place
    lines = files.get(place.file, b"").decode("utf-8-sig", "replace").splitlines() or [""]
    assert 1 <= place.line <= len(lines), diagnostic
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1, diagnostic
    assert place.length >= 1, diagnostic
    for sentence in (diagnostic.message, diagnostic.cure):
        assert sentence, diagnostic
        assert sentence[0].isupper() or sentence[0] in "`{", diagnostic
        assert sentence.endswith((".", "?", "!", '"', "`")), diagnostic
        assert not [word for word in JARGON if word in sentence], diagnostic
        assert len(sentence) < 250, diagnostic


def test_the_sound_set_is_sound(tmp_path: Path) -> None:
    found = loaded(dict(sound()), tmp_path)
    assert shown(found.diagnostics, found.files, Format.concise) == ""
    assert found.flow is not None


@pytest.mark.parametrize("code", [code for code in codes() if code not in ELSEWHERE])
def test_every_code_has_its_cases(code: str) -> None:
    assert sum(case.code == code for case in ALL) >= PER_CODE


def test_every_case_belongs_to_a_code() -> None:
    assert {case.code for case in ALL} <= set(codes())
    assert len(ALL) >= AT_LEAST


def test_what_is_wrong_is_told_once_and_from_the_top_down(tmp_path: Path) -> None:
    for number, case in enumerate(ALL[::7]):
        found = loaded(case.files(), tmp_path / str(number)).diagnostics
        assert list(found) == list(in_order(found))


def test_mistakes_in_several_files_are_told_at_once(tmp_path: Path) -> None:
    files = dict(sound())
    files["flows/hotline.yaml"] = files["flows/hotline.yaml"].replace(b"America/New_York", b"New York")
    files["flows/hotline.yaml"] = files["flows/hotline.yaml"].replace(b"nobody: nobody_free", b"nobody: nobody_fre")
    files["flows/forms/incident.yaml"] = files["flows/forms/incident.yaml"].replace(b"90 days", b"90")
    files["prompts/en.yaml"] = files["prompts/en.yaml"].replace(b"goodbye: Goodbye.", b"goodbye: Press # twice.")
    files["prompts/es.yaml"] = files["prompts/es.yaml"].replace(b"  goodbye: Adi\xc3\xb3s.\n", b"")
    found = loaded(files, tmp_path).diagnostics
    assert [diagnostic.code for diagnostic in found] == [
        "time-without-unit",
        "unknown-zone",
        "unknown-step",
        "missing-prompt",
        "text-cut-by-hash",
    ]


UNUSUAL = {
    "a byte order mark": ("prompts/es.yaml", b"language: es", b"\xef\xbb\xbflanguage: es"),
    "line ends of Windows": ("flows/hotline.yaml", b"\n", b"\r\n"),
    "line ends of an old Mac": ("flows/forms/incident.yaml", b"\n", b"\r"),
    "a no that is a code": ("flows/forms/incident.yaml", b"3: none", b"3: no"),
    "a time below ten": ("flows/hotline.yaml", b"22:00-06:00", b"08:30-09:05"),
    "keys in quotes": ("flows/hotline.yaml", b"{ 1: main, 2: leave }", b"{ \"1\": main, '2': leave }"),
    "a menu on lines of its own": ("flows/hotline.yaml", b"{ 1: main, 2: leave }", b"\n      1: main\n      2: leave"),
    "a remark after a step": ("flows/hotline.yaml", b"{ exit: goodbye }", b"{ exit: goodbye }   # and rest"),
    "a text of several lines": ("prompts/en.yaml", b"Thank you.", b"Thank you\n    very much."),
    "a text in a block": ("prompts/en.yaml", b"Thank you.", b">\n    Thank you\n    very much."),
    "minutes": ("flows/hotline.yaml", b"on_call: 25s", b"on_call: 1 min"),
    "three dashes at the top": ("flows/hotline.yaml", b"flow: hotline", b"---\nflow: hotline"),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_what_is_unusual_and_right_is_accepted(what: str, tmp_path: Path) -> None:
    path, old, new = UNUSUAL[what]
    files = dict(sound())
    assert old in files[path]
    files[path] = files[path].replace(old, new)
    if b": no " in new or new.endswith(b": no"):
        for texts in ("prompts/en.yaml", "prompts/es.yaml"):
            files[texts] = files[texts].replace(b"incident.vehicle.none", b"incident.vehicle.no")
    found = loaded(files, tmp_path)
    assert shown(found.diagnostics, found.files, Format.concise) == ""
