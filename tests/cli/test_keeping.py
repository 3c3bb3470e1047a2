"""`ivr init` and `ivr reports`: keys are made once, and what a caller keyed comes out as she keyed it."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.engine.asks import Answers, Opened, Saved, SaveReport
from ivr.kit.clock import SystemClock
from ivr.services.by_receipt import LiveReceipts
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.spool import Spool
from ivr.store.database import Database
from ivr.vault import receipts
from ivr.vault.host import HostKey
from ivr.vault.organisation import read_pin
from tests.cli.test_calling import WHOLE_REPORT, ivr
from tests.shipped import ROOT

PASSPHRASE = "four quiet harbor lamps"


@pytest.fixture(autouse=True)
def passphrase_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("IVR_FLOWS_DIR", str(ROOT / "flows"))
    monkeypatch.setenv("IVR_PROMPTS_DIR", str(ROOT / "prompts"))
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    return file


def test_a_report_is_kept_listed_and_read_with_her_passphrase(passphrase_file: Path) -> None:
    code, made = ivr("init", "--advocate", "ana", "--passphrase-file", str(passphrase_file), "--print-secrets")
    assert code == 0, made
    assert "Added the lead ana" in made
    assert ivr("call", "--keys", WHOLE_REPORT["Spanish"])[0] == 0
    code, listed = ivr("reports", "list")
    assert code == 0
    assert "bad_date" in listed
    assert "warn_others" in listed
    assert "taken" not in listed
    code, read = ivr("reports", "read", "--print-secrets", "--passphrase-file", str(passphrase_file))
    assert code == 0
    for part in ("taken (", "today (", "warn_others"):
        assert part in read
    code, one = ivr(
        "reports", "read", "--print-secrets", listed.splitlines()[1][:8], "--passphrase-file", str(passphrase_file)
    )
    assert (code, one) == (0, read)


def test_another_passphrase_opens_nothing(passphrase_file: Path, tmp_path: Path) -> None:
    ivr("init", "--passphrase-file", str(passphrase_file), "--print-secrets")
    wrong = tmp_path / "wrong"
    wrong.write_text("some other words here\n")
    code, said = ivr("reports", "read", "--print-secrets", "--passphrase-file", str(wrong))
    assert code == 2
    assert "passphrase" in said


def test_made_again_nothing_changes(passphrase_file: Path, tmp_path: Path) -> None:
    ivr("init", "--passphrase-file", str(passphrase_file), "--print-secrets")
    secret = (tmp_path / "data" / "secret").read_bytes()
    code, said = ivr("init", "--passphrase-file", str(passphrase_file), "--print-secrets")
    assert (code, "Nothing to do" in said) == (0, True)
    assert (tmp_path / "data" / "secret").read_bytes() == secret


def test_only_the_owner_can_read_what_was_made(passphrase_file: Path, tmp_path: Path) -> None:
    ivr("init", "--passphrase-file", str(passphrase_file), "--print-secrets")
    for path in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_a_short_passphrase_is_refused_with_the_reason(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("secret")
    code, said = ivr("init", "--passphrase-file", str(short), "--print-secrets")
    assert code == 2
    assert "at least 12 characters" in said


def test_without_keys_reading_says_what_to_do(passphrase_file: Path) -> None:
    for words in (
        ("reports", "list"),
        ("reports", "read", "--print-secrets", "--passphrase-file", str(passphrase_file)),
    ):
        code, said = ivr(*words)
        assert code == 2
        assert "ivr init" in said


def test_what_was_added_is_listed_beside_its_report_and_read_after_it(passphrase_file: Path, tmp_path: Path) -> None:
    ivr("init", "--passphrase-file", str(passphrase_file), "--print-secrets")
    for _ in range(2):
        assert ivr("call", "--keys", WHOLE_REPORT["Spanish"])[0] == 0
    assert "one receipt with" not in ivr("reports", "list")[1]
    report = add_to_one(tmp_path / "data")
    listed = [line for line in ivr("reports", "list")[1].splitlines() if "one receipt with" in line]
    assert len(listed) == 2
    assert {line.split()[0][:8] for line in listed} == {line.rsplit(maxsplit=1)[-1] for line in listed}
    read = ivr("reports", "read", "--print-secrets", "--passphrase-file", str(passphrase_file))[1]
    heads = [line for line in read.splitlines() if "bad_date" in line]
    [at] = [number for number, line in enumerate(heads) if line.endswith(f"adds to {report}")]
    assert heads[at - 1].startswith(report)


def add_to_one(data: Path) -> str:
    """Somebody comes back to one of the reports; its id."""

    async def main() -> str:
        database, spooled = Database(f"sqlite:///{data / 'porchlight.db'}"), Database(f"sqlite:///{data / 'spool.db'}")
        host = HostKey.of((data / "secret").read_text().strip().encode())
        pin = read_pin((data / "organisation-key").read_text())
        hashes = SlowHashes()
        kept = Reports(database, Spool(spooled), host=host, pin=pin, slow_hashes=hashes)
        desk = LiveReceipts(database, host, pin, hashes, {})
        today = SystemClock().now().date()
        answers: Answers = (("what", ("taken",)),)
        ask = SaveReport("bad_date", 1, answers, "count_only", ending=1)
        saved = await kept.keep(ask, seed=b"s" * 16, turn=3, today=today)
        assert isinstance(saved, Saved)
        assert saved.receipt
        opened = await desk.open(saved.receipt)
        assert isinstance(opened, Opened)
        added = replace(ask, adds_to=opened.receipt)
        assert await kept.keep(added, seed=b"t" * 16, turn=3, today=today) == Saved()
        await kept.close()
        hashes.close()
        await spooled.close()
        await database.close()
        return receipts.derive_id(b"s" * 16, "report bad_date", visit=1).hex()

    return asyncio.run(main())
