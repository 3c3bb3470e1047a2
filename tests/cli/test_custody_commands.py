"""`ivr keys`, `ivr advocates` and what `ivr reports` changes: as a lead types them, and what they answer."""

import re
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.kit.clock import SystemClock
from tests.cli.test_calling import WHOLE_REPORT, ivr
from tests.shipped import ROOT

ANA, BO, ZOE = "four quiet harbor lamps", "nine tall winter trees", "seven small brass keys"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a lead sits: passphrases in files, a line founded by ana, one report that may be passed on."""
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    for name, passphrase in (("ana", ANA), ("bo", BO), ("zoe", ZOE), ("short", "too short")):
        (tmp_path / name).write_text(passphrase + "\n")
    code, said = ivr("init", "--advocate", "ana", *given(tmp_path, "ana"), "--shares-file", str(tmp_path / "shares"))
    assert code == 0, said
    return tmp_path


def given(desk: Path, name: str, option: str = "--passphrase-file") -> tuple[str, str]:
    return (option, str(desk / name))


def shares(desk: Path) -> list[str]:
    """The three printed shares, cut apart: the options that name two of them."""
    blocks = (desk / "shares").read_text().strip().split("\n\n")
    for n, block in enumerate(blocks):
        (desk / f"share {n}").write_text(block)
    return [str(desk / f"share {n}") for n in range(3)]


def called(keys: str) -> str:
    """The receipt of a call. On a machine that is busy she may be told that it was not saved: she calls again."""
    for _ in range(3):
        code, said = ivr("call", "--keys", keys)
        assert code == 0, said
        if found := re.search(r"(\d \d \d \d), (\d \d \d \d), (\d \d \d \d)", said):
            return " ".join(found.groups())
    raise AssertionError(said)


def damaged(desk: Path, statement: str) -> None:
    """What somebody, or a failing disk, does to the database."""
    with closing(sqlite3.connect(desk / "data" / "porchlight.db", isolation_level=None)) as database:
        assert database.execute(statement).rowcount


LINE_GONE = "DELETE FROM line_keys"
LINE_ALTERED = "UPDATE line_keys SET certificate = zeroblob(64)"
WRAPS = "UPDATE epochs SET receipt_key = zeroblob(80)"
MONTH = "UPDATE epochs SET certificate = zeroblob(64) WHERE id = (SELECT min(id) FROM epochs)"


def test_init_shows_the_organisation_s_key_and_writes_shares_that_only_their_owner_can_read(desk: Path) -> None:
    pin = (desk / "data" / "organisation-key").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", pin)
    assert stat.S_IMODE((desk / "shares").stat().st_mode) == 0o600
    code, said = ivr("keys", "status")
    assert code == 0
    assert re.search(r"ana +lead +4 epochs", said)
    assert "any two" in said
    assert "one lead only" in said


def test_a_roll_invents_no_secret_unasked(desk: Path) -> None:
    """On another machine than the line's it would take the line down."""
    secret = desk / "data" / "secret"
    secret.unlink()
    code, said = ivr("keys", "roll", *given(desk, "ana"))
    assert (code, "--new-secret" in said, secret.exists()) == (2, True, False)
    code, said = ivr("keys", "status")
    assert (code, "set IVR_SECRET as it was" in " ".join(said.split())) == (2, True)
    code, said = ivr("keys", "roll", "--new-secret", *given(desk, "ana"))
    assert (code, secret.exists()) == (0, True), said


@pytest.mark.parametrize("content", ["", "short"])
def test_a_secret_that_is_cut_short_is_refused(desk: Path, content: str) -> None:
    (desk / "data" / "secret").write_text(content)
    for command in (("reports", "list"), ("keys", "roll", *given(desk, "ana"))):
        code, said = ivr(*command)
        assert (code, "cut short" in said) == (2, True)


def test_shares_are_never_written_over_something_or_lost_on_the_way(desk: Path) -> None:
    old = (desk / "shares").read_text()
    for file in (desk / "shares", desk / "nowhere" / "shares", Path("/dev/full")):
        code, said = ivr("keys", "shares", *given(desk, "ana"), "--shares-file", str(file))
        assert (code, "name a" in said) == (2, True), said
    assert (desk / "shares").read_text() == old
    one, two, _ = shares(desk)
    assert ivr("keys", "recover", "--drill", "--share-file", one, "--share-file", two)[0] == 0


