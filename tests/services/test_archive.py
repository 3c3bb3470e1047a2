"""What advocates do with reports: confirm, note, export; and that none of it is done with what nobody vouches for."""

import csv
import io
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, delete, update

from ivr.engine.asks import Saved, SaveReport
from ivr.services.archive import CannotDecide, OpenReport
from ivr.services.custody import members
from ivr.services.custody.sessions import Session
from ivr.services.exporting import SamePerson, export_of
from ivr.services.receipts import Receipts
from ivr.services.tagged import CONFIRMED
from ivr.store.tables import note_keys, notes, report_keys, reports
from ivr.vault.advocates import Role
from ivr.vault.notes import NoteTooLong
from tests.founded import CHEAP, NOW, PASSPHRASE, Office, in_office
from tests.store.databases import KINDS

TODAY = NOW.date()
REPORT = SaveReport(
    form="bad_date",
    visit=1,
    answers=(("what", ("taken", "chased")), ("when", ("today",))),
    consent="pass_on",
    ending=1,
)

Main = Callable[[Office, Session], Coroutine[Any, Any, None]]


def with_office(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(of: Office) -> None:
        await main(of, await of.session())

    in_office(directory, run, kind=kind)


async def keep(of: Office, n: int = 0, **changes: Any) -> bytes:
    """The id of a new report."""
    before = {listed.id for listed in await of.archive.page()}
    kept = of.reports()
    assert isinstance(await kept.keep(replace(REPORT, **changes), seed=bytes([n]) * 16, turn=3, today=TODAY), Saved)
    await kept.close()
    [new] = {listed.id for listed in await of.archive.page()} - before
    return new


async def read(of: Office, report_id: bytes) -> OpenReport:
    report = await of.archive.read(report_id, await of.session("ana"))
    assert report is not None
    return report


async def execute(of: Office, statement: Executable) -> None:
    def run(connection: Connection) -> None:
        connection.execute(statement)

    await of.database.write(run)


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_confirmed_by_an_advocate_and_confirming_can_be_undone(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, ana: Session) -> None:
        report_id = await keep(of)
        assert await of.archive.decide(report_id, ana, confirmed=True)
        assert not await of.archive.decide(report_id, ana, confirmed=True)
        report = await read(of, report_id)
        assert (report.trusted, report.listed.state, report.answers) == (True, CONFIRMED, REPORT.answers)
        assert await of.archive.decide(report_id, ana, confirmed=False)
        assert (await read(of, report_id)).listed.state == "new"

    with_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_notes_are_read_with_the_report_and_name_their_author(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, ana: Session) -> None:
        report_id = await keep(of)
        for text in ("Called back.", "Ella está bien."):
            await of.archive.note(report_id, ana, text=text, today=TODAY)
        found = [note for note in (await read(of, report_id)).notes if note.note is not None and note.trusted]
        assert {(note.note.day, note.note.author, note.note.text) for note in found if note.note} == {
            ("2026-11-22", "ana", "Called back."),
            ("2026-11-22", "ana", "Ella está bien."),
        }
        with pytest.raises(NoteTooLong):
            await of.archive.note(report_id, ana, text="x" * 5000, today=TODAY)

    with_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("column", ["epoch", "body", "signer", "signature"])
def test_an_altered_note_shows(tmp_path: Path, column: str) -> None:
    async def main(of: Office, ana: Session) -> None:
        report_id = await keep(of)
        await of.archive.note(report_id, ana, text="She is fine", today=TODAY)
        planted: object = "2026-12" if column == "epoch" else b"p" * 64
        await execute(of, update(notes).values({column: planted}))
        assert [note.trusted for note in (await read(of, report_id)).notes] == [False]

    with_office(tmp_path, main)


def test_a_note_moved_to_another_report_shows(tmp_path: Path) -> None:
    async def main(of: Office, ana: Session) -> None:
        report_id, other = await keep(of), await keep(of, 1)
        await of.archive.note(report_id, ana, text="She is fine", today=TODAY)
        await execute(of, update(notes).values(report_id=other))
        assert [(note.note, note.trusted) for note in (await read(of, other)).notes] == [(None, False)]

    with_office(tmp_path, main)


def test_a_note_whose_key_is_gone_cannot_be_read(tmp_path: Path) -> None:
    async def main(of: Office, ana: Session) -> None:
        report_id = await keep(of)
        await of.archive.note(report_id, ana, text="She is fine", today=TODAY)
        await execute(of, delete(note_keys))
        assert [note.note for note in (await read(of, report_id)).notes] == [None]

    with_office(tmp_path, main)


def test_nothing_is_decided_about_what_nobody_vouches_for(tmp_path: Path) -> None:
    async def main(of: Office, ana: Session) -> None:
        planted, forgotten, taken_back, unfinished = [await keep(of, n) for n in range(3)] + [
            await keep(of, 3, ending=0)
        ]
        await execute(of, update(reports).where(reports.c.id == planted).values(consent="count_only"))
        await execute(of, delete(report_keys).where(report_keys.c.report_id == forgotten))
        await withdraw(of, 2)
        stranger = replace(ana, own=replace(ana.own, id=bytes(16)), epoch_keys={})
        gone = b"gone".ljust(16)
        for report_id, session, why in (
            (planted, ana, "planted or altered"),
            (forgotten, ana, "planted or altered"),
            (taken_back, ana, "taken back"),
            (unfinished, ana, "on the phone"),
            (unfinished, stranger, "never given to ana"),
            (gone, ana, "no such report"),
        ):
            with pytest.raises(CannotDecide, match=why):
                await of.archive.decide(report_id, session, confirmed=True)
        with pytest.raises(CannotDecide, match="planted"):
            await of.archive.note(planted, ana, text="x", today=TODAY)

    with_office(tmp_path, main)


async def withdraw(of: Office, n: int) -> None:
    kept = of.reports()
    saved = await kept.keep(REPORT, seed=bytes([n]) * 16, turn=3, today=TODAY)
    assert isinstance(saved, Saved)
    assert saved.receipt
    await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(saved.receipt)
    await kept.close()


def test_an_export_holds_what_may_be_passed_on_and_was_confirmed_and_says_what_it_left_out(tmp_path: Path) -> None:
    async def main(of: Office, ana: Session) -> None:
        await members.add(of.database, ana, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        bo = await of.session("bo")
        passed = await keep(of, 0)
        await keep(of, 1)
        for n, consent in ((2, "count_only"), (3, "warn_others")):
            await of.archive.decide(await keep(of, n, consent=consent), ana, confirmed=True)
        planted = await keep(of, 4)
        for report_id in (passed, planted):
            await of.archive.decide(report_id, ana, confirmed=True)
        await execute(of, update(reports).where(reports.c.id == planted).values(week="2026-W01"))
        await keep(of, 5)
        await withdraw(of, 5)
        made = await export_of(of.archive, ana, bo)
        assert list(csv.reader(io.StringIO(made.csv))) == [
            ["report", "form", "day", "adds_to", "what", "when"],
            [passed.hex(), "bad_date", "2026-11-22", "", "taken; chased", "today"],
        ]
        assert (made.count, made.left_out) == (1, "1 not confirmed, 3 not to be passed on, 1 planted or altered")
        with pytest.raises(SamePerson, match="two people"):
            await export_of(of.archive, ana, await of.session("ana"))

    with_office(tmp_path, main)


def test_no_cell_of_an_export_is_a_formula_whoever_wrote_the_report(tmp_path: Path) -> None:
    """Also where the line's own keys were stolen, and something was written that no form asks."""

    async def main(of: Office, ana: Session) -> None:
        await members.add(of.database, ana, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        planted = await keep(of, 0, answers=(("=cmd()", ("+1", "@sum(1)")), ("\x1b[2J", ("-2\r\n=3",))))
        await of.archive.decide(planted, ana, confirmed=True)
        made = await export_of(of.archive, ana, await of.session("bo"))
        header, line = list(csv.reader(io.StringIO(made.csv)))
        assert (header[4:], line[4:]) == (["'=cmd()", "\\x1b[2J"], ["'+1; @sum(1)", "'-2\\r\\n=3"])

    with_office(tmp_path, main)
