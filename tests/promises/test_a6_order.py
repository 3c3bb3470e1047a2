"""A6: where a row lies, and what stands in it, does not tell when it came. After the nightly work the rows lie in the
order of their random ids, and nothing but the week of a report goes with the order in which reports arrived. (Before
it they lie, on PostgreSQL and within SQLite's pages, as they came: that is said beside the promise, and shown here.
That no column is made for a moment: tests/store/test_tables.py.)"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from math import sqrt
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Table, text

from ivr.engine.asks import Noted, Opened, Saved, SaveReport
from ivr.kit.clock import VirtualClock
from ivr.services.receipts import SlowHashes
from ivr.services.reports import week_of
from ivr.services.retention import Night
from ivr.store.database import Database
from ivr.store.reports import ENDED
from ivr.store.tables import REWRITTEN, metadata, report_keys, reports
from ivr.vault import receipts
from tests.founded import NOW, Office, office
from tests.promises.house import PROVE
from tests.promises.keeping import ASK, FORM, Rows, copied
from tests.promises.ledger import Record
from tests.promises.ordering import correlation, deviation_within_pages, telling
from tests.promises.traces import Traces, files_in, offsets_of
from tests.shipped import flow
from tests.store.databases import KINDS, database_of

FIRST = date(2026, 11, 30)
"""A Monday."""
WEEKS = 3
COUNT = 240 if PROVE == 1 else 3_000
FEWER = COUNT // 2
"""Where a save takes longer, or a mutant is easily seen."""
REQUEST = SaveReport("callback", 1, (("phone", ("2125550123",)),), "request", 1, nights=5)
SHUFFLES = 3 if PROVE == 1 else 5
PAGES_CHANCE = 4.0
"""Deviations. The ids are the same in every run: it is met always or never."""


class QuickHashes(SlowHashes):
    """Stretches nothing: no receipt is tried here."""

    async def of(self, code: str, *, site_salt: bytes, gives_way: bool = False) -> bytes:
        return hashlib.blake2b(code.encode(), key=site_salt).digest()[:32]


@dataclass
class Arrivals:
    """The ids of reports in the order of their first saves, and of their last; `weeks` go with the first."""

    ids: list[bytes] = field(default_factory=list)
    claims: list[bytes] = field(default_factory=list)
    weeks: list[str] = field(default_factory=list)
    saved: list[bytes] = field(default_factory=list)

    @property
    def orders(self) -> dict[str, list[bytes]]:
        return {"first save": self.ids, "last save": self.saved}


async def arrive(of: Office, count: int = COUNT) -> Arrivals:
    """Reports over some weeks, each saved up to four times while others come; one in eight is cut off."""
    chance, came = Random(6), Arrivals()
    kept = of.reports(save_seconds=60)
    going_on: list[tuple[bytes, date, int]] = []

    async def save(seed: bytes, day: date, turn: int) -> None:
        is_cut_off = seed[0] % 8 == 0
        ask = replace(ASK, ending=0 if is_cut_off or turn < 3 else 1)
        saved = await kept.keep(ask, seed=seed, turn=turn, today=day)
        assert isinstance(saved, Saved)
        if turn < 3:
            going_on.append((seed, day, turn + 1))
        else:
            came.saved.append(receipts.derive_id(seed, f"report {FORM}", visit=1))
        if saved.receipt and seed[1] % 6 == 0:
            await come_back(saved.receipt, seed, day)

    async def come_back(code: str, seed: bytes, day: date) -> None:
        """With her receipt: she adds something, and may change her mind about its use."""
        with_receipt = of.receipts()
        opened = await with_receipt.open(code)
        assert isinstance(opened, Opened)
        added = replace(ASK, ending=1, adds_to=opened.receipt)
        assert await kept.keep(added, seed=seed, turn=9, today=day) == Saved()
        addition_id = receipts.addition_id(seed, FORM, opened.receipt, visit=1)
        came.ids.append(addition_id)
        came.saved.append(addition_id)
        came.weeks.append(week_of(day))
        if seed[2] % 2:
            came.claims.append(receipts.derive_id(seed, "change", visit=11))
            changed = with_receipt.change_consent(opened.receipt, "warn_others", change_id=came.claims[-1])
            assert await changed == Noted()

    for n in range(count):
        seed, day = chance.randbytes(16), FIRST + timedelta(days=n * 7 * WEEKS // count)
        came.ids.append(receipts.derive_id(seed, f"report {FORM}", visit=1))
        came.weeks.append(week_of(day))
        await save(seed, day, 1)
        while len(going_on) > 3:
            await save(*going_on.pop(chance.randrange(len(going_on))))
    while going_on:
        await save(*going_on.pop())
    await kept.close()
    return came


@dataclass
class Order:
    """What lies where, at one moment. `storage`: correlation with arrival, by table. `pages`: deviation within SQLite's
    pages. `writers`: transactions that PostgreSQL's rows say they are of. `strays`: ids anywhere else. `tells`: columns
    that go with arrival. `turns`: rows that still tell how far a call was."""

    storage: dict[str, float] = field(default_factory=dict)
    pages: dict[str, float] = field(default_factory=dict)
    writers: dict[str, int] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    tells: list[str] = field(default_factory=list)
    turns: int = 0

    def complaints(self, count: int) -> list[str]:
        found = [f"{name}: {rho:.2f} with arrival" for name, rho in self.storage.items() if abs(rho) > 4 / sqrt(count)]
        found += [f"{name}: within pages {one:.1f}" for name, one in self.pages.items() if abs(one) > PAGES_CHANCE]
        found += [f"{name}: written by {many} transactions" for name, many in self.writers.items() if many != 1]
        found += [f"{self.turns} rows keep their turn"] if self.turns else []
        return found + self.strays + self.tells


async def measured(of: Office, folder: Path, came: Arrivals, *, kind: str) -> Order:
    found = Order()
    joined = text("SELECT * FROM reports JOIN report_keys ON report_id = id")
    rows = await of.database.read(lambda connection: [dict(row) for row in connection.execute(joined).mappings()])
    known = {bytes(row["id"]): row for row in rows}
    found.tells = list(telling([known[one] for one in came.ids], came.weeks))
    found.turns = sum(row["turn"] <= ENDED or row["nights_left"] is not None for row in rows)
    if kind == "sqlite":
        _look_into_files(found, folder, came, {one: bytes(known[one]["sealed_key"]) for one in came.ids})
    else:
        await of.database.read(lambda connection: _look_into_tables(found, connection, came))
    return found


def _look_into_files(found: Order, folder: Path, came: Arrivals, keys: dict[bytes, bytes]) -> None:
    """Where in SQLite's file each id stands: once before its key, once in its report, once behind its tag, and nowhere
    else."""
    files = files_in(folder)
    content = files.pop("porchlight.db")
    rows: dict[str, list[tuple[bytes, int]]] = {"reports": [], "report_keys": [], "tags": []}
    for one, offsets in offsets_of(came.ids, content).items():
        lies = [_where(content, at + len(one), keys[one]) for at in offsets]
        if sorted(lies) != sorted(rows):
            found.strays.append(f"{one.hex()}: {len(offsets)} times in the file, in {lies}")
        for where, at in zip(lies, offsets, strict=True):
            rows[where].append((one, at))
    for name, places in rows.items():
        lying = [one for one, _ in sorted(places, key=lambda row: row[1])]
        for by, order in came.orders.items():
            found.storage[f"{name} by {by}"] = correlation(lying, order)
            found.pages[f"{name} by {by}"] = deviation_within_pages(places, order)
    traces = Traces()
    traces.add("an id", *came.ids)
    traces.add("a claim", *came.claims)
    found.strays += traces.found_in(files)
    claimed = Traces()
    claimed.add("a claim", *came.claims)
    found.strays += claimed.found_in({"porchlight.db": content})


def _where(content: bytes, at: int, key: bytes) -> str:
    """What an id belongs to, by what stands behind it."""
    if content.startswith(key, at):
        return "report_keys"
    forms = tuple(name.encode() for name in flow().forms)
    return "reports" if content.startswith(forms, at) else "tags"


def _look_into_tables(found: Order, connection: Connection, came: Arrivals) -> None:
    """In which order PostgreSQL's rows lie, and how many transactions wrote them."""
    for table in (reports, report_keys):
        [key] = table.primary_key
        rows = connection.execute(text(f"SELECT {key.name}, xmin::text FROM {table.name} ORDER BY ctid")).all()
        for by, order in came.orders.items():
            found.storage[f"{table.name} by {by}"] = correlation([bytes(row[0]) for row in rows], order)
        found.writers[table.name] = len({row[1] for row in rows})
    left = connection.execute(text("SELECT id FROM claims")).scalars()
    found.strays += [f"{bytes(one).hex()} is still claimed" for one in left]