@pytest.mark.parametrize("name", ["", "  ", "two\nlines"])
def test_an_advocate_has_a_name(desk: Path, name: str) -> None:
    assert ivr("advocates", "add", name, *given(desk, "ana"), *given(desk, "bo", "--new-passphrase-file"))[0] == 2


def test_a_lost_organisation_s_key_is_shown_again(desk: Path) -> None:
    pin = desk / "data" / "organisation-key"
    written = pin.read_text()
    pin.unlink()
    code, said = ivr("reports", "list")
    assert (code, "`ivr keys pin`" in said) == (2, True)
    assert ivr("keys", "pin", *given(desk, "ana")) == (0, written)


def test_another_organisation_s_key_in_the_settings_is_noticed(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_ORGANISATION_KEY", "ab" * 32)
    code, said = ivr("reports", "list")
    assert code == 2
    assert "IVR_ORGANISATION_KEY" in said


def test_a_lead_adds_an_advocate_who_reads_and_removes_her(desk: Path) -> None:
    called(WHOLE_REPORT["English"])
    code, said = ivr("advocates", "add", "bo", *given(desk, "ana"), *given(desk, "short", "--new-passphrase-file"))
    assert (code, "at least 12 characters" in said) == (2, True)
    code, said = ivr("advocates", "add", "bo", *given(desk, "ana"), *given(desk, "bo", "--new-passphrase-file"))
    assert code == 0, said
    code, said = ivr("reports", "read", "--print-secrets", "--advocate", "bo", *given(desk, "bo"))
    assert (code, "taken (" in said) == (0, True)
    code, said = ivr("advocates", "remove", "ana", "--advocate", "bo", *given(desk, "bo"))
    assert (code, "Bo is not a lead" in said) == (2, True)
    code, said = ivr("advocates", "remove", "bo", "--advocate", "ana", *given(desk, "ana"))
    assert (code, "Removed bo" in said) == (0, True)
    code, said = ivr("reports", "read", "--print-secrets", "--advocate", "bo", *given(desk, "bo"))
    assert (code, "no advocate bo" in said) == (2, True)


def test_a_lost_secret_is_told_with_its_cure_and_the_cure_works(desk: Path) -> None:
    receipt = called(WHOLE_REPORT["Spanish"])
    (desk / "data" / "secret").write_text("a wholly different secret\n")
    code, said = ivr("call", "--keys", "1")
    assert (code, "ivr keys roll" in said) == (2, True)
    code, said = ivr("reports", "read", "--print-secrets", *given(desk, "ana"))
    assert (code, "taken (" in said) == (0, True)
    code, said = ivr("keys", "roll", *given(desk, "ana"))
    assert (code, "Signed anew: 1 " in said) == (0, True)
    code, said = ivr("reports", "withdraw", "--yes", "--receipt", receipt)
    assert (code, "taken back" in said) == (0, True)


@pytest.mark.parametrize("damage", [LINE_GONE, LINE_ALTERED, WRAPS])
@pytest.mark.parametrize("where", ["on the line's machine", "on an advocate's"])
def test_whatever_became_of_the_line_s_own_rows_advocates_read_and_back_up(desk: Path, damage: str, where: str) -> None:
    called(WHOLE_REPORT["Spanish"])
    damaged(desk, damage)
    if where == "on an advocate's":
        (desk / "data" / "secret").unlink()
    code, said = ivr("reports", "list")
    assert (code, "bad_date" in said) == (0, True), said
    assert ("ivr keys roll" in said, "NOT OURS" in said) == (damage != WRAPS, damage != WRAPS)
    code, said = ivr("reports", "read", "--print-secrets", *given(desk, "ana"))
    assert (code, "taken (" in said) == (0, True), said
    code, said = ivr("backup", str(desk / "shelf"))
    assert (code, "1 report" in said) == (0, True), said


@pytest.mark.parametrize(
    ("damage", "said_first", "said_after"),
    [
        (LINE_GONE, "`ivr keys roll`", ""),
        (LINE_ALTERED, "`ivr keys roll`", ""),
        (WRAPS, "`ivr keys roll`", ""),
        (MONTH, "did not certify: 20", "did not certify: 20"),
    ],
)
def test_what_keeps_the_line_from_its_months_is_told_with_a_cure_that_works(
    desk: Path, damage: str, said_first: str, said_after: str
) -> None:
    called(WHOLE_REPORT["Spanish"])
    damaged(desk, damage)
    code, said = ivr("keys", "epochs", *given(desk, "ana"))
    assert (code != 0, said_first in said, "Nothing to do" in said) == (True, True, False)
    assert said_first in ivr("keys", "status")[1]
    code, said = ivr("keys", "roll", *given(desk, "ana"))
    assert (code, "The line has new keys" in said, said_after in said) == (0, True, True), said
    code, said = ivr("keys", "epochs", *given(desk, "ana"))
    assert ("Nothing to do" in said, said_after in said) == (not said_after, True)
    called(WHOLE_REPORT["English"])


@pytest.mark.parametrize("damage", [WRAPS, MONTH])
def test_a_receipt_is_not_called_unknown_while_there_are_months_that_the_line_cannot_ask(
    desk: Path, damage: str
) -> None:
    receipt = called(WHOLE_REPORT["Spanish"])
    damaged(desk, damage)
    code, said = ivr("reports", "withdraw", "--yes", "--receipt", receipt)
    assert (code, "compare the digits" in said, "`ivr keys status`" in said) == (2, False, True), said
    assert ivr("keys", "roll", *given(desk, "ana"))[0] == 0
    code, said = ivr("reports", "withdraw", "--yes", "--receipt", receipt)
    assert ("It is taken back" in said) == (damage == WRAPS)


def test_a_month_that_was_altered_is_not_said_to_have_been_kept_from_her(desk: Path) -> None:
    called(WHOLE_REPORT["Spanish"])
    damaged(desk, MONTH)
    code, said = ivr("reports", "read", "--print-secrets", *given(desk, "ana"))
    assert (code, "Its month, or her key to it, was altered" in said, "never given" in said) == (0, True, False), said
    report = ivr("reports", "list")[1].splitlines()[1][:8]
    code, said = ivr("reports", "confirm", report, *given(desk, "ana"))
    assert (code, "or a backup" in said) == (2, True), said


def test_where_the_line_s_secret_is_not_it_is_not_said_that_it_can_use_its_months(desk: Path) -> None:
    (desk / "data" / "secret").unlink()
    code, said = ivr("keys", "epochs", *given(desk, "ana"))
    assert (code, "Nothing to do" in said, "`ivr keys status`" in said) == (0, False, True)


def test_an_empty_database_is_told_to_be_set_up(desk: Path) -> None:
    """Also where the organisation's key is known from elsewhere."""
    (desk / "data" / "porchlight.db").unlink()
    for command in (("reports", "list"), ("backup", str(desk / "shelf")), ("keys", "epochs", *given(desk, "ana"))):
        code, said = ivr(*command)
        assert (code, "ivr init" in said) == (2, True), said


def test_two_shares_bring_back_everything_when_every_lead_is_lost(desk: Path) -> None:
    called(WHOLE_REPORT["English"])
    one, two, three = shares(desk)
    code, said = ivr("keys", "recover", "--drill", "--share-file", one, "--share-file", three)
    assert (code, "open 4 of 4 epochs" in said, "nothing was changed" in said) == (0, True, True)
    new = given(desk, "zoe", "--new-passphrase-file")
    code, said = ivr("keys", "recover", "--name", "zoe", "--share-file", two, "--share-file", three, *new)
    assert (code, "zoe is a lead now" in said) == (0, True)
    code, said = ivr("reports", "read", "--print-secrets", "--advocate", "zoe", *given(desk, "zoe"))
    assert (code, "taken (" in said) == (0, True)
    code, said = ivr("keys", "shares", "--print-secrets", "--advocate", "zoe", *given(desk, "zoe"))
    assert (code, said.count("# share")) == (0, 3)
    code, said = ivr("keys", "recover", "--drill", "--share-file", one, "--share-file", three)
    assert (code, "newer ones were printed" in said) == (2, True)


def test_a_share_with_a_mistake_is_told_with_its_file_and_line(desk: Path) -> None:
    one, two, _ = shares(desk)
    text = Path(one).read_text().splitlines()
    text[2] = ("B" if text[2][0] != "B" else "C") + text[2][1:]
    Path(one).write_text("\n".join(text))
    code, said = ivr("keys", "recover", "--drill", "--share-file", one, "--share-file", two)
    assert (code, f"The share in {one}" in said, "line 2" in said) == (2, True, True)
    code, said = ivr("keys", "recover", "--drill", "--share-file", two)
    assert (code, "twice" in said) == (2, True)


def test_an_advocate_changes_her_passphrase(desk: Path) -> None:
    code, said = ivr("keys", "passphrase", *given(desk, "ana"), *given(desk, "zoe", "--new-passphrase-file"))
    assert (code, "Changed" in said) == (0, True)
    assert ivr("reports", "read", "--print-secrets", *given(desk, "ana"))[0] == 2
    assert ivr("reports", "read", "--print-secrets", *given(desk, "zoe"))[0] == 0


def test_a_report_is_confirmed_noted_exported_by_two_people_and_taken_back(desk: Path) -> None:
    receipt = called("1 1 1 1 # 1 1 # # # # # # # # # # # 1 3 # 9")
    assert ivr("advocates", "add", "bo", *given(desk, "ana"), *given(desk, "bo", "--new-passphrase-file"))[0] == 0
    listed = ivr("reports", "list")[1]
    report = listed.splitlines()[1][:8]
    ana, bo = ("--advocate", "ana", *given(desk, "ana")), ("--advocate", "bo", *given(desk, "bo"))
    assert "confirmed now" in ivr("reports", "confirm", report, *ana)[1]
    assert "confirmed already" in ivr("reports", "confirm", report, *ana)[1]
    assert "Noted" in ivr("reports", "note", report, "--text", "Called back", *bo)[1]
    read = ivr("reports", "read", "--print-secrets", report, *ana)[1]
    assert "confirmed" in read
    assert "bo: Called back" in read
    file = desk / "handed on.csv"
    alone = ("--second", "ana", *given(desk, "ana", "--second-passphrase-file"))
    code, said = ivr("reports", "export", str(file), *ana, *alone)
    assert (code, "two people" in said, file.exists()) == (2, True, False)
    both = ("--second", "bo", *given(desk, "bo", "--second-passphrase-file"))
    code, said = ivr("reports", "export", str(file), *ana, *both)
    assert (code, "Wrote 1 " in said) == (0, True)
    assert (file.read_text().count("\n"), stat.S_IMODE(file.stat().st_mode)) == (2, 0o600)
    assert "is there already" in ivr("reports", "export", str(file), *ana, *both)[1]
    assert "is taken back" in ivr("reports", "withdraw", "--yes", "--receipt", receipt)[1]
    assert "taken back before" in ivr("reports", "withdraw", "--yes", "--receipt", receipt)[1]
    assert "Its key is gone" in ivr("reports", "read", "--print-secrets", report, *ana)[1]
    code, said = ivr("reports", "confirm", report, *ana)
    assert (code, "It was taken back" in said) == (2, True)


@pytest.mark.parametrize("ink", ["\nffff  bad_date  2026-W01  pass_on  confirmed", "\x1b[8m", "\r", "\u202e", "\x9b8m"])
def test_what_somebody_wrote_into_the_database_cannot_pass_for_a_line_of_ours(desk: Path, ink: str) -> None:
    called(WHOLE_REPORT["English"])
    called(WHOLE_REPORT["Spanish"])
    with closing(sqlite3.connect(desk / "data" / "porchlight.db", isolation_level=None)) as database:
        database.execute("UPDATE reports SET state = 'confirmed' || ? WHERE id = (SELECT min(id) FROM reports)", (ink,))
        [altered] = [row[0].hex() for row in database.execute("SELECT min(id) FROM reports")]
    for words in (("list",), ("read", "--print-secrets", *given(desk, "ana"))):
        code, said = ivr("reports", *words)
        assert code == 0
        assert ink not in said
        about = [line for line in said.splitlines() if line.startswith(altered)]
        assert len(about) == 1
        assert about[0].startswith(f"{altered}  NOT OURS: planted or altered. "), "before anything that it says"
        assert not [line for line in said.splitlines() if line.startswith("ffff")]


def test_a_second_line_of_a_note_stands_apart_from_ours(desk: Path) -> None:
    called(WHOLE_REPORT["English"])
    [report] = [line.split()[0] for line in ivr("reports", "list")[1].splitlines() if "bad_date" in line]
    text = "called her\n  what        taken\x1b[8m"
    assert ivr("reports", "note", report.upper(), "--text", text, *given(desk, "ana"))[0] == 0
    read = ivr("reports", "read", "--print-secrets", report, *given(desk, "ana"))[1]
    assert "ana: called her\n      what        taken\\x1b[8m\n" in read


@pytest.mark.parametrize("words", [("confirm", ""), ("read", " ", "--print-secrets"), ("note", "", "--text", "x")])
def test_an_empty_id_means_no_report(desk: Path, words: tuple[str, ...]) -> None:
    called(WHOLE_REPORT["English"])
    code, said = ivr("reports", *words, *given(desk, "ana"))
    assert (code, "ivr reports list" in said) == (2, True)


def test_a_note_that_is_no_text_is_refused(desk: Path) -> None:
    called(WHOLE_REPORT["English"])
    [report] = [line.split()[0] for line in ivr("reports", "list")[1].splitlines() if "bad_date" in line]
    code, said = ivr("reports", "note", report, "--text", "\udcff abc", *given(desk, "ana"))
    assert (code, "UTF-8" in said) == (2, True)


def test_a_clock_that_is_behind_what_is_kept_is_told(desk: Path) -> None:
    assert "clock is behind" not in ivr("keys", "status")[1]
    to_come = (SystemClock().now() + timedelta(days=40)).date().isoformat()
    with closing(sqlite3.connect(desk / "data" / "porchlight.db")) as other:
        other.execute("UPDATE jobs SET ran_on = ? WHERE name = 'counted'", (to_come,))
        other.commit()
    code, said = ivr("keys", "status")
    assert (code, "clock is behind" in said) == (0, True)


def test_no_folder_is_not_this_one(desk: Path) -> None:
    code, said = ivr("backup", "")
    assert (code, "ivr backup /mnt/backup" in said) == (2, True)


def test_a_damaged_spool_keeps_nobody_from_taking_a_report_back(desk: Path) -> None:
    receipt = called(WHOLE_REPORT["Spanish"])
    for file in (desk / "data").glob("spool.db*"):
        file.write_bytes(b"noise" * 1000)
    for command in (("reports", "list"), ("reports", "withdraw", "--yes", "--receipt", receipt)):
        code, said = ivr(*command)
        assert (code, "spool.db cannot be used" in said, "not reached" in said) == (0, True, True), said
        assert "IVR_DATABASE_URL" not in said
    assert "It is taken back" in said


def test_a_receipt_of_the_wrong_length_is_told_before_anything_is_tried(desk: Path) -> None:
    code, said = ivr("reports", "withdraw", "--yes", "--receipt", "1234 5678")
    assert (code, "12 digits, this has 8" in said) == (2, True)


def test_what_would_be_forgotten_is_said_without_forgetting_it(desk: Path) -> None:
    called(WHOLE_REPORT["English"])
    code, said = ivr("reports", "purge", "--dry-run")
    assert (code, "Would forget reports: none" in said) == (0, True)
    code, said = ivr("reports", "purge")
    assert (code, "Forgot reports: none" in said) == (0, True)
    assert "bad_date" in ivr("reports", "list")[1]


@pytest.mark.parametrize("command", [("keys", "status"), ("reports", "list"), ("reports", "purge")])
def test_without_keys_it_is_said_what_makes_them(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    code, said = ivr(*command)
    assert (code, "ivr init" in said) == (2, True)
