"""A street: a database with something in every table. And a court, where it is judged after each attack on it."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from ivr.engine.asks import Saved, SaveReport
from ivr.services.archive import Archive
from ivr.services.custody import members
from ivr.services.receipts import Receipts, SlowHashes
from ivr.services.spool import Spool
from ivr.services.tagged import Withdrawal
from ivr.store import claims, contributions, jobs
from ivr.store.contributions import ContributionRow
from ivr.store.database import Database
from ivr.store.tables import metadata
from ivr.vault import receipts
from ivr.vault.advocates import Role
from ivr.vault.organisation import Pin
from ivr.vault.recovery import Share
from tests.founded import CHEAP, NOW, PASSPHRASE, Office, found
from tests.promises.judging import Judge, Seen, verdict
from tests.promises.mallory import HER_PASSPHRASE, Attack, Hand, Row
from tests.promises.planting import attacks
from tests.promises.saving import SIDES, quick

BO_S = "another long passphrase"
ArchiveOf = Callable[[Judge], Archive]
PASSPHRASES = {"ana": (PASSPHRASE, HER_PASSPHRASE), "bo": (BO_S, HER_PASSPHRASE), "mallory": (HER_PASSPHRASE,)}
REPORTS = (
    ("bad_date", NOW.date(), 1),
    ("bad_date", NOW.date(), 1),
    ("robbery", NOW.date(), 1),
    ("bad_date", date(2026, 12, 9), 1),
    ("bad_date", NOW.date(), 0),
    ("bad_date", NOW.date(), 1),
)
"""Form, day, and whether it ended. The last is taken back."""


@dataclass(frozen=True, slots=True)
class Street:
    """A database with everything in it. `older`: rows of its older copy. `ids`, `receipts`: of the first reports."""

    folder: Path
    pin: Pin
    shares: tuple[Share, ...]
    older: dict[str, list[Row]]
    ids: tuple[bytes, ...]
    receipts: tuple[str, ...]

    @contextmanager
    def hand(self) -> Iterator[Hand]:
        """Her hand in the street itself: to look only."""
        with hand_in(self.folder / SIDES[0], self.pin, self.older) as hand:
            yield hand


async def built(folder: Path) -> Street:
    """A street in this folder."""
    database, spooled = Database(f"sqlite:///{folder / 'porchlight.db'}"), Database(f"sqlite:///{folder / 'spool.db'}")
    made = await found(database, demo=True)
    of = Office(database, Spool(spooled), made.pin, made.shares, slow_hashes=SlowHashes(quick))
    kept = of.reports()
    await kept.ready(NOW.date())
    ana = await of.session("ana")
    await members.add(database, ana, name="bo", passphrase=BO_S, role=Role.ADVOCATE, effort=CHEAP)
    codes = []
    for n, (form, today, ending) in enumerate(REPORTS):
        consent = ("count_only", "warn_others", "pass_on")[n % 3]
        ask = SaveReport(form, 1, (("what", (f"report_{n}",)),), consent, ending)
        saved = await kept.keep(ask, seed=bytes([n]) * 16, turn=3, today=today)
        assert isinstance(saved, Saved)
        codes += [saved.receipt] if saved.receipt else []
    with hand_in(folder / "porchlight.db", made.pin) as hand:
        older = {name: hand.rows(name) for name in metadata.tables}
    ids = [receipts.derive_id(bytes([n]) * 16, "report bad_date", visit=1) for n in range(2)]
    await of.archive.decide(ids[0], ana, confirmed=True)
    await of.archive.note(ids[0], ana, text="She is fine", today=NOW.date())
    await of.archive.note(ids[0], await of.session("bo", BO_S), text="Called again", today=NOW.date())
    await of.archive.note(ids[1], ana, text="As the one of Sunday", today=NOW.date())
    desk = Receipts(database, of.host, of.pin, of.slow_hashes)
    assert await desk.withdraw(codes[-1]) is Withdrawal.TAKEN_BACK
    await database.write(_derived)
    await kept.close()
    of.slow_hashes.close()
    await spooled.close()
    await database.close()
    return Street(folder, made.pin, made.shares, older, tuple(ids), tuple(codes[:-1]))


def _derived(connection: Connection) -> None:
    for n in range(2):
        row = ContributionRow(bytes([n]) * 16, "number", "warn_others", b"derived", until="2027-01-01")
        contributions.put(connection, row)
        claims.claim(connection, bytes([n]) * 16)
    jobs.claim(connection, "night", day="2026-11-22")


@contextmanager
def hand_in(file: Path, pin: Pin, older: dict[str, list[Row]] | None = None) -> Iterator[Hand]:
    """Her hand in a database of the organisation whose public key is `pin`."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        yield Hand(database, pin, older or {})


@dataclass
class Court:
    """A copy of the street, which is as it was before each attack; and who judges what there is to see then."""

    file: Path
    street: Street
    judge: Judge
    before: Seen
    cases: int = 0

    async def after(self, attack: Attack) -> Seen:
        """What is seen of the street after this attack, and nothing else."""
        with (
            closing(sqlite3.connect(self.street.folder / "porchlight.db")) as as_it_was,
            hand_in(self.file, self.street.pin, self.street.older) as hand,
        ):
            as_it_was.backup(hand.database)
            attack(hand)
        self.cases += 1
        return await self.judge.sees()

    async def verdict(self, attack: Attack) -> str:
        """What becomes of an attack; a crash is named."""
        try:
            return verdict(self.before, await self.after(attack))
        except Exception as crash:
            return f"{type(crash).__name__}: {crash}"

    def attacks(self) -> list[tuple[str, Attack]]:
        with self.street.hand() as hand:
            return list(attacks(hand))


@asynccontextmanager
async def court(street: Street, folder: Path, *, archive_of: ArchiveOf | None = None) -> AsyncIterator[Court]:
    shutil.copytree(street.folder, folder)
    database, spooled = (Database(f"sqlite:///{folder / name}") for name in ("porchlight.db", "spool.db"))
    of = Office(database, Spool(spooled), street.pin, street.shares, slow_hashes=SlowHashes(quick))
    judge = Judge(of, PASSPHRASES) if archive_of is None else Judge(of, PASSPHRASES, archive_of)
    try:
        before = await Judge(of, PASSPHRASES).sees()
        yield Court(folder / "porchlight.db", street, judge, before)
    finally:
        of.slow_hashes.close()
        await spooled.close()
        await database.close()