Sabotage = Callable[[Path, Arrivals], None]


def around_the_nights(
    folder: Path,
    *,
    kind: str,
    database_class: type[Database] = Database,
    sabotage: Sabotage | None = None,
    nights: int = 2,
    count: int = COUNT,
) -> tuple[Order, Order]:
    """Weeks of reports on a line whose nightly work was not done, and then was: what lay where before it, and after so
    many nights of it. `sabotage` is done in between."""

    async def main(url: str) -> tuple[Order, Order]:
        async with office(url, folder) as founded:
            database = database_class(url)
            of = replace(founded, database=database, slow_hashes=QuickHashes())
            came = await arrive(of, count)
            await database.settle()  # out of SQLite's log, as a serving line does every quarter of a minute
            before = await measured(of, folder, came, kind=kind)
            if sabotage is not None:
                sabotage(folder / "porchlight.db", came)
            for night in range(nights):
                at = datetime.combine(FIRST + timedelta(days=7 * WEEKS + night), time(3, 30), ZoneInfo(flow().zone))
                assert await Night(database, of.host, of.pin, flow(), VirtualClock(at)).work_if_due()
            after = await measured(of, folder, came, kind=kind)
            of.slow_hashes.close()
            await database.close()
            return before, after

    with database_of(kind, folder) as url:
        return asyncio.run(main(url))


