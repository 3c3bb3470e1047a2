"""`ivr check`, `ivr explain`, and `ivr serve` before a flow that is not clean: what is printed, and how it ends."""

import re
import shutil
import time
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from ivr.cli.checking import _effort
from ivr.cli.explain import codes
from ivr.cli.main import app
from ivr.flow.proofs import NEVER, Effort
from tests.shipped import ROOT

CPU_SECONDS = 0.5
THOUSAND_STEPS_CPU_SECONDS = 3.0
"""Three times what is promised: the machine may be busy."""


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what ships, and settings that lead there."""
    for top in ("flows", "prompts"):
        shutil.copytree(ROOT / top, tmp_path / top)
    monkeypatch.setenv("IVR_FLOWS_DIR", str(tmp_path / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(tmp_path / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def ivr(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def breaks(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def misspell_a_step(line: Path) -> None:
    breaks(line / "flows/hotline.yaml", "always: { 0: person,", "always: { 0: persn,")


def test_a_clean_flow_shows_what_callers_can_count_on(line: Path) -> None:
    result = ivr("check")
    assert result.exit_code == 0
    assert result.output.startswith("Clean. ")
    for figure in ("first key told after", "a person, from every step", "the shortest report"):
        assert result.output.count(figure) == 2, "in both languages"


def test_what_a_flow_does_not_have_is_not_told_as_a_figure() -> None:
    assert _effort(Effort(0, NEVER, NEVER)) == "there is none"
    assert _effort(Effort(1, 2.0, 3.0)) == " 1 key, 2.0 s / 3.0 s"


def test_a_clean_flow_shows_what_texts_cost(line: Path) -> None:
    plain = ivr("check").output
    assert plain.count("in one message") == plain.count("the longest text") == 2, "in both languages"
    breaks(line / "flows/hotline.yaml", "  texts_within: 2  ", "  ")
    breaks(line / "prompts/es.yaml", "accents_in_texts: dropped", "accents_in_texts: kept")
    dear = ivr("check", "--texts")
    assert dear.exit_code == 0
    figure = next(row for row in dear.output.splitlines() if "the longest text" in row and "UCS-2" in row)
    assert "messages, " in figure
    assert "because of " in figure
    for name in ("main", "bad_date.what", "bad_date:receipt"):
        assert dear.output.count(f"\n  {name}: ") == 2, "every wait in both languages"
    assert "    Reply 1 to report what someone did" in dear.output.splitlines()
    listed = re.findall(r"^  [a-z_.:]+: \d+ messages?, \d+ characters, (?:GSM-7|UCS-2)", dear.output, re.MULTILINE)
    assert len(listed) == 2 * int(dear.output.split(" waits,")[0].split()[-1])


def test_a_promise_about_texts_that_is_not_kept_names_the_prompt(line: Path) -> None:
    breaks(line / "prompts/es.yaml", "accents_in_texts: dropped", "accents_in_texts: kept")
    result = ivr("check", "--format", "concise")
    assert result.exit_code == 1
    rows = result.output.splitlines()
    assert rows
    assert all(row.startswith("prompts/es.yaml:") and ": too-long-for-one-text: " in row for row in rows)


def test_a_broken_flow_is_shown_with_its_line_a_caret_and_a_cure(line: Path) -> None:
    misspell_a_step(line)
    result = ivr("check")
    assert result.exit_code == 1
    place, message, shown, caret, cure = result.output.splitlines()[:5]
    assert place.startswith("flows/hotline.yaml:")
    assert place.endswith("  unknown-step")
    assert message == "  There is no step `persn`."
    assert shown.endswith("always: { 0: persn, 9: leave }")
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "persn"
    assert cure == "  -> Did you mean `person`?"
    assert "1 problem. `ivr explain unknown-step` tells more." in result.output


def test_concise_is_one_line_for_each_mistake(line: Path) -> None:
    misspell_a_step(line)
    breaks(line / "prompts/es.yaml", "voice: Polly.Penelope", "voice: Polly.Penelop")
    result = ivr("check", "--format", "concise")
    assert result.exit_code == 1
    first, second = result.output.splitlines()
    assert first.startswith("flows/hotline.yaml:")
    assert ": unknown-step: There is no step `persn`. Did you mean `person`?" in first
    assert second.startswith("prompts/es.yaml:3:8: voice-cannot-speak-language: ")


def test_json_is_for_editors(line: Path) -> None:
    assert orjson.loads(ivr("check", "--format", "json").output) == []
    misspell_a_step(line)
    result = ivr("check", "--format", "json")
    assert result.exit_code == 1
    [told] = orjson.loads(result.output)
    written = (line / "flows/hotline.yaml").read_text("utf-8").splitlines()[told["line"] - 1]
    assert written[told["column"] - 1 :][: told["length"]] == "persn"
    assert told["file"] == "flows/hotline.yaml"
    assert told["code"] == "unknown-step"
    assert told["message"]
    assert told["cure"]


def test_a_wide_line_is_cut_around_its_mistake(line: Path) -> None:
    breaks(line / "flows/hotline.yaml", "flow: hotline", f"flow: {'x' * 5000}")
    result = ivr("check")
    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) < 300


def test_what_a_terminal_would_obey_is_not_shown(line: Path) -> None:
    breaks(line / "flows/hotline.yaml", "flow: hotline", 'flow: "hot\\e[2Jline\u202e"')
    result = ivr("check")
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


def test_a_missing_folder_is_no_mistake_of_the_author(line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_FLOWS_DIR", str(line / "nowhere"))
    result = ivr("check")
    assert result.exit_code == 2
    assert "IVR_FLOWS_DIR" in result.output


def test_wrong_settings_are_no_mistake_of_the_author(line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_PUBLIC_URL", "nonsense")
    result = ivr("check")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_an_unknown_format_is_refused(line: Path) -> None:
    assert ivr("check", "--format", "xml").exit_code == 2


def test_explain_lists_every_code() -> None:
    result = ivr("explain")
    assert result.exit_code == 0
    assert result.output.split() == codes()


@pytest.mark.parametrize("code", codes())
def test_explain_tells_what_why_and_the_cure(code: str) -> None:
    result = ivr("explain", code)
    assert result.exit_code == 0
    assert result.output.startswith(f"{code}\n\n")
    for part in ("\nWhy: ", "\nExample:\n", "\nCure: "):
        assert part in result.output


def test_explain_suggests_what_may_be_meant() -> None:
    result = ivr("explain", "unknwon-step")
    assert result.exit_code == 2
    assert "Did you mean `unknown-step`?" in result.output


@pytest.mark.parametrize("code", ["", "../../etc/passwd", "__init__", "ivr"])
def test_explain_opens_nothing_but_rules(code: str) -> None:
    assert ivr("explain", code or " ").exit_code == 2


def test_a_talk_that_goes_otherwise_is_told_by_its_code(line: Path) -> None:
    (line / "flows/hotline.talks.yaml").write_text(
        '- talk: Ana expects too much\n  at: 2027-03-10 21:00\n  call:\n    - press: "1"\n    - hears: goodbye\n',
        "utf-8",
    )
    assert ivr("check").exit_code == 0
    result = ivr("test")
    assert result.exit_code == 1
    assert "talk-failed" in result.output
    assert "flows/hotline.talks.yaml:5:" in result.output


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  channel: text\n", "  channel: sms\n"),
        ("  channel: text\n", "  texts:\n"),
        ('    - text: "VOICE"\n', '    - text: ""\n'),
        ('receipt: "482012345678"', 'receipt: "48201234567"'),
    ],
)
def test_a_talk_that_cannot_be_read_is_no_talk_that_went_well(line: Path, old: str, new: str) -> None:
    breaks(line / "flows/hotline.talks.yaml", old, new)
    played, checked = ivr("test"), ivr("check")
    assert played.exit_code == checked.exit_code == 1
    assert played.output == checked.output
    assert "flows/hotline.talks.yaml:" in played.output


def test_serve_refuses_a_broken_flow_with_the_same_words(line: Path) -> None:
    misspell_a_step(line)
    result = ivr("serve")
    assert result.exit_code == 1
    assert "unknown-step" in result.output
    assert "-> Did you mean `person`?" in result.output
    assert "Nothing is served until the flow is clean." in result.output
    assert "Traceback" not in result.output
    assert not (line / "data").exists(), "nothing was begun"


def test_the_shipped_flows_are_checked_in_half_a_second(line: Path) -> None:
    ivr("check")
    began = time.process_time()
    assert ivr("check").exit_code == 0
    assert time.process_time() - began < CPU_SECONDS


SHAPES = {"menus": 0, "a chain": 0, "sentences": 1, "no person told": 1}
"""A thousand steps, arranged to show a rule that looks at every pair of steps or every way; and how it ends."""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thousand_steps_are_checked_in_a_second(shape: str, line: Path) -> None:
    steps, texts = thousand(shape)
    breaks(line / "flows/hotline.yaml", "  safety:     { say: safety, next: main }", steps)
    for language in ("en", "es"):
        file = line / f"prompts/{language}.yaml"
        breaks(file, "\nprompts:\n", f"\nprompts:\n{texts}")
        if shape == "no person told":
            rows = file.read_text("utf-8").split("\n")
            file.write_text("\n".join(row.replace("{0}", "") if "  safety:" in row else row for row in rows), "utf-8")
    began = time.process_time()
    result = ivr("check", "--format", "concise")
    assert time.process_time() - began < THOUSAND_STEPS_CPU_SECONDS
    assert result.exit_code == SHAPES[shape], result.output
    assert "Traceback" not in result.output


def thousand(shape: str) -> tuple[str, str]:
    """A thousand steps between the first sentence and the main menu, and their texts."""
    if shape == "sentences":
        chain = [f"  say_{n}: {{ say: safety, next: say_{n + 1} }}" for n in range(1000)]
        return "\n".join(
            ["  safety: { say: safety, next: say_0 }", *chain, "  say_1000: { say: safety, next: main }"]
        ), ""
    steps, texts = ["  safety: { say: safety, next: step_0 }"], []
    for n in range(1000):
        others = [n + 1] if shape == "a chain" else [n + 1, n * 7, n * 13]
        targets = ["main", *dict.fromkeys(f"step_{other % 1000}" for other in others if other % 1000 != n)]
        steps.append(f"  step_{n}: {{ menu: {{ {', '.join(f'{key}: {to}' for key, to in enumerate(targets, 1))} }} }}")
        texts += [f"  step_{n}.{to}: go\n" for to in targets]
    return "\n".join(steps), "".join(texts)


def test_a_voice_of_the_settings_is_checked_as_one_of_the_file_is(line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_VOICES", "es=Polly.Joanna")
    result = ivr("check", "--format", "concise")
    assert result.exit_code == 1
    assert result.output.startswith("prompts/es.yaml:3:8: voice-cannot-speak-language: ")
    assert "The voice `Polly.Joanna` does not speak `es`. IVR_VOICES names it in place of this one." in result.output
    monkeypatch.setenv("IVR_VOICES", "WOMAN")
    assert ivr("check").exit_code == 0
    assert line.is_dir()
