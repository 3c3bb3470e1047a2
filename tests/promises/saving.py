"""Callers who save many reports at once, each save told apart by what it holds; and what whoever opens the data next
must find of them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from ivr.engine.asks import Answers, SaveReport
from ivr.flow.line import CONSENTS
from ivr.services.archive import OpenReport, Seal
from ivr.services.custody.sessions import Session
from ivr.services.custody.trust import line_epochs, line_keys_in
from ivr.services.receipts import SlowHashes
from ivr.services.spool import Spool
from ivr.store import reports as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.reports import ReportRow, turn_of_ending
from ivr.vault import organisation, receipts
from ivr.vault.derivation import digest
from ivr.vault.organisation import Pin
from tests.founded import Office
from tests.promises.house import BEGINNING

TODAY = BEGINNING.date()
FORM = "bad_date"
SIDES = ("porchlight.db", "spool.db")
"""The two files that a report may be in."""
MOST_CALLERS = 4000
LAST = 4
"""How often each caller saves; the last of it ends her form."""


def seed_of(caller: int) -> bytes:
    return b"caller" + caller.to_bytes(10)


def ask_of(caller: int, version: int) -> SaveReport:
    """What this caller says with her `version`-th save, from 1."""
    answers: Answers = (("what", (f"caller_{caller}",)), ("when", (f"version_{version}",)))
    consent = CONSENTS[(caller + version) % len(CONSENTS)]
    return SaveReport(FORM, 1, answers, consent, ending=int(version == LAST))


def turn_of_call(version: int) -> int:
    """The turn of her call that she saves it in."""
    return 2 + version


def quick(code: str, *, site_salt: bytes) -> bytes:
    """A slow hash that is not: what it costs is another promise."""
    return digest(site_salt + code.encode(), purpose="quick")


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told: that her `version` is saved, with which receipt; or that it is not."""

    caller: int
    version: int
    saved: bool
    receipt: str = "-"

    def line(self) -> bytes:
        """As a line of a file."""
        return f"{self.caller} {self.version} {int(self.saved)} {self.receipt}\n".encode()


def read_told(file: Path) -> list[Told]:
    """Everything that was told. A line is one write: it is there whole, or not."""
    words = [line.split() for line in file.read_text().splitlines()]
    return [Told(int(caller), int(version), saved == "1", receipt) for caller, version, saved, receipt in words]


@dataclass
class Outcome:
    """What became of some runs. `wrong`: what was lost, half written or not as it was told, in words."""

    runs: int = 0
    acknowledged: int = 0
    refused: int = 0
    killed: int = 0
    came_home: int = 0
    """Reports that the next process found in the spool."""
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """The other's too."""
        self.runs += other.runs
        self.acknowledged += other.acknowledged
        self.refused += other.refused
        self.killed += other.killed
        self.came_home += other.came_home
        self.wrong += other.wrong


async def opened_in(folder: Path, session: Session, told: Sequence[Told]) -> Outcome:
    """`opened_by_the_next` of the SQLite files in a folder, which must be sound as files too."""
    database, spooled = (Database(f"sqlite:///{folder / name}") for name in SIDES)
    pin = organisation.read_pin((folder / "organisation-key").read_text())
    try:
        outcome = await opened_by_the_next(database, spooled, pin, session, told)
    finally:
        await spooled.close()
        await database.close()
    outcome.wrong += [trouble for name in SIDES for trouble in _unsound(folder / name)]
    return outcome