def test_sqlite_s_rows_do_not_lie_in_the_order_in_which_they_came(tmp_path: Path, record: Record) -> None:
    before, after = around_the_nights(tmp_path, kind="sqlite")
    record(COUNT, "reports whose place in SQLite's file was compared with their arrival")
    assert after.complaints(COUNT) == []
    assert any("-wal" in one for one in before.strays)  # the log tells all of it until it is emptied
    assert before.turns


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_postgresql_s_rows_do_not_lie_in_the_order_in_which_they_came(tmp_path: Path, record: Record) -> None:
    before, after = around_the_nights(tmp_path, kind="postgresql", count=FEWER)
    record(FEWER, "reports whose place in PostgreSQL was compared with their arrival")
    assert after.complaints(FEWER) == []
    assert max(before.storage.values()) > 0.9, "a look that sees no order sees nothing"
    assert before.writers["reports"] >= FEWER


def test_the_file_after_the_night_is_the_same_in_whichever_order_its_rows_came(tmp_path: Path, record: Record) -> None:
    """So there is nothing in it that any order could be read from, whether or not somebody thought of it."""
    assert len(shuffled(tmp_path, times=SHUFFLES)) == 1
    record(SHUFFLES * FEWER, "rows that came in another order and lie in the same file")


def shuffled(folder: Path, *, times: int, database_class: type[Database] = Database) -> set[bytes]:
    """The files that the same rows made, which came so many times, each time in another order."""

    async def main(url: str) -> set[bytes]:
        async with office(url, folder) as founded:
            of = replace(founded, slow_hashes=QuickHashes())
            await arrive(of, FEWER)
            of.slow_hashes.close()
            rows = await copied(of.database)
            return {await written(folder, rows, Random(seed), database_class) for seed in range(times)}

    with database_of("sqlite", folder) as url:
        return asyncio.run(main(url))


async def written(folder: Path, rows: Rows, chance: Random, database_class: type[Database]) -> bytes:
    """A database with these rows, which came in some order of their own and some of them twice, after a night; without
    the two counters of its head that count its transactions."""
    file = folder / f"written-{chance.random()}.db"
    database = database_class(f"sqlite:///{file}")
    await database.migrate()
    for table in metadata.sorted_tables:
        those = list(rows[table.name])
        if table in REWRITTEN:
            chance.shuffle(those)
        for row in those:
            await database.write(partial(_put, table, dict(row), again=chance.random() < 0.5))
    await database.rewrite(REWRITTEN)
    await database.close()
    content = bytearray(file.read_bytes())
    content[24:28] = content[92:96] = bytes(4)  # https://www.sqlite.org/fileformat.html#file_change_counter
    return bytes(content)


def _put(table: Table, row: dict[str, object], connection: Connection, *, again: bool) -> None:
    key = [column == row[column.name] for column in table.primary_key]
    connection.execute(table.insert().values(row))
    if again:
        connection.execute(table.update().where(*key).values({**row, **_shorter(table, row)}))
        connection.execute(table.update().where(*key).values(row))


def _shorter(table: Table, row: dict[str, object]) -> dict[str, object]:
    """What makes a row shorter for a moment, so that it may come to lie elsewhere."""
    return {"body": b""} if "body" in table.c and row["body"] else {}


