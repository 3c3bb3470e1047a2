"""Reports with everything that may come of them, and every byte by which they could be known later; and what is left of
them in a backup whose halves are not equally old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from nacl.utils import random
from sqlalchemy import Connection, select, text

from ivr.engine.asks import Opened, Saved, SaveReport
from ivr.services.archive import OpenReport
from ivr.services.custody.trust import line_keys_of
from ivr.services.reports import Reports
from ivr.store import contributions
from ivr.store.contributions import ContributionRow
from ivr.store.database import Database
from ivr.store.tables import metadata, note_keys, notes, report_keys, reports
from ivr.vault import receipts
from tests.founded import Office, unhurried_database

FORM = "bad_date"
ASK = SaveReport(FORM, 1, (("what", ("robbed", "taken")), ("when", ("today",))), consent="pass_on")
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Table -> its rows, column by column (Any: as the database gives them)."""


@dataclass
class Kept:
    """One report, and everything that could lead to what it says."""

    id: bytes
    form: str
    day: date
    code: str
    secrets: list[bytes]
    added: list[bytes] = field(default_factory=list)
    """The ids of what was added to it."""

    @property
    def monday(self) -> date:
        return self.day - timedelta(days=self.day.weekday())


async def keep(
    of: Office, kept: Reports, *, day: date, form: str = FORM, seed: bytes = b"", turns: int = 4, ends: bool = True
) -> Kept:
    """A report, saved at each of so many turns, each time under another key; the last ends it, or she was cut off."""
    seed = seed or random(16)
    report_id = receipts.derive_id(seed, f"report {form}", visit=1)
    secrets, code = list[bytes](), ""
    for turn in range(1, turns + 1):
        ask = replace(ASK, form=form, ending=1 if ends and turn == turns else 0)
        saved = await kept.keep(ask, seed=seed, turn=turn, today=day)
        assert isinstance(saved, Saved)
        code = saved.receipt or ""
        secrets += await secrets_of(of.database, report_id)
    return Kept(report_id, form, day, code, secrets)


async def add(of: Office, kept: Reports, one: Kept, *, day: date, turns: int = 2) -> None:
    """What its caller adds to a report on some later day, saved at each of so many turns."""
    opened = await of.receipts().open(one.code)
    assert isinstance(opened, Opened)
    addition_id = receipts.addition_id(one.id, one.form, opened.receipt, visit=1)
    for turn in range(1, turns + 1):
        ask = replace(ASK, form=one.form, ending=1 if turn == turns else 0, adds_to=opened.receipt)
        assert await kept.keep(ask, seed=one.id, turn=turn, today=day) == Saved()
        one.secrets += await secrets_of(of.database, addition_id)
    one.added.append(addition_id)


async def annotate(of: Office, one: Kept, *, until: date) -> None:
    """An advocate's work with a report: it is confirmed, noted on, and something is derived from it, for as long."""
    session = await of.session()
    await of.archive.decide(one.id, session, confirmed=True)
    await of.archive.note(one.id, session, text="She called again.", today=one.day)
    salt = (await line_keys_of(of.database, of.host, of.pin)).site_salt
    handle = receipts.handle(receipts.slow(one.code, site_salt=salt))
    derived = ContributionRow(handle, "number", "warn_others", random(64), until=until.isoformat())
    await of.database.write(lambda connection: contributions.put(connection, derived))
    one.secrets += [*await secrets_of(of.database, one.id), derived.payload, handle]


async def secrets_of(database: Database, report_id: bytes) -> list[bytes]:
    """The body of a report, its key, its notes and theirs, as they lie there now."""
    statements = (
        select(reports.c.body).where(reports.c.id == report_id),
        select(report_keys.c.sealed_key).where(report_keys.c.report_id == report_id),
        select(notes.c.body).where(notes.c.report_id == report_id),
        select(note_keys.c.sealed_key).join(notes).where(notes.c.report_id == report_id),
    )
    return await database.read(lambda of: [bytes(found) for one in statements for found in of.execute(one).scalars()])


# ---- backups ----


async def copied(database: Database) -> Rows:
    """Every row, of one moment."""

    def everything(connection: Connection) -> Rows:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in metadata.sorted_tables
        }

    return await database.read(everything, snapshot=True)


async def oldest_data_with_newest_keys(data: Rows, keys: Rows, folder: Path, of: Office) -> list[OpenReport]:
    """The worst backup that can be put together while nobody hoards keys: the `data` tables of an older copy, the
    `keys` tables of a newer one; and what an advocate reads there. (As the tables are declared: `backup`.)"""
    restored = unhurried_database(f"sqlite:///{folder / 'restored.db'}")
    await restored.migrate()

    def put(connection: Connection) -> None:
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        for table in metadata.sorted_tables:
            rows = {"data": data, "keys": keys}[table.info["backup"]][table.name]
            for row in rows:
                connection.execute(table.insert().values(**row))
        orphans = [
            (report_keys, "report_id NOT IN (SELECT id FROM reports)"),
            (note_keys, "note_id NOT IN (SELECT id FROM notes)"),
            (metadata.tables["epoch_wraps"], "epoch NOT IN (SELECT id FROM epochs)"),
        ]
        for table, lost in orphans:
            connection.execute(table.delete().where(text(lost)))

    try:
        await restored.write(put)
        return await replace(of, database=restored).read_all()
    finally:
        await restored.close()
