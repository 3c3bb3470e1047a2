"""Two workers at the same moment, on PostgreSQL, where neither waits for the other unless it says so: what one has done
and not yet committed the other must not overlook."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.util import await_only

from ivr.engine.asks import Gone, Noted, NotSaved, Opened, Saved, SaveReport
from ivr.services import by_receipt
from ivr.services import receipts as services_receipts
from ivr.services import reports as services_reports
from ivr.services.archive import CannotDecide, OpenReport, Seal
from ivr.services.by_receipt import LiveReceipts
from ivr.services.custody.rolling import roll_line_keys
from ivr.services.custody.sessions import Session
from ivr.services.custody.trust import line_keys_in
from ivr.services.receipts import Receipts
from ivr.services.tagged import CONFIRMED, TAKEN_BACK
from ivr.store import line_keys
from ivr.store import reports as stored
from ivr.store.database import LOCK_SECONDS, Database
from ivr.store.tables import notes
from tests.founded import NOW, Office, in_office
from tests.store.databases import KINDS

TODAY = NOW.date()
REPORT = SaveReport("bad_date", 1, (("what", ("taken",)),), "warn_others", ending=1)
NAME = "porchlight-waits"

T = TypeVar("T")

pytestmark = pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")


class Undecided(Database):
    """Has done its work, and does not commit until it is let."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.done, self.let = asyncio.Event(), asyncio.Event()

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await super().write(self._held(work))

    async def alone(self, work: Callable[[Connection], T], *, wait_seconds: float = LOCK_SECONDS) -> T:
        return await super().alone(self._held(work), wait_seconds=wait_seconds)

    def _held(self, work: Callable[[Connection], T]) -> Callable[[Connection], T]:
        def held(connection: Connection) -> T:
            result = work(connection)
            self.done.set()
            await_only(self.let.wait())
            return result

        return held


class Line:
    """A report whose caller is on the phone twice, and an advocate who has just opened it."""

    def __init__(self, of: Office, ana: Session) -> None:
        self.of, self.ana = of, ana
        self.code, self.receipt = "", b""
        self.report = b""

    async def begin(self) -> None:
        kept = self.of.reports()
        saved = await kept.keep(REPORT, seed=b"e" * 16, turn=9, today=TODAY)
        assert isinstance(saved, Saved)
        assert saved.receipt
        opened = await self.of.receipts().open(saved.receipt)
        assert isinstance(opened, Opened)
        self.code, self.receipt = saved.receipt, opened.receipt
        [self.report] = [listed.id for listed in await self.of.archive.page()]

    def receipts(self, database: Database) -> LiveReceipts:
        return replace(self.of, database=database).receipts()

    async def add(self, database: Database, *, visit: int = 1) -> object:
        kept = replace(self.of, database=database).reports()
        ask = replace(REPORT, visit=visit, adds_to=self.receipt)
        return await kept.keep(ask, seed=b"l" * 16, turn=5, today=TODAY)

    async def save(self, database: Database) -> object:
        kept = replace(self.of, database=database).reports(save_seconds=60)
        return await kept.keep(REPORT, seed=b"s" * 16, turn=9, today=TODAY)

    async def come_home(self, database: Database) -> object:
        """A report that waited in the spool."""
        kept = replace(self.of, database=database).reports()
        await kept.ready(TODAY)
        with pytest.MonkeyPatch.context() as away:
            away.setattr(kept, "_is_put", _not_now)
            await kept.keep(REPORT, seed=b"h" * 16, turn=9, today=TODAY)
        return await kept.bring_home()

    async def roll(self, database: Database) -> object:
        return await roll_line_keys(database, self.ana, self.of.host, now=NOW)

    async def add_more(self, database: Database) -> object:
        return await self.add(database, visit=2)

    async def withdraw(self, database: Database) -> object:
        return await self.receipts(database).withdraw(self.receipt)

    async def withdraw_for_her(self, database: Database) -> object:
        """At the terminal, by an advocate whom she told her code."""
        of = replace(self.of, database=database)
        return await Receipts(database, of.host, of.pin, of.slow_hashes).withdraw(self.code)

    async def allow_all(self, database: Database) -> object:
        return await self.receipts(database).change_consent(self.receipt, "pass_on", change_id=b"a" * 16)

    async def allow_little(self, database: Database) -> object:
        return await self.receipts(database).change_consent(self.receipt, "count_only", change_id=b"l" * 16)

    async def confirm(self, database: Database) -> object:
        try:
            return await replace(self.of, database=database).archive.decide(self.report, self.ana, confirmed=True)
        except CannotDecide:
            return None

    async def note(self, database: Database) -> object:
        archive = replace(self.of, database=database).archive
        try:
            await archive.note(self.report, self.ana, text="She is fine", today=TODAY)
        except CannotDecide:
            return None
        return True


