"""`ivr reports`, for those who ask to be called: first in the list, readable, never confirmed, and gone when done."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_calling import WHOLE_REPORT, ivr
from tests.shipped import ROOT

PASSPHRASE = "four quiet harbor lamps"
NUMBER = "2125550123"
ASKS = f"2 0 2 {NUMBER}# 1 3 2 2 1 9"


@pytest.fixture(autouse=True)
def by_ana(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, ...]:
    """A line with a report, a request to be called, and another report; Ana's passphrase, as it is typed."""
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    typed = ("--passphrase-file", str(file))
    assert ivr("init", "--advocate", "ana", *typed, "--print-secrets")[0] == 0
    for keys in (WHOLE_REPORT["English"], ASKS, WHOLE_REPORT["Spanish"]):
        assert ivr("call", "--keys", keys)[0] == 0
    return typed


def request_id() -> str:
    return ivr("reports", "list")[1].splitlines()[1].split()[0]


def test_who_asks_to_be_called_stands_first_with_the_nights_that_are_left() -> None:
    code, listed = ivr("reports", "list")
    assert code == 0
    _, first, *others = listed.splitlines()
    assert "callback" in first
    assert "CALL BACK" in first
    assert "3 nights left" in first
    assert len(others) == 2
    assert not [line for line in others if "CALL BACK" in line]
    assert NUMBER[-4:] not in listed


def test_it_is_read_with_number_and_wishes_and_says_that_people_call(by_ana: tuple[str, ...]) -> None:
    code, read = ivr("reports", "read", "--print-secrets", *by_ana)
    assert code == 0
    head, *lines = read.splitlines()
    assert "CALL BACK, 3 nights left" in head
    assert "may be used" not in head
    assert [line.split() for line in lines[:4]] == [
        ["phone", "212", "555", "0123"],
        ["hours", "evening", "(evening)"],
        ["message", "no", "(no", "message)"],
        ["others", "wrong_number", "(say", "it", "is", "a", "wrong", "number)"],
    ]
    assert lines[4] == f"  Call yourself: nothing here dials. Then: ivr reports done {request_id()[:8]}"


def test_it_is_not_confirmed_and_the_refusal_says_what_to_do(by_ana: tuple[str, ...]) -> None:
    for undo in ((), ("--undo",)):
        code, said = ivr("reports", "confirm", request_id(), *undo, *by_ana)
        assert code == 2
        assert "`ivr reports done`" in said


def test_done_deletes_it_at_once_and_for_good(by_ana: tuple[str, ...], tmp_path: Path) -> None:
    asked = request_id()
    assert ivr("reports", "note", asked, "--text", "no answer at six", *by_ana)[0] == 0
    with sqlite3.connect(tmp_path / "data" / "porchlight.db") as looking:
        key = "SELECT sealed_key FROM report_keys WHERE report_id = ?"
        [(sealed_key,)] = looking.execute(key, (bytes.fromhex(asked),)).fetchall()
        [(body,)] = looking.execute("SELECT body FROM reports WHERE id = ?", (bytes.fromhex(asked),)).fetchall()
    looking.close()
    code, said = ivr("reports", "done", asked[:8], *by_ana)
    assert (code, "deleted" in said) == (0, True), said
    listed = ivr("reports", "list")[1]
    assert asked not in listed
    assert len(listed.splitlines()) == 3
    assert "CALL BACK" not in ivr("reports", "read", "--print-secrets", *by_ana)[1]
    code, said = ivr("reports", "done", asked, *by_ana)
    assert code == 1
    assert "no such report" in said
    for path in (tmp_path / "data").glob("porchlight.db*"):
        assert sealed_key not in path.read_bytes()
        assert body not in path.read_bytes()


def test_done_is_not_for_reports_and_needs_a_passphrase(by_ana: tuple[str, ...], tmp_path: Path) -> None:
    report = ivr("reports", "list")[1].splitlines()[2].split()[0]
    code, said = ivr("reports", "done", report, *by_ana)
    assert (code, "It is a report" in said) == (2, True), said
    wrong = tmp_path / "wrong"
    wrong.write_text("some other words here\n")
    code, said = ivr("reports", "done", request_id(), "--passphrase-file", str(wrong))
    assert (code, "passphrase" in said) == (2, True), said
    assert len(ivr("reports", "list")[1].splitlines()) == 4


def test_an_export_leaves_it_out_and_does_not_count_it(by_ana: tuple[str, ...], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("another quiet passphrase\n")
    added = ivr("advocates", "add", "bo", *by_ana, "--new-passphrase-file", str(other))
    assert added[0] == 0, added
    file = tmp_path / "export.csv"
    names = ("--advocate", "ana", "--second", "bo", "--second-passphrase-file", str(other))
    code, said = ivr("reports", "export", str(file), *by_ana, *names)
    assert (code, "Left out: 2 not to be passed on" in said) == (0, True), said
    assert file.read_text().splitlines() == ["report,form,day,adds_to"]


def test_purging_by_hand_leaves_it_its_nights() -> None:
    assert "Would forget reports: none" in ivr("reports", "purge", "--dry-run")[1]
    assert "Forgot reports: none" in ivr("reports", "purge")[1]
    assert "3 nights left" in ivr("reports", "list")[1]


def test_one_that_somebody_planted_is_named_as_such_and_offers_nothing(by_ana: tuple[str, ...], tmp_path: Path) -> None:
    asked = request_id()
    with sqlite3.connect(tmp_path / "data" / "porchlight.db") as planting:
        planting.execute("UPDATE reports SET week = '2020-W01' WHERE id = ?", (bytes.fromhex(asked),))
    planting.close()
    assert "NOT OURS" in ivr("reports", "list")[1].splitlines()[1]
    read = ivr("reports", "read", "--print-secrets", asked, *by_ana)[1]
    assert "Do not act on it" in read
    assert "Call yourself" not in read
    code, said = ivr("reports", "done", asked, *by_ana)
    assert (code, "planted or altered" in said) == (2, True), said
