"""`ivr restore`, and the way out of every state that an installation can be in afterwards."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ivr.services.backup import KEYS
from tests.cli.test_calling import WHOLE_REPORT
from tests.cli.test_calling import ivr as run
from tests.cli.test_keeping import PASSPHRASE
from tests.shipped import ROOT
from tests.store.databases import KINDS, database_of


def ivr(*words: str) -> tuple[int, str]:
    """On one line, however wide the terminal is."""
    code, said = run(*words)
    return code, " ".join(said.split())


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return tmp_path


@pytest.fixture
def lost(home: Path) -> Path:
    """The folder of a line's backup, with one report; its machine is gone. Its secret and its key are beside it."""
    assert run("init", "--advocate", "ana", *given(home), "--shares-file", str(home / "shares"))[0] == 0
    assert run("call", "--keys", WHOLE_REPORT["English"])[0] == 0
    assert run("backup", str(home / "shelf"))[0] == 0
    for name in ("secret", "organisation-key"):
        shutil.copy(home / "data" / name, home / name)
    shutil.rmtree(home / "data")
    return home / "shelf"


def given(home: Path) -> tuple[str, str]:
    return "--passphrase-file", str(home / "passphrase")


def with_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("IVR_SECRET_FILE", str(home / "secret"))
    monkeypatch.setenv("IVR_ORGANISATION_KEY_FILE", str(home / "organisation-key"))