async def _not_now(*_: object) -> bool:
    return False


Does = Callable[[Line, Database], Awaitable[object]]


def at_once(folder: Path, first: Does, second: Does) -> tuple[object, object, bool, list[OpenReport]]:
    """What each was told, whether the second had to wait until the first was committed, and what is there then."""
    found: list[tuple[object, object, bool, list[OpenReport]]] = []

    async def main(of: Office) -> None:
        line = Line(of, await of.session())
        await line.begin()
        url = of.database._url.render_as_string(hide_password=False)
        undecided = Undecided(url)
        other = Database(
            make_url(url).update_query_dict({"application_name": NAME}).render_as_string(hide_password=False)
        )
        one = asyncio.ensure_future(first(line, undecided))
        await undecided.done.wait()
        two = asyncio.ensure_future(second(line, other))
        while not two.done() and not await of.database.read(_somebody_waits):
            pass
        waited = not two.done()
        undecided.let.set()
        told = await one, await two
        found.append((*told, waited, await of.read_all()))
        living = {one.listed.id for one in opened(found[0][3])}
        assert {note.report_id for note in await of.database.read(_notes)} <= living
        await undecided.close()
        await other.close()

    in_office(folder, main, kind="postgresql")
    return found[0]


def _somebody_waits(connection: Connection) -> bool:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND wait_event_type = 'Lock'")
    return bool(connection.execute(waiting, {"name": NAME}).scalar_one())


def _notes(connection: Connection) -> list[Any]:
    return list(connection.execute(select(notes)))


def opened(found: list[OpenReport]) -> list[OpenReport]:
    return [one for one in found if one.seal is Seal.OPENED]


def consents(found: list[OpenReport]) -> set[str]:
    return {one.listed.consent for one in opened(found)}


def test_what_is_being_added_while_it_is_taken_back_is_taken_back_too(tmp_path: Path) -> None:
    saved, noted, waited, found = at_once(tmp_path, Line.add, Line.withdraw)
    assert (saved, noted, waited) == (Saved(), Noted(), True)
    assert (len(found), opened(found)) == (2, [])


def test_nothing_is_added_to_what_is_being_taken_back(tmp_path: Path) -> None:
    noted, saved, waited, found = at_once(tmp_path, Line.withdraw, Line.add)
    assert (noted, saved, waited) == (Noted(), NotSaved(), True)
    assert (len(found), opened(found)) == (1, [])


def test_what_is_being_added_while_she_allows_less_may_be_used_for_less(tmp_path: Path) -> None:
    saved, noted, _, found = at_once(tmp_path, Line.add, Line.allow_little)
    assert (saved, noted, len(found), consents(found)) == (Saved(), Noted(), 2, {"count_only"})


def test_what_is_added_while_she_is_allowing_less_may_be_used_for_less(tmp_path: Path) -> None:
    noted, saved, _, found = at_once(tmp_path, Line.allow_little, Line.add)
    assert (saved, noted, len(found), consents(found)) == (Saved(), Noted(), 2, {"count_only"})


def test_of_two_wishes_the_later_one_counts(tmp_path: Path) -> None:
    one, other, _, found = at_once(tmp_path, Line.allow_all, Line.allow_little)
    assert (one, other, consents(found)) == (Noted(), Noted(), {"count_only"})


def test_one_wish_that_comes_twice_at_once_is_one(tmp_path: Path) -> None:
    one, other, waited, found = at_once(tmp_path, Line.allow_all, Line.allow_all)
    assert (one, other, waited, consents(found)) == (Noted(), Noted(), True, {"pass_on"})


