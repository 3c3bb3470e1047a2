"""`ivr rota`, and how people are reached: as somebody types it who has never seen it."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_calling import ivr
from tests.cli.test_custody_commands import desk, given

__all__ = ["desk"]

PEOPLE = ("--phone", "+1 (212) 555-0143")
ALWAYS = ("--every-day", "00:00-24:00", "--zone", "America/New_York")


def done(*words: str) -> str:
    code, said = ivr(*words)
    assert code == 0, said
    return said


def refused(*words: str, code: int = 2) -> str:
    ended, said = ivr(*words)
    assert ended == code, said
    return said


def test_a_rota_is_made_shown_and_changed(desk: Path) -> None:
    assert "ivr advocates add NAME --phone" in done("rota")
    assert "Added bo." in done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    done("advocates", "set", "ana", "--phone", "+12125550144", "--languages", "es", "--tier", "backup")
    assert "NOBODY" in done("rota")
    assert "bo is on call every day 00:00-24:00" in done("rota", "add", "bo", *ALWAYS)
    week = done("rota")
    assert "bo" in week
    assert "NOBODY" not in week
    assert "Nobody on call speaks" not in week
    listed = done("rota", "list")
    assert "bo: +12125550143  on_call  en,es  America/New_York" in listed
    assert "ana: +12125550144  backup  es" in listed
    assert "bo is not rung now" in done("rota", "off", "bo", "--for", "2")
    assert "bo is switched off until" in done("rota")
    assert "bo is on call now" in done("rota", "on", "bo")
    [shift] = [line.split()[0] for line in listed.splitlines() if "every day" in line]
    assert "Removed: every day 00:00-24:00" in done("rota", "remove", shift)
    assert "! Nobody is on call from" in done("rota")
    assert "She had no keys" in done("advocates", "remove", "bo", *given(desk, "ana"))
    assert "bo" not in done("rota", "list")


def test_a_pin_is_shown_once_and_who_has_one_is_listed(desk: Path) -> None:
    done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    assert "America/New_York  no PIN" in done("rota", "list")
    said = done("advocates", "pin", "--print-secrets", "bo")
    shown = re.search(r"The PIN of bo is ([1-9]\d{3} \d{4})\.", said)
    assert shown is not None, said
    listed = done("rota", "list")
    assert "America/New_York  has a PIN" in listed
    assert shown[1].replace(" ", "") not in listed
    assert shown[1] not in done("advocates", "pin", "--print-secrets", "bo")
    assert "bo has no PIN any more" in done("advocates", "pin", "bo", "--remove")
    assert "no PIN" in done("rota", "list")


def test_how_calls_ended_is_told_by_months_and_weeks_and_as_rough(desk: Path) -> None:
    assert "Nothing was counted yet." in done("rota", "outcomes")
    with closing(sqlite3.connect(desk / "data" / "porchlight.db", isolation_level=None)) as database:
        for week, what, count in (("2027-W09", "helped", 4), ("2027-W10", "helped", 2), ("2027-W10", "hung_up", 1)):
            database.execute("INSERT INTO tallies VALUES (?, 'transfer', ?, ?)", (week, what, count))
    months, weeks = done("rota", "outcomes"), done("rota", "outcomes", "--weeks")
    assert [line.split() for line in months.splitlines()[:2]] == [
        ["helped", "referred", "hung", "up", "untold", "together"],
        ["2027-03", "6", "0", "1", "0", "7"],
    ]
    assert [line.split() for line in weeks.splitlines()[1:3]] == [
        ["2027-W09", "4", "0", "0", "0", "4"],
        ["2027-W10", "2", "0", "1", "0", "3"],
    ]
    assert "not to be published" in months
    assert "Publish none" in done("rota", "outcomes", "--help")


def test_an_advocate_with_keys_and_a_phone_is_rung_until_she_is_removed(desk: Path) -> None:
    keys = (*given(desk, "ana"), *given(desk, "bo", "--new-passphrase-file"))
    said = done("advocates", "add", "bo", *PEOPLE, "--languages", "en", *keys)
    assert "She can read the reports" in said
    assert "ivr rota add bo" in said
    assert "Nobody on call speaks es" in done("rota", "add", "bo", *ALWAYS) + done("rota")
    done("advocates", "remove", "bo", "--advocate", "ana", *given(desk, "ana"))
    assert "bo" not in done("rota", "list")


def test_a_spreadsheet_goes_out_and_comes_in(desk: Path) -> None:
    done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    done("rota", "add", "bo", "--every", "fri,sat", "22:00-06:00", "--first", "2027-03-01", "--last", "2027-06-30")
    done("rota", "add", "bo", "--on", "2027-03-13", "00:00-24:00", "--break")
    file = desk / "shifts.csv"
    assert "Wrote 2 shifts" in done("rota", "export", str(file))
    text = file.read_text()
    assert text.splitlines()[1:] == [
        'bo,on,"fri,sat",22:00-06:00,2027-03-01,2027-06-30,America/New_York',
        "bo,break,once,00:00-24:00,2027-03-13,,America/New_York",
    ]
    assert "555" not in text
    assert "there already" in refused("rota", "export", str(file))
    assert "removed all others" in done("rota", "import", "--replace", str(file))
    assert done("rota", "export") == text
    file.write_text(text.replace("22:00-06:00", "10pm"))
    assert "line 2: `10pm` is no time of day" in refused("rota", "import", "--replace", str(file), code=1)
    assert done("rota", "export") == text, "nothing was changed"


def test_a_spreadsheet_that_comes_in_twice_adds_nothing_and_one_that_is_too_large_is_refused(desk: Path) -> None:
    done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    file = desk / "shifts.csv"
    file.write_text("name,days,hours,first\n" + "".join(f"bo,once,20:00-02:00,2027-{n:02}-13\n" for n in range(1, 13)))
    assert "Added 12 shifts." in done("rota", "import", str(file))
    exported = done("rota", "export")
    assert "Added 0 shifts. 12 were there already." in done("rota", "import", str(file))
    assert done("rota", "export") == exported
    assert "That was so before." in done("rota", "add", "bo", "--on", "2027-05-13", "20:00-02:00", *ALWAYS[2:])
    line = "bo,once,20:00-02:00,2027-05-13\n"
    for lines, told in ((200_000, "larger than 1,000,000 bytes: write rules"), (10_000, "more than 5,000 lines")):
        file.write_text("name,days,hours,first\n" + line * lines)
        assert told in refused("rota", "import", str(file), code=2 if lines > 10_000 else 1)
    assert done("rota", "export") == exported


def test_a_rule_that_would_never_end_is_refused_and_one_that_lies_there_is_told_and_removed(desk: Path) -> None:
    done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    endless = "FREQ=WEEKLY;INTERVAL=0;BYDAY=FR"
    assert "INTERVAL is from 1 to 52" in refused("rota", "add", "bo", "--every", endless, "00:00-24:00")
    done("rota", "add", "bo", *ALWAYS)
    with closing(sqlite3.connect(desk / "data" / "porchlight.db", isolation_level=None)) as database:
        database.execute("UPDATE shifts SET rule = ?", (endless,))
    for words in (("rota",), ("rota", "list")):
        assert "! A shift of bo counts for nothing: `FREQ=WEEKLY;INTERVAL=0;BYDAY=FR`" in done(*words)
    cure = re.search(r"ivr (rota remove [0-9a-f]{16})", done("rota"))
    assert cure is not None
    assert "Removed: a shift that nobody could read." in done(*cure[1].split())
    assert "counts for nothing" not in done("rota")


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("rota", "add", "bo"), "--every-day 22:00-06:00"),
        (("rota", "add", "bo", "--every", "FREQ=WEEKLY;BYDAY=1MO", "22:00-06:00"), "FREQ=MONTHLY;BYDAY=1MO"),
        (("rota", "add", "bo", "--every-day", "22:00-06:00", "--first", "9999-12-31"), "1970-01-01 and 2199-12-31"),
        (("rota", "add", "bo", "--every-day", "9-5"), "22:00-06:00"),
        (("rota", "add", "bo", "--every", "fridays", "22:00-06:00"), "FREQ=WEEKLY;BYDAY=FR"),
        (("rota", "add", "bo", "--on", "tomorrow", "22:00-06:00"), "2027-03-13"),
        (("rota", "add", "bo", "--every-day", "22:00-06:00", "--zone", "New York"), "America/New_York"),
        (("rota", "add", "cy", "--every-day", "22:00-06:00"), "ivr advocates add cy"),
        (("rota", "off", "cy"), "ivr rota list"),
        (("rota", "remove", "ffffff"), "ivr rota list"),
        (("advocates", "set", "bo", "--phone", "2125550143"), "+12125550100"),
        (("advocates", "set", "cy", "--phone", "+12125550143"), "ivr advocates add cy"),
        (("advocates", "set", "bo", "--languages", "en,fr"), "it speaks en, es"),
        (("advocates", "set", "bo"), "--phone"),
        (("advocates", "add", "di", "--answers-only"), "--phone"),
        (("advocates", "pin", "--print-secrets", "cy"), "ivr rota list"),
        (("advocates", "pin", "cy", "--remove"), "ivr rota list"),
    ],
)
def test_what_is_mistyped_is_answered_with_what_to_type(desk: Path, words: tuple[str, ...], cure: str) -> None:
    done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    before = done("rota", "list")
    assert cure in refused(*words)
    assert done("rota", "list") == before


def test_without_the_line_s_secret_nobody_is_put_on_the_rota(desk: Path) -> None:
    (desk / "data" / "secret").unlink()
    assert "IVR_SECRET" in refused("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    assert "IVR_SECRET" in refused("rota")
    assert "IVR_SECRET" in refused("advocates", "pin", "--print-secrets", "ana")


def test_the_hotline_s_own_number_is_refused_and_a_phone_of_two_is_told(desk: Path) -> None:
    done("advocates", "add", "bo", *PEOPLE, "--answers-only", *given(desk, "ana"))
    assert "! bo has the same number" in done("advocates", "set", "ana", "--phone", "+12125550143")
    assert "same number" not in done("advocates", "set", "ana", "--phone", "+12125550144")
    own = refused("advocates", "set", "ana", "--phone", "+15005550006")
    assert "is the hotline's own number" in own