@pytest.mark.parametrize("kind", KINDS)
def test_with_its_settings_a_line_is_back_and_says_what_came_and_what_is_lost(
    lost: Path, home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with_settings(monkeypatch, home)
    (home / "other").mkdir()
    with database_of(kind, home / "other") as url:
        if kind == "postgresql":
            monkeypatch.setenv("IVR_DATABASE_URL", url)
        code, said = ivr("restore", str(lost), "--dry-run")
        assert (code, "Would restore" in said, "nothing was written" in said) == (0, True, True), said
        assert not (home / "data").exists()
        code, said = ivr("restore", str(lost))
        assert code == 0, said
        assert "1 report (" in said
        assert "ana (lead)" in said
        assert "What is lost" in said
        assert "keys roll" not in said
        assert "`ivr serve`" in said
        assert (ivr("reports", "read", "--print-secrets", *given(home)))[1].count("taken (") == 1
        code, said = ivr("keys", "status")
        assert (code, "ana" in said) == (0, True)
        code, said = ivr("restore", str(lost))
        assert (code, "something in this database already" in said) == (2, True)


def test_without_its_secret_a_lead_s_roll_follows(lost: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_ORGANISATION_KEY_FILE", str(home / "organisation-key"))
    code, said = ivr("restore", str(lost))
    assert (code, "keys roll --new-secret" in said) == (0, True), said
    for command in ("serve", "init"):
        code, said = ivr(command)
        assert (code, "keys roll --new-secret" in said, "`ivr init`" in said) == (2, True, False), said
    assert ivr("keys", "roll", "--new-secret", *given(home))[0] == 0
    assert ivr("keys", "status")[0] == 0
    assert "Nothing to do" in ivr("init")[1]


def test_under_another_secret_it_says_what_that_costs(lost: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_ORGANISATION_KEY_FILE", str(home / "organisation-key"))
    monkeypatch.setenv("IVR_SECRET", "another secret, of another line")
    code, said = ivr("restore", str(lost))
    assert code == 0
    assert "The line cannot work yet: the line's keys were made under another IVR_SECRET" in said
    assert "`ivr advocates pin`" in said
    assert ivr("keys", "roll", *given(home))[0] == 0
    assert "another IVR_SECRET" not in ivr("keys", "status")[1]


def test_with_no_setting_at_all_each_command_leads_to_the_next_and_none_back(lost: Path, home: Path) -> None:
    """The organisation's key was not written down: an advocate's passphrase holds it."""
    code, said = ivr("restore", str(lost))
    assert (code, "64 digits" in said, "`ivr keys pin`" in said) == (0, True, True), said
    for command in (("serve",), ("init",), ("keys", "status")):
        code, said = ivr(*command)
        assert (code, "`ivr keys pin`" in said, "--new-secret" in said) == (2, True, True), said
        assert "There are no keys" not in said
    code, pin = ivr("keys", "pin", *given(home))
    assert (code, pin) == (0, (home / "organisation-key").read_text().strip())
    (home / "data" / "organisation-key").write_text(pin)
    assert ivr("keys", "roll", "--new-secret", *given(home))[0] == 0
    assert ivr("keys", "status")[0] == 0


def test_every_state_of_an_installation_has_a_way_out(lost: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = home / "data"
    command: tuple[str, ...]
    # Nothing at all.
    for command in (("serve",), ("keys", "status")):
        code, said = ivr(*command)
        assert (code, "`ivr init`" in said, "`ivr restore FOLDER`" in said) == (2, True, True), said
    # A secret and the organisation's key, and an empty database: nobody begins a new line by mistake.
    with_settings(monkeypatch, home)
    for command in (("serve",), ("init", *given(home)), ("keys", "status")):
        code, said = ivr(*command)
        assert (code, "a line was here" in said, "`ivr restore FOLDER`" in said) == (2, True, True), said
    assert ivr("restore", str(lost))[0] == 0  # into the tables that those commands made
    # The organisation's key is missing, the secret is there.
    monkeypatch.delenv("IVR_ORGANISATION_KEY_FILE")
    for command in (("serve",), ("init",), ("keys", "status")):
        code, said = ivr(*command)
        assert (code, "`ivr keys pin`" in said, "--new-secret" in said) == (2, True, False), said
    # Another organisation's key.
    monkeypatch.setenv("IVR_ORGANISATION_KEY", "ab" * 32)
    for command in (("serve",), ("keys", "epochs", *given(home))):
        code, said = ivr(*command)
        assert (code, "compare IVR_ORGANISATION_KEY" in said or "another organisation" in said) == (2, True), said
    # A secret that was cut short.
    monkeypatch.delenv("IVR_SECRET_FILE")
    monkeypatch.setenv("IVR_ORGANISATION_KEY", (home / "organisation-key").read_text().strip())
    (data / "secret").write_text("short")
    code, said = ivr("serve")
    assert (code, "cut short" in said) == (2, True)


@pytest.mark.parametrize("half", ["data", "keys"])
def test_half_a_backup_that_was_put_in_place_by_hand_is_told(
    lost: Path, home: Path, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    with_settings(monkeypatch, home)
    (home / "data").mkdir()
    [file] = [path for path in lost.iterdir() if path.name.startswith(half)]
    shutil.copy(file, home / "data" / "porchlight.db")
    for command in (("serve",), ("init", *given(home)), ("keys", "status")):
        code, said = ivr(*command)
        assert (code, "only some of its tables" in said, "restore" in said) == (2, True, True), said


@pytest.mark.parametrize(
    ("tables", "missing"),
    [
        (("organisation_wraps", "epoch_wraps"), "what opens the reports"),
        (("advocates", "line_keys", "recovery_keys"), "what names the advocates"),
    ],
)
def test_a_database_with_half_of_the_keys_is_told(
    lost: Path, home: Path, monkeypatch: pytest.MonkeyPatch, tables: tuple[str, ...], missing: str
) -> None:
    with_settings(monkeypatch, home)
    assert ivr("restore", str(lost))[0] == 0
    with closing(sqlite3.connect(home / "data" / "porchlight.db")) as other:
        for table in tables:
            other.execute(f"DELETE FROM {table}")
        other.commit()
    for command in (("init", *given(home)), ("keys", "status")):
        code, said = ivr(*command)
        assert (code, missing in said, "`ivr restore FOLDER`" in said) == (2, True, True), said


def test_a_backup_that_cannot_be_used_is_told_in_one_sentence(lost: Path, home: Path) -> None:
    (lost / KEYS).unlink()
    code, said = ivr("restore", str(lost))
    assert (code, "keys.db is missing, and without it" in said) == (2, True)
    code, said = ivr("restore", str(home / "nowhere"))
    assert (code, "cannot be read" in said) == (2, True)
    assert not (home / "data").exists()
