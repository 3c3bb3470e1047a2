"""`ivr text`: a phone that texts, for a person and for scripts; alone, with this line's data, and through the door."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ivr.cli.main import app
from tests.cli.test_serving import environment, free_port, served
from tests.cli.test_serving import ivr as ran
from tests.cli.test_through_the_door import stranger
from tests.shipped import ROOT, text

REPORT = "VOICE | 1 | 1 4 # | 1 | 1 | # # # # # # # # # # # | 1 | 2"
"""A weapon, today, and no more than that; it may warn others."""


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))


def ivr(*words: str, typed: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def receipt_in(shown: str) -> str:
    return re.sub(" ", "", re.findall(r"this report: ([0-9 ]{14})", shown)[-1])


def test_a_conversation_shows_each_message_and_what_it_costs() -> None:
    code, shown = ivr("text", "--rehearse", "--say", REPORT)
    assert code == 0
    assert shown.startswith("This is a rehearsal")
    assert "> 1 4 #\n  When?\n  1 today" in shown
    assert "  [1 message, GSM-7, 51 characters]" in shown
    assert receipt_in(shown)


def test_a_person_types_asks_for_help_and_puts_the_phone_away() -> None:
    code, shown = ivr("text", "--rehearse", typed="/help\nvoz\n/nonsense\nSTOP\n/bye\nVOICE\n")
    assert code == 0
    assert "VOICE begins in English" in shown
    assert "There is no such command" in shown
    assert "(no text comes back)" in shown
    assert "report what someone did" not in shown


def test_before_there_are_keys_a_conversation_is_a_rehearsal_and_says_so() -> None:
    assert "nothing of it is kept" in ivr("text", "--say", "VOICE")[1]


def test_with_the_data_of_this_line_a_report_is_kept_and_its_receipt_opens_it(tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase of many words")
    made = ivr(
        "init", "--advocate", "ana", "--passphrase-file", str(passphrase), "--shares-file", str(tmp_path / "shares")
    )
    assert made[0] == 0, made
    receipt = receipt_in(ivr("text", "--say", REPORT)[1])
    assert "warn_others" in ivr("reports", "list")[1]
    by_phone = ivr("call", "--keys", f"2 2 {receipt} 1 3 1 /hangup")[1]
    assert text("es", "line.status.new") in by_phone
    assert text("es", "line.consent_changed") in by_phone
    assert "count_only" in ivr("reports", "list")[1]
    assert text("en", "line.receipt_withdrawn") in ivr("text", "--say", f"VOICE 2 | {receipt} | 4 | 1 | 2")[1]
    assert "taken_back" in ivr("reports", "list")[1]


def test_a_conversation_through_the_door_needs_a_line_that_was_served() -> None:
    code, shown = ivr("text", "--through-the-door", "--say", "VOICE")
    assert code == 2
    assert "make run" in shown
    assert ivr("text", "--through-the-door", "--rehearse")[0] == 2


def test_through_the_door_the_line_sends_its_texts_and_goes_on_in_the_next_session(tmp_path: Path) -> None:
    settings = environment(tmp_path / "line", IVR_PLIVO_API_URL=f"http://127.0.0.1:{free_port()}")
    with served(settings):
        first = ran(settings, "text", "--through-the-door", "--say", "VOICE | 1 | 2 1 #")
        assert first.returncode == 0, first.stderr
        assert "When?" in first.stdout
        second = ran(settings, "text", "--through-the-door", "--say", "1 | 1 | BYE | STOP | VOICE")
        assert text("en", "line.saved") in second.stdout
        assert text("en", "line.text_forget") in second.stdout
        assert "You have been unsubscribed" in second.stdout
        assert "count_only" in ran(settings, "reports", "list").stdout


def test_where_somebody_else_listens_no_text_can_be_sent_and_it_says_what_to_do(tmp_path: Path) -> None:
    with stranger() as port:
        settings = environment(tmp_path / "line", IVR_PLIVO_API_URL=f"http://127.0.0.1:{port}")
        with served(settings):
            told = ran(settings, "text", "--through-the-door", "--say", "VOICE")
    assert f"Port {port} is taken" in told.stdout
    assert "no reply could be sent" in told.stdout


def test_by_xml_replies_come_back_with_each_text(tmp_path: Path) -> None:
    settings = environment(
        tmp_path / "line", IVR_PLIVO_API_URL=f"http://127.0.0.1:{free_port()}", IVR_TEXT_REPLIES="xml"
    )
    with served(settings):
        told = ran(settings, "text", "--through-the-door", "--say", "VOZ | 1")
    assert text("es", "bad_date.what.hurt") in told.stdout


def test_where_nobody_answers_it_says_so(tmp_path: Path) -> None:
    settings = environment(tmp_path / "line", IVR_PLIVO_API_URL=f"http://127.0.0.1:{free_port()}")
    with served(settings):
        pass
    told = ran(settings, "text", "--through-the-door", "--say", "VOICE")
    assert told.returncode == 2
    assert "Nobody answers on" in told.stderr