def test_what_is_being_taken_back_is_not_changed_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    _, changed, _, found = at_once(tmp_path / "one", Line.withdraw, Line.allow_all)
    assert (changed, opened(found), {one.listed.consent for one in found}) == (Gone(), [], {"count_only"})
    _, noted, _, found = at_once(tmp_path / "other", Line.allow_all, Line.withdraw)
    assert (noted, opened(found), {one.listed.consent for one in found}) == (Noted(), [], {"count_only"})


def test_two_additions_at_once_and_two_withdrawals_at_once_are_two_and_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    *saved, _, found = at_once(tmp_path / "one", Line.add, Line.add_more)
    assert (saved, len(opened(found))) == ([Saved(), Saved()], 3)
    *noted, _, found = at_once(tmp_path / "other", Line.withdraw, Line.withdraw)
    assert (noted, opened(found)) == ([Noted(), Noted()], [])


def test_an_advocate_who_confirms_and_a_caller_who_allows_less_undo_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    _, noted, _, found = at_once(tmp_path / "one", Line.confirm, Line.allow_little)
    assert noted == Noted()
    assert [(one.listed.state, one.listed.consent) for one in found] == [(CONFIRMED, "count_only")]
    _, confirmed, _, found = at_once(tmp_path / "other", Line.allow_little, Line.confirm)
    assert confirmed is True
    assert [(one.listed.state, one.listed.consent, one.trusted) for one in found] == [(CONFIRMED, "count_only", True)]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("work", ["note", "confirm"])
def test_no_note_and_no_confirmation_outlives_what_is_being_taken_back(tmp_path: Path, work: str, order: int) -> None:
    first, second = (getattr(Line, work), Line.withdraw)[::order]
    *_, waited, found = at_once(tmp_path, first, second)
    assert waited
    assert [(one.seal, one.listed.state) for one in found] == [(Seal.FORGOTTEN, TAKEN_BACK)]


SIGNED = (Line.save, Line.add, Line.allow_all, Line.withdraw, Line.withdraw_for_her, Line.come_home)
CHANGING = (Line.allow_all, Line.withdraw, Line.withdraw_for_her)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("signs", SIGNED, ids=lambda does: does.__name__)
def test_what_is_signed_while_a_lead_makes_new_keys_is_vouched_for_by_those(
    tmp_path: Path, signs: Does, order: int
) -> None:
    first, second = (signs, Line.roll)[::order]
    *told, waited, found = at_once(tmp_path, first, second)
    assert waited
    assert NotSaved() not in told
    assert len(found) == (1 if signs in CHANGING else 2)
    assert all(one.trusted for one in found), "nothing shows as planted"


# ---- mutants: each must be caught ----


def without_any_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at what is committed, and writes."""
    genuine = stored.tagged
    monkeypatch.setattr(stored, "tagged", lambda connection, tags, lock=None: genuine(connection, tags))


def with_rows_locked_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there yet cannot be locked."""
    monkeypatch.setattr(stored, "_hold", lambda _connection, _lock: None)


SCENES = (
    test_what_is_being_added_while_it_is_taken_back_is_taken_back_too,
    test_nothing_is_added_to_what_is_being_taken_back,
    test_what_is_being_added_while_she_allows_less_may_be_used_for_less,
    test_what_is_added_while_she_is_allowing_less_may_be_used_for_less,
)


def test_mutant_a_roll_that_holds_nothing_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_keys, "hold", lambda _connection: None)
    *_, found = at_once(tmp_path, Line.save, Line.roll)
    assert not all(one.trusted for one in found)


@pytest.mark.parametrize(
    "does", [Line.add, Line.allow_all, Line.withdraw, Line.come_home], ids=lambda one: one.__name__
)
def test_mutant_a_line_that_signs_without_a_look_at_who_rolls_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: Does
) -> None:
    for module in (by_receipt, services_receipts, services_reports):
        monkeypatch.setattr(module, "keys_to_sign_with", line_keys_in)
    *_, found = at_once(tmp_path, does, Line.roll)
    assert not all(one.trusted for one in found)


@pytest.mark.parametrize("mutant", [without_any_lock, with_rows_locked_only])
def test_mutant_a_line_that_overlooks_the_other_worker_is_seen(
    mutant: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    seen = []
    for number, scene in enumerate(SCENES):
        (tmp_path / str(number)).mkdir()
        try:
            scene(tmp_path / str(number))
        except AssertionError:
            seen.append(scene)
    assert seen