def test_of_a_request_to_be_called_only_the_nights_it_has_left_tell_when_it_came(tmp_path: Path) -> None:
    """That they do is said beside the promise."""

    async def main(url: str) -> Order:
        async with office(url, tmp_path) as founded:
            of, came, clock = replace(founded, slow_hashes=QuickHashes()), Arrivals(), VirtualClock(NOW)
            kept, chance, found = of.reports(save_seconds=60), Random(6), Order()
            for n in range(4):
                day = FIRST + timedelta(days=n)
                clock.at = datetime.combine(day, time(3, 30), ZoneInfo(flow().zone))
                assert await Night(of.database, of.host, of.pin, flow(), clock).work_if_due()
                for _ in range(FEWER // 3 if n < 3 else 0):
                    seed = chance.randbytes(16)
                    await kept.keep(REQUEST, seed=seed, turn=3, today=day)
                    came.ids.append(receipts.derive_id(seed, "report callback", visit=1))
            came.saved, came.weeks = came.ids, [week_of(FIRST)] * len(came.ids)
            joined = text("SELECT * FROM reports JOIN report_keys ON report_id = id")
            rows = await of.database.read(
                lambda connection: [dict(row) for row in connection.execute(joined).mappings()]
            )
            known = {bytes(row["id"]): row for row in rows}
            found.tells = list(telling([known[one] for one in came.ids], came.weeks))
            _look_into_files(found, tmp_path, came, {one: bytes(known[one]["sealed_key"]) for one in came.ids})
            of.slow_hashes.close()
            return found

    with database_of("sqlite", tmp_path) as url:
        found = asyncio.run(main(url))
    assert [told.partition(":")[0] for told in found.tells] == ["nights_left"]
    assert replace(found, tells=[]).complaints(FEWER) == []


def test_nothing_on_the_disk_is_made_or_dated_for_each_report(tmp_path: Path) -> None:
    async def main(url: str) -> tuple[set[str], set[str]]:
        async with office(url, tmp_path) as founded:
            of = replace(founded, slow_hashes=QuickHashes())
            await arrive(of, 2)
            few = set(files_in(tmp_path))
            await arrive(of, 20)
            of.slow_hashes.close()
            return few, set(files_in(tmp_path))

    with database_of("sqlite", tmp_path) as url:
        few, many = asyncio.run(main(url))
    assert few == many


# ---- mutants: each must be caught ----


class NeverRewritten(Database):
    """Leaves every row where it came to lie."""

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        return True


def test_mutant_a_night_that_does_not_write_sqlite_s_file_anew_is_seen(tmp_path: Path) -> None:
    assert len(shuffled(tmp_path, times=2, database_class=NeverRewritten)) > 1


@pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")
def test_mutant_a_night_that_does_not_write_postgresql_s_rows_anew_is_seen(tmp_path: Path) -> None:
    _, after = around_the_nights(tmp_path, kind="postgresql", database_class=NeverRewritten, count=FEWER)
    assert any("with arrival" in one for one in after.complaints(FEWER))
    assert any("transactions" in one for one in after.complaints(FEWER))


def test_mutant_a_line_without_its_second_night_is_seen(tmp_path: Path) -> None:
    _, after = around_the_nights(tmp_path, kind="sqlite", nights=1, count=FEWER)
    assert [one for one in after.complaints(FEWER) if "keep their turn" in one]


def counts_ids(file: Path, came: Arrivals) -> None:
    """Ids are numbers, with some noise before them."""
    with closing(sqlite3.connect(file)) as other, other:
        for n, one in enumerate(list(came.ids)):
            _rename(other, came, one, one[:8] + (5_000 + n).to_bytes(8))


def counts_ids_first(file: Path, came: Arrivals) -> None:
    """Ids are numbers, so that they can be listed in order."""
    with closing(sqlite3.connect(file)) as other, other:
        for n, one in enumerate(list(came.ids)):
            _rename(other, came, one, (5_000 + n).to_bytes(8) + one[8:])


def _rename(other: sqlite3.Connection, came: Arrivals, one: bytes, name: bytes) -> None:
    for order in (came.ids, came.saved):
        order[order.index(one)] = name
    for table, key in (("reports", "id"), ("report_keys", "report_id")):
        other.execute(f"UPDATE {table} SET {key} = ? WHERE {key} = ?", (name, one))


def dates_rows(file: Path, came: Arrivals) -> None:
    """A column more, with the day."""
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("ALTER TABLE reports ADD COLUMN made_on TEXT")
        for n, one in enumerate(came.ids):
            day = FIRST + timedelta(days=n * 7 * WEEKS // len(came.ids))
            other.execute("UPDATE reports SET made_on = ? WHERE id = ?", (day.isoformat(), one))


@pytest.mark.parametrize(
    ("sabotage", "complaint"),
    [(counts_ids, "id: "), (counts_ids_first, "reports by first save: "), (dates_rows, "made_on: ")],
)
def test_mutant_a_line_whose_rows_tell_when_they_came_is_seen(
    sabotage: Sabotage, complaint: str, tmp_path: Path
) -> None:
    _, after = around_the_nights(tmp_path, kind="sqlite", sabotage=sabotage, count=FEWER)
    assert any(one.startswith(complaint) for one in after.complaints(FEWER))
