"""`ivr call`: a phone in the terminal, for a person and for scripts."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ivr.cli.main import app
from tests.shipped import ROOT, text

WHOLE_REPORT = {
    "English": "1 1 2 1 # 1 1 # # # # # # # # # # # 1 2 # 9",
    "Spanish": "2 1 2 1 # 1 1 # # # # # # # # # # # 1 2 # 9",
}


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))


def ivr(*words: str, typed: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(("language", "code"), [("English", "en"), ("Spanish", "es")])
def test_a_whole_report_in_a_language(language: str, code: str) -> None:
    done, heard = ivr("call", "--rehearse", "--keys", WHOLE_REPORT[language])
    assert done == 0
    assert text(code, "line.saved") in heard
    assert text(code, "line.receipt").split("{")[0] in heard
    assert heard.rstrip().endswith("[the line hangs up]")


def test_before_there_are_keys_a_call_is_a_rehearsal_and_says_so() -> None:
    assert "This call is a rehearsal" in ivr("call", "--keys", "1 9")[1]


def test_when_the_script_ends_she_hangs_up() -> None:
    assert ivr("call", "--rehearse", "--keys", "1 1")[1].rstrip().endswith("[you hang up]")


def test_a_person_at_the_keyboard_presses_says_nothing_and_hangs_up() -> None:
    code, heard = ivr("call", "--rehearse", typed="1\n\n7\nhello\n/help\n/talked\n/hang up\n")
    assert code == 0
    for part in (
        text("en", "line.silence"),
        text("en", "line.wrong_key"),
        "'hello' cannot be pressed",
        "/silence",
        "No phone is",
    ):
        assert part in heard
    assert heard.rstrip().endswith("[you hang up]")


def test_several_keys_in_one_word_are_pressed_one_after_the_other() -> None:
    assert (
        f"{text('en', 'bad_date.what.taken')}, {text('en', 'bad_date.when.today')}"
        in ivr("call", "--rehearse", "--keys", "1121#1")[1]
    )


def test_ringing_phones_can_be_answered_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_DUTY_NUMBERS", "+12125550142")
    heard = ivr("call", "--rehearse", "--keys", "1 0 /nobody 0 /talked 9")[1]
    assert "[ringing +12125550142 for 20 s: /talked or /nobody]" in heard
    assert text("en", "nobody_free") in heard
    assert text("en", "after_talk") in heard


def test_a_saved_call_is_a_talk_that_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flows = tmp_path / "flows"
    (flows / "forms").mkdir(parents=True)
    for name in ("hotline.yaml", "staff.yaml", "forms/bad_date.yaml", "forms/callback.yaml"):
        (flows / name).write_bytes((ROOT / "flows" / name).read_bytes())
    talks = flows / "hotline.talks.yaml"
    monkeypatch.setenv("IVR_FLOWS_DIR", str(flows))
    for keys in (
        "1 1 2 1 # 7 1 1 # # # # # # # # # 212555 2125550143# 1 /silence",
        "2 1 0 1",
        "1 9",
        "1 0 2 2125550123# 1 3 2 2 1",
    ):
        assert ivr("call", "--rehearse", "--keys", keys, "--save", str(talks))[0] == 0
    written = yaml.safe_load(talks.read_text())
    assert written[0]["then"]["report"] == {
        "what": "taken", "when": "today", "phone": "2125550143", "consent": "count_only",
    }  # fmt: skip
    assert written[3]["then"] == {
        "report": "none",
        "request": {
            "form": "callback", "phone": "2125550123", "hours": "evening", "message": "no", "others": "wrong_number",
        },
    }  # fmt: skip
    code, played = ivr("test")
    assert (code, "4 talks, all as written." in played) == (0, True), played


def test_a_call_through_the_door_needs_a_line_that_was_served() -> None:
    code, heard = ivr("call", "--through-the-door", "--keys", "1 9")
    assert code == 2
    assert "make run" in heard


def test_eight_in_a_rehearsal_says_that_the_line_of_those_who_answer_is_elsewhere() -> None:
    code, printed = ivr("call", "--rehearse", "--keys", "8")
    assert code == 0
    assert "line of those who answer callers" in printed


def test_eight_leads_to_the_pin_and_star_back(tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase of many words")
    shares = str(tmp_path / "shares")
    made = ivr("init", "--advocate", "ana", "--passphrase-file", str(passphrase), "--shares-file", shares)
    assert made[0] == 0, made
    code, printed = ivr("call", "--keys", "8 12345678# * /hangup")
    assert code == 0
    assert text("en", "sign_in") in printed
    assert text("en", "line.pin_unknown") in printed
    assert printed.count(text("en", "greeting")) == 2