async def opened_by_the_next(
    database: Database, spooled: Database, pin: Pin, session: Session, told: Sequence[Told]
) -> Outcome:
    """Open what a line left as the next process does, and look whether everything that was told is true."""
    of = Office(database, Spool(spooled), pin, slow_hashes=SlowHashes(quick), now=BEGINNING)
    outcome = Outcome(1, sum(one.saved for one in told), sum(not one.saved for one in told))
    next_one = of.reports()
    try:
        outcome.came_home = len(await spooled.read(_every_row))
        await next_one.ready(TODAY)
        if left := await spooled.read(_every_row):
            outcome.wrong.append(f"{len(left)} still wait in the spool")
        rows = await database.read(_every_row)
        opened = {report.listed.id: report for report in await of.read_all(session)}
        tags = await database.read(lambda connection: _tags(connection, of, rows))
        outcome.wrong += _untrue(rows, opened, told, tags)
    except StoreUnavailable as error:
        outcome.wrong.append(f"it does not open: {error}")
    finally:
        await next_one.close()
        of.slow_hashes.close()
    return outcome


def _every_row(connection: Connection) -> list[ReportRow]:
    return list(stored.page(connection, limit=MOST_CALLERS + 1))


def _tags(connection: Connection, of: Office, rows: Sequence[ReportRow]) -> dict[bytes, set[bytes]]:
    """Each of these reports -> the tags by which its caller's receipt may find it."""
    keys = line_keys_in(connection, of.host, of.pin)
    k_receipts = [epoch.receipt_key for epoch in line_epochs(connection, keys, of.pin).values()]
    callers = {row.id: _callers()[row.id] for row in rows if row.id in _callers()}
    slow = {report: quick(_code(caller), site_salt=keys.site_salt) for report, caller in callers.items()}
    return {report: {receipts.tag(k_receipt, one) for k_receipt in k_receipts} for report, one in slow.items()}


def _untrue(
    rows: Sequence[ReportRow],
    opened: Mapping[bytes, OpenReport],
    told: Sequence[Told],
    tags: Mapping[bytes, set[bytes]],
) -> Iterator[str]:
    """What is not as it was told, or was never told by anybody."""
    versions = {turn_of_call(version): version for version in range(1, LAST)} | {turn_of_ending(1): LAST}
    have: dict[int, int] = {}
    for row in rows:
        caller, version = _callers().get(row.id), versions.get(row.turn)
        if caller is None or version is None:
            yield f"nobody saved {row.id.hex()} at turn {row.turn}"
            continue
        have[caller] = version
        ask, report = ask_of(caller, version), opened[row.id]
        if report.seal is not Seal.OPENED or not report.trusted:
            yield f"caller {caller}, version {version}: {report.seal}, trusted: {report.trusted}"
        elif (report.answers, report.listed.consent, report.day) != (ask.answers, ask.consent, TODAY.isoformat()):
            yield f"caller {caller}, version {version} holds {report.answers}, {report.listed.consent}"
        if ask.ends and row.receipt_tag not in tags[row.id]:
            yield f"caller {caller}'s receipt does not find her report"
    for one in told:
        if one.saved and have.get(one.caller, 0) < one.version:
            yield f"caller {one.caller} heard that version {one.version} is saved; there is {have.get(one.caller)}"
        if one.saved and one.receipt != (_code(one.caller) if one.version == LAST else "-"):
            yield f"caller {one.caller} heard the receipt {one.receipt}"


@cache
def _callers() -> dict[bytes, int]:
    """The id of each caller's report -> the caller."""
    ids = (receipts.derive_id(seed_of(caller), f"report {FORM}", visit=1) for caller in range(MOST_CALLERS))
    return {report: caller for caller, report in enumerate(ids)}


@cache
def _code(caller: int) -> str:
    return receipts.receipt_code(seed_of(caller), FORM, visit=1)


def _unsound(file: Path) -> Iterator[str]:
    with closing(sqlite3.connect(file)) as looking:
        for check in ("integrity_check", "foreign_key_check"):
            found = [str(row[0]) for row in looking.execute(f"PRAGMA {check}")]
            if found not in (["ok"], []):
                yield f"{file.name}: {found}"
        orphans = "SELECT count(*) FROM reports WHERE id NOT IN (SELECT report_id FROM report_keys)"
        if count := looking.execute(orphans).fetchone()[0]:
            yield f"{file.name}: {count} rows without their key"
