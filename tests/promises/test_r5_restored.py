"""R5: a line that is lost with its machine comes back from its backup: receipts open by phone and by text, an advocate
and two of the shares read everything that the backup holds, and what was withdrawn before stays gone."""

import asyncio
import re
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.carrier.loopback import Line
from ivr.kit.clock import VirtualClock
from ivr.services.archive import Seal
from ivr.services.backup import KEYS, Backup
from ivr.services.custody.recovering import open_with_shares
from ivr.services.receipts import Receipts
from ivr.services.restore import find, restore
from ivr.services.spool import Spool
from ivr.store.database import Database
from ivr.store.folder import Folder
from ivr.vault import organisation
from tests.founded import Office, found
from tests.promises.house import BEGINNING, House
from tests.promises.ledger import MUTANTS, Record
from tests.promises.test_r2_what_was_pressed import finishes, presses, receipt_in
from tests.promises.texting import Street, street
from tests.store.databases import KINDS, database_of

pytestmark = pytest.mark.timeout(600)

BY_TEXT = ("VOICE", "1", "2 1 #", "1", "1", "# # # # # # # # # # #", "1 1")
KEPT = "We found your report."


@dataclass
class Drill:
    """What came of it. `opened`: what callers heard who came back, by who they are; `read`, `by_shares`: the reports
    that were read, of so many that the backup holds."""

    opened: dict[str, str]
    read: int
    by_shares: int
    held: int
    readable_gone: int
    """Reports that were withdrawn before the keys were written, and that somebody can read all the same."""

    @property
    def faults(self) -> list[str]:
        lost = [who for who in ("phone", "text") if KEPT not in self.opened[who]]
        back = [who for who in ("withdrawn", "withdrawn later") if KEPT in self.opened[who]]
        unread = ["an advocate"] if self.read != self.held else []
        unread += ["two shares"] if self.by_shares != self.held else []
        return [*lost, *back, *unread, *(["a withdrawn report"] if self.readable_gone else [])]


async def founded(folder: Path) -> Office:
    """An organisation as `ivr init` leaves it, with its shares; its databases are closed."""
    database, spool = (Database(f"sqlite:///{folder / name}") for name in ("porchlight.db", "spool.db"))
    made = await found(database, now=BEGINNING)
    (folder / "organisation-key").write_text(organisation.written(made.pin))
    await spool.migrate()
    await spool.close()
    await database.close()
    return Office(database, Spool(spool), made.pin, made.shares, now=BEGINNING)


async def reports_by_phone(line: Line) -> str:
    rosa = await line.call()
    await presses(rosa, "1", "1", "1", "4", "#", "1", "1")
    receipt = receipt_in(await finishes(rosa))
    await rosa.hang_up()
    assert receipt
    return re.sub(r"\D", "", receipt)


async def comes_back_by_phone(of: House, receipt: str) -> str:
    """What she hears, wherever she is put through to from there."""
    rosa = await of.line().call()
    await presses(rosa, "1", "2")
    return await presses(rosa, receipt)


async def comes_back_by_text(of: Street, who: int, receipt: str) -> str:
    heard = [await of.reply(who, words) for words in ("VOICE", "2", receipt)]
    return " ".join(heard)


async def backed_up(of: House, shelf: Path, *, day: int) -> None:
    await Backup(of.database, of.parts.pin, VirtualClock(BEGINNING + timedelta(days=day))).into(Folder(shelf))


async def drill(folder: Path, url: str, *, hoarded: bool = False) -> Drill:
    """A line is lost; what is left is the `data` file of one day and the `keys` file of the next. `hoarded`: the keys
    of the first day lie there instead."""
    blank, shelf = folder / "blank", folder / "shelf"
    blank.mkdir()
    office = await founded(blank)
    receipts: dict[str, str] = {}
    async with street(folder / "lost", blank, workers=1) as lost:
        line = lost.of.line()
        receipts["phone"] = await reports_by_phone(line)
        receipts["text"] = await lost.report(1, *BY_TEXT)
        receipts["withdrawn"] = await reports_by_phone(line)
        receipts["withdrawn later"] = await reports_by_phone(line)
        kept = lost.of.kept
        withdrawing = Receipts(lost.of.database, kept.host, kept.pin, kept.slow_hashes)
        await withdrawing.withdraw(receipts["withdrawn"])
        await backed_up(lost.of, shelf, day=0)
        shutil.copy(shelf / KEYS, folder / "hoarded")
        await withdrawing.withdraw(receipts["withdrawn later"])
        await backed_up(lost.of, shelf, day=1)
    (shelf / f"data-{(BEGINNING + timedelta(days=1)).date()}.db").unlink()
    shutil.rmtree(folder / "lost")
    if hoarded:
        shutil.copy(folder / "hoarded", shelf / KEYS)

    clean = folder / "clean"
    clean.mkdir(exist_ok=True)
    database = Database(url)
    done = await restore(database, find(shelf), pin=office.pin, host=office.host)
    await database.close()
    assert done.line == ""
    (clean / "organisation-key").write_text(organisation.written(office.pin))
    spool = Database(f"sqlite:///{clean / 'spool.db'}")
    await spool.migrate()
    await spool.close()

    def moved(asked: str) -> Database:
        return Database(url if asked.endswith("porchlight.db") else asked)

    async with street(clean, None, workers=1, database_of=moved) as back:
        opened = {"text": await comes_back_by_text(back, 2, receipts["text"])}
        for who in ("phone", "withdrawn", "withdrawn later"):
            opened[who] = await comes_back_by_phone(back.of, receipts[who])
        every = await back.of.reports()
        recovered = await open_with_shares(back.of.database, *office.shares[:2], pin=office.pin)
        months = set(recovered.epoch_keys)
        assert await reports_by_phone(back.of.line())  # the line goes on
    read = [one for one in every if one.seal is Seal.OPENED and one.trusted]
    return Drill(
        opened,
        read=len(read),
        by_shares=sum(one.listed.epoch in months for one in read),
        held=2,
        readable_gone=max(len(read) - 2, 0),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_line_comes_back_and_what_was_withdrawn_stays_gone(tmp_path: Path, kind: str, record: Record) -> None:
    (tmp_path / "clean").mkdir()
    with database_of(kind, tmp_path / "clean") as url:
        found = asyncio.run(drill(tmp_path, url))
    assert found.faults == []
    record(found.held, "reports that a backup holds, restored and read")


def test_mutant_a_hoarded_keys_file_brings_a_withdrawn_report_back_and_the_drill_sees_it(
    tmp_path: Path, record: Record
) -> None:
    with database_of("sqlite", tmp_path) as url:
        found = asyncio.run(drill(tmp_path, url.replace("porchlight.db", "clean.db"), hoarded=True))
    assert set(found.faults) >= {"withdrawn later", "a withdrawn report"}
    record(1, MUTANTS)
