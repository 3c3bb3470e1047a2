"""Who holds which key, who can still read when something is lost, and that nobody else ever can."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, delete, select, update

from ivr.engine.asks import Saved, SaveReport
from ivr.services.archive import Seal
from ivr.services.custody import founding, members, recovering, rolling
from ivr.services.custody.founding import AlreadyFounded
from ivr.services.custody.members import LastLead, NameTaken
from ivr.services.custody.recovering import SharesVoid
from ivr.services.custody.sessions import (
    AnotherOrganisation,
    CannotOpenAll,
    NotALead,
    UnknownAdvocate,
    pin_by_passphrase,
)
from ivr.services.custody.status import status_of
from ivr.services.custody.trust import LineKeysLost, NotSetUp, line_keys_of, locked
from ivr.services.receipts import Receipts
from ivr.services.tagged import Withdrawal
from ivr.store import advocates as stored_advocates
from ivr.store.database import Database
from ivr.store.tables import metadata
from ivr.vault import organisation, wrapping
from ivr.vault.advocates import Role, WrongPassphrase
from ivr.vault.host import HostKey
from ivr.vault.recovery import SharesDiffer
from tests.founded import CHEAP, NOW, PASSPHRASE, SECRET, Office, found, in_office, office
from tests.store.databases import KINDS

FEBRUARY = datetime(2027, 2, 3, 12, tzinfo=UTC)
OTHER = "another long passphrase"
REPORT = SaveReport(form="bad_date", visit=1, answers=(("what", ("taken",)),), consent="warn_others", ending=1)


async def keep(of: Office, seed: bytes = b"e" * 16, host: HostKey | None = None) -> str:
    """A report; its receipt."""
    kept = of.reports(host=host)
    saved = await kept.keep(REPORT, seed=seed, turn=3, today=of.now.date())
    await kept.close()
    assert isinstance(saved, Saved)
    assert saved.receipt
    return saved.receipt


async def add(of: Office, name: str, role: Role = Role.ADVOCATE) -> None:
    await members.add(of.database, await of.session("ana"), name=name, passphrase=OTHER, role=role, effort=CHEAP)


async def opened(of: Office, name: str, passphrase: str) -> list[Seal]:
    """What becomes of each report when this advocate opens it; a report that is not trusted fails."""
    found = await of.read_all(await of.session(name, passphrase))
    assert all(report.trusted for report in found)
    return [report.seal for report in found]


async def everything(database: Database) -> dict[str, list[Any]]:
    def look(connection: Connection) -> dict[str, list[Any]]:
        tables = metadata.tables.items()
        return {name: sorted(tuple(row) for row in connection.execute(select(table))) for name, table in tables}

    return await database.read(look)


async def execute(database: Database, *statements: Executable) -> None:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    await database.write(run)


def all_bytes_in(directory: Path) -> bytes:
    """The databases with their journals."""
    return b"".join(path.read_bytes() for path in directory.iterdir())


# Founding


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_organisation_has_a_lead_three_shares_and_this_month_s_epoch_with_three_ahead(
    tmp_path: Path, kind: str
) -> None:
    async def main(of: Office) -> None:
        status = await status_of(of.database, of.host, of.pin, now=NOW)
        assert [(member.name, member.role, member.epochs) for member in status.members] == [("ana", Role.LEAD, 4)]
        assert status.epochs == ("2026-11", "2026-12", "2027-01", "2027-02")
        assert (status.has_recovery, len(of.shares)) == (True, 3)
        assert [warning[:24] for warning in status.warnings] == ["There is one lead only. "]

    in_office(tmp_path, main, kind=kind)


def test_a_second_founding_changes_nothing(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        before = await everything(of.database)
        with pytest.raises(AlreadyFounded):
            await found(of.database, lead="bo")
        assert await everything(of.database) == before

    in_office(tmp_path, main)


def test_two_that_found_at_once_make_one_organisation(tmp_path: Path) -> None:
    async def main() -> None:
        one, other = (Database(f"sqlite:///{tmp_path / 'line.db'}") for _ in range(2))
        await one.migrate()
        results = await asyncio.gather(found(one), found(other, lead="bo"), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["AlreadyFounded", "Founded"]
        counts = {name: len(rows) for name, rows in (await everything(one)).items()}
        assert (counts["advocates"], counts["line_keys"], counts["recovery_keys"], counts["epochs"]) == (1, 1, 1, 4)
        await asyncio.gather(one.close(), other.close())

    asyncio.run(main())


def test_demo_data_is_marked(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(f"sqlite:///{tmp_path / 'line.db'}")
        await found(database, demo=True)
        assert await founding.is_demo(database)
        await database.close()

    asyncio.run(main())


def test_no_secret_is_stored_or_shown(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await keep(of)
        ana, line = await of.session(), await line_keys_of(of.database, of.host, of.pin)
        stored = all_bytes_in(tmp_path)
        secrets = (*ana.epoch_keys.values(), ana.lead(), ana.own.sealing_key, ana.own.signing_key)
        for secret in (
            *secrets,
            bytes(line.signer._key),
            line.sealing_key,
            line.site_salt,
            SECRET,
            PASSPHRASE.encode(),
        ):
            assert secret not in stored
            assert repr(secret)[2:-1] not in repr((ana, line, of.shares))

    in_office(tmp_path, main)


# Sessions


def test_a_lead_s_sign_in_keeps_three_epochs_ahead_for_everybody(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        of.now = FEBRUARY
        assert (await of.session("bo", OTHER)).new_epochs == ()
        assert (await of.session("ana")).new_epochs == ("2027-03", "2027-04", "2027-05")
        assert (await of.session("ana")).new_epochs == ()
        for name, passphrase in (("ana", PASSPHRASE), ("bo", OTHER)):
            assert max((await of.session(name, passphrase)).epoch_keys) == "2027-05"
        drill = await recovering.open_with_shares(of.database, *of.shares[:2], pin=of.pin)
        assert (len(drill.epoch_keys), drill.missing_epochs) == (7, ())

    in_office(tmp_path, main)


def test_a_wrong_passphrase_or_name_unlocks_nothing(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        with pytest.raises(WrongPassphrase):
            await of.session(passphrase="wrong horse")
        with pytest.raises(UnknownAdvocate, match=r"no advocate bo: .*ana"):
            await of.session("bo")
        await add(of, "bo")
        with pytest.raises(UnknownAdvocate, match="ana, bo"):
            await of.session()

    in_office(tmp_path, main)


def test_only_a_lead_does_what_leads_do(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        bo = await of.session("bo", OTHER)
        before = await everything(of.database)
        for attempt in (
            members.add(of.database, bo, name="cy", passphrase=OTHER, role=Role.LEAD, effort=CHEAP),
            members.remove(of.database, bo, name="ana", now=NOW),
            rolling.roll_line_keys(of.database, bo, of.host, now=NOW),
            recovering.print_shares(of.database, bo),
        ):
            with pytest.raises(NotALead, match="bo is not a lead"):
                await attempt
        assert await everything(of.database) == before

    in_office(tmp_path, main)


def test_an_advocate_changes_her_own_passphrase(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await keep(of)
        await members.change_passphrase(of.database, await of.session(), passphrase=OTHER, effort=CHEAP)
        assert await opened(of, "ana", OTHER) == [Seal.OPENED]
        with pytest.raises(WrongPassphrase):
            await of.session()

    in_office(tmp_path, main)


# Advocates come and go


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_advocate_reads_what_was_there_and_what_comes(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        await keep(of)
        await add(of, "bo")
        await keep(of, b"f" * 16)
        assert await opened(of, "bo", OTHER) == [Seal.OPENED, Seal.OPENED]
        with pytest.raises(NameTaken, match="bo"):
            await add(of, "bo")

    in_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_removed_advocate_opens_no_month_that_has_not_begun(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        bo = await of.session("bo", OTHER)
        done = await members.remove(of.database, await of.session("ana"), name="bo", now=NOW)
        assert done.new_epochs == ("2026-12", "2027-01", "2027-02")
        with pytest.raises(UnknownAdvocate):
            await of.session("bo", OTHER)
        of.now = FEBRUARY
        await keep(of)
        assert [report.seal for report in await of.read_all(bo)] == [Seal.BROKEN]
        assert await opened(of, "ana", PASSPHRASE) == [Seal.OPENED]
        assert bo.own.id not in {row[1] for row in (await everything(of.database))["epoch_wraps"]}

    in_office(tmp_path, main, kind=kind)


def test_what_a_removed_advocate_signed_stays_true_and_her_key_is_worth_nothing(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        await keep(of)
        await keep(of, b"f" * 16)
        bo = await of.session("bo", OTHER)
        one, other = await of.archive.page()
        await of.archive.decide(one.id, bo, confirmed=True)
        await of.archive.note(one.id, bo, text="She is fine", today=NOW.date())
        done = await members.remove(of.database, await of.session("ana"), name="bo", now=NOW)
        assert done.signed_anew == 2
        [first] = [report for report in await of.read_all() if report.listed.id == one.id]
        assert (first.trusted, first.listed.state) == (True, "confirmed")
        assert [(note.trusted, note.note and note.note.author) for note in first.notes] == [(True, "bo")]
        with_her_key = replace(await of.session("ana"), own=bo.own)
        await of.archive.decide(other.id, with_her_key, confirmed=True)
        assert [listed.trusted for listed in await of.archive.page() if listed.id == other.id] == [False]

    in_office(tmp_path, main)


def test_the_last_lead_stays(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        with pytest.raises(LastLead, match="ivr advocates add"):
            await members.remove(of.database, await of.session("ana"), name="ana", now=NOW)
        await add(of, "cy", Role.LEAD)
        await members.remove(of.database, await of.session("cy", OTHER), name="ana", now=NOW)
        assert (await of.session("cy", OTHER)).lead()

    in_office(tmp_path, main)


def test_an_epoch_that_already_holds_reports_is_not_made_anew(tmp_path: Path) -> None:
    """The clock was wrong for a while: reports lie in a month that has not begun."""

    async def main(of: Office) -> None:
        of.now = datetime(2027, 1, 20, tzinfo=UTC)
        await keep(of)
        of.now = NOW
        await add(of, "bo")
        done = await members.remove(of.database, await of.session("ana"), name="bo", now=NOW)
        assert done.new_epochs == ("2027-02",)
        assert await opened(of, "ana", PASSPHRASE) == [Seal.OPENED]

    in_office(tmp_path, main)


def test_what_others_did_since_she_signed_in_counts(tmp_path: Path) -> None:
    """Ana's session is open while bea removes an advocate, and the months to come are made anew."""

    async def main(of: Office) -> None:
        await add(of, "bea", Role.LEAD)
        await add(of, "cyn")
        ana = await of.session("ana")
        found = await recovering.open_with_shares(of.database, *of.shares[:2], pin=of.pin)
        await members.remove(of.database, await of.session("bea", OTHER), name="cyn", now=NOW)
        new = {"passphrase": OTHER, "effort": CHEAP}
        await members.add(of.database, ana, name="dora", role=Role.ADVOCATE, **new)  # type: ignore[arg-type]
        await recovering.recover(of.database, found, name="zoe", **new)  # type: ignore[arg-type]
        shares = await recovering.print_shares(of.database, ana)
        await rolling.roll_line_keys(of.database, ana, of.host, now=NOW)
        for name in ("dora", "zoe"):
            assert len((await of.session(name, OTHER)).epoch_keys) == 4
        assert (await recovering.open_with_shares(of.database, *shares[:2], pin=of.pin)).missing_epochs == ()
        assert len((await status_of(of.database, of.host, of.pin, now=NOW)).epochs) == 4
        await members.remove(of.database, await of.session("bea", OTHER), name="ana", now=NOW)
        with pytest.raises(NotALead, match="not a lead any more"):
            await recovering.print_shares(of.database, ana)

    in_office(tmp_path, main)


def test_a_lead_who_lacks_a_month_takes_it_from_nobody(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bea", Role.LEAD)
        bea = await of.session("bea", OTHER)
        wraps = metadata.tables["epoch_wraps"]
        await execute(of.database, delete(wraps).where(wraps.c.holder == bea.own.id, wraps.c.epoch == "2026-11"))
        before = await everything(of.database)
        for attempt in (
            recovering.print_shares(of.database, bea),
            rolling.roll_line_keys(of.database, bea, of.host, now=NOW),
            members.add(of.database, bea, name="dora", passphrase=OTHER, role=Role.ADVOCATE, effort=CHEAP),
        ):
            with pytest.raises(CannotOpenAll, match="bea cannot open 2026-11, others can"):
                await attempt
        assert await everything(of.database) == before

    in_office(tmp_path, main)


def test_planted_rows_stand_in_nobody_s_way(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        epochs, advocates = metadata.tables["epochs"], metadata.tables["advocates"]
        month = {"public_key": b"p" * 32, "receipt_key": b"r" * 80, "certificate": b"c" * 64}
        keys = {"sealing_key": b"s" * 32, "signing_key": b"s" * 32, "certificate": b"c" * 64, "salt": b"s" * 16}
        mallory = {**keys, "id": b"m" * 16, "role": "lead", "passes": 1, "memory": 8192, "wrapped": b"w" * 136}
        await execute(
            of.database,
            epochs.insert().values(id="2027-03", **month),
            advocates.insert().values(name="bo", **mallory),
        )
        of.now = FEBRUARY
        assert (await of.session("ana")).new_epochs == ("2027-03", "2027-04", "2027-05")
        await add(of, "bo")
        assert len((await of.session("bo", OTHER)).epoch_keys) == 7
        await execute(of.database, advocates.insert().values(name="cy", **mallory))
        done = await members.remove(of.database, await of.session("ana"), name="cy", now=FEBRUARY)
        assert done.new_epochs == ()
        assert not any(
            "did not certify" in one for one in (await status_of(of.database, of.host, of.pin, now=FEBRUARY)).warnings
        )

    in_office(tmp_path, main)


# What is lost when what is lost


def test_losing_an_advocate_s_passphrase_costs_no_report(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        await keep(of)
        await members.remove(of.database, await of.session("ana"), name="bo", now=NOW)
        await add(of, "bo")
        assert await opened(of, "ana", PASSPHRASE) == await opened(of, "bo", OTHER) == [Seal.OPENED]

    in_office(tmp_path, main)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_losing_one_share_costs_no_report(tmp_path: Path, lost: int) -> None:
    async def main(of: Office) -> None:
        await keep(of)
        left = [share for share in of.shares if share is not of.shares[lost]]
        found = await recovering.open_with_shares(of.database, *left, pin=of.pin)
        assert sorted(found.epoch_keys) == ["2026-11", "2026-12", "2027-01", "2027-02"]

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_losing_the_line_s_host_key_costs_no_report_and_no_receipt(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        receipt = await keep(of)
        elsewhere = HostKey.of(b"the secret of a new host")
        with pytest.raises(LineKeysLost, match="ivr keys roll"):
            await line_keys_of(of.database, elsewhere, of.pin)
        assert await opened(of, "ana", PASSPHRASE) == [Seal.OPENED]
        done = await rolling.roll_line_keys(of.database, await of.session(), elsewhere, now=NOW)
        assert done.signed_anew == 1
        assert len(done.epochs) == 4
        await keep(of, b"f" * 16, host=elsewhere)
        assert await opened(of, "ana", PASSPHRASE) == [Seal.OPENED] * 2
        receipts = Receipts(of.database, elsewhere, of.pin, of.slow_hashes)
        assert await receipts.withdraw(receipt) is Withdrawal.TAKEN_BACK
        with pytest.raises(LineKeysLost):
            await line_keys_of(of.database, of.host, of.pin)

    in_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_losing_every_lead_is_survived_with_two_shares(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        receipt = await keep(of)
        found = await recovering.open_with_shares(of.database, of.shares[2], of.shares[0], pin=of.pin)
        await recovering.recover(of.database, found, name="zoe", passphrase=OTHER, effort=CHEAP)
        assert await opened(of, "zoe", OTHER) == [Seal.OPENED]
        zoe = await of.session("zoe", OTHER)
        await members.remove(of.database, zoe, name="ana", now=NOW)
        await members.add(of.database, zoe, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        assert await opened(of, "bo", PASSPHRASE) == [Seal.OPENED]
        receipts = Receipts(of.database, of.host, of.pin, of.slow_hashes)
        assert await receipts.withdraw(receipt) is Withdrawal.TAKEN_BACK

    in_office(tmp_path, main, kind=kind)


def test_a_drill_changes_nothing(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        before = await everything(of.database)
        for one, other in combinations(of.shares, 2):
            await recovering.open_with_shares(of.database, one, other, pin=of.pin)
        assert await everything(of.database) == before

    in_office(tmp_path, main)


def test_newly_printed_shares_make_the_old_ones_void(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await keep(of)
        newer = await recovering.print_shares(of.database, await of.session())
        with pytest.raises(SharesVoid, match="newer ones"):
            await recovering.open_with_shares(of.database, *of.shares[:2], pin=of.pin)
        with pytest.raises(SharesDiffer):
            await recovering.open_with_shares(of.database, of.shares[0], newer[1], pin=of.pin)
        found = await recovering.open_with_shares(of.database, *newer[1:], pin=of.pin)
        assert len(found.epoch_keys) == 4

    in_office(tmp_path, main)


def test_another_organisation_s_shares_open_nothing_here(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        (tmp_path / "else").mkdir()
        async with office(f"sqlite:///{tmp_path / 'else' / 'line.db'}", tmp_path / "else") as elsewhere:
            with pytest.raises(SharesVoid, match="another organisation"):
                await recovering.open_with_shares(of.database, *elsewhere.shares[:2], pin=of.pin)

    in_office(tmp_path, main)


def test_a_lost_pin_lies_under_every_advocate_s_passphrase(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        assert await pin_by_passphrase(of.database, passphrase=OTHER, name="bo") == of.pin
        await members.change_passphrase(of.database, await of.session("bo", OTHER), passphrase=PASSPHRASE, effort=CHEAP)
        assert await pin_by_passphrase(of.database, passphrase=PASSPHRASE, name="bo") == of.pin

    in_office(tmp_path, main)


# What somebody with the database alone can do


def test_an_advocate_notices_that_somebody_exchanged_the_organisation_s_key(tmp_path: Path) -> None:
    """Settings and database of mallory's, but for the advocate's own row, which mallory certified."""

    async def main(of: Office) -> None:
        mallory = organisation.new_key()
        [row] = await of.database.read(stored_advocates.all_advocates)
        certified = replace(row, certificate=organisation.certify(locked(row).claim(), mallory))
        await of.database.write(lambda connection: stored_advocates.replace(connection, certified))
        of.pin = organisation.pin_of(mallory)
        with pytest.raises(AnotherOrganisation, match="ivr keys pin"):
            await of.session()

    in_office(tmp_path, main)


def test_a_database_of_another_organisation_is_refused(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        of.pin = organisation.pin_of(organisation.new_key())
        with pytest.raises(NotSetUp, match="IVR_ORGANISATION_KEY"):
            await line_keys_of(of.database, of.host, of.pin)
        with pytest.raises(NotSetUp, match="no advocate of this organisation"):
            await of.session()

    in_office(tmp_path, main)


def test_nothing_is_wrapped_to_a_planted_advocate_or_recovery_key(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        mallory = {"sealing_key": wrapping.public_of(b"m" * 32), "signing_key": b"m" * 32, "certificate": b"c" * 64}
        locked = {"salt": b"s" * 16, "passes": 1, "memory": 8192, "wrapped": b"w" * 104}
        advocates, recoveries = metadata.tables["advocates"], metadata.tables["recovery_keys"]
        await execute(
            of.database,
            advocates.insert().values(id=b"m" * 16, name="mallory", role="lead", **mallory, **locked),
            recoveries.insert().values(id=b"n" * 16, public_key=mallory["sealing_key"], certificate=b"c" * 64),
        )
        of.now = FEBRUARY
        await of.session("ana")
        holders = {row[1] for row in (await everything(of.database))["epoch_wraps"]}
        assert not holders & {b"m" * 16, b"n" * 16}
        status = await status_of(of.database, of.host, of.pin, now=FEBRUARY)
        assert [member.name for member in status.members] == ["ana"]
        assert any("did not certify" in warning for warning in status.warnings)

    in_office(tmp_path, main)


@pytest.mark.parametrize("column", ["public_key", "receipt_key", "certificate"])
def test_a_planted_epoch_gets_no_report_and_shows(tmp_path: Path, column: str) -> None:
    async def main(of: Office) -> None:
        epochs = metadata.tables["epochs"]
        line = (await everything(of.database))["line_keys"][0]
        planted = {
            "public_key": wrapping.public_of(b"m" * 32),
            "receipt_key": wrapping.wrap(b"k" * 32, to=line[2]),
            "certificate": b"c" * 64,
        }[column]
        await execute(of.database, update(epochs).where(epochs.c.id == "2026-11").values({column: planted}))
        await keep(of)
        assert [listed.epoch for listed in await of.archive.page()] == ["2026-12"]
        status = await status_of(of.database, of.host, of.pin, now=NOW)
        assert any("did not certify" in warning for warning in status.warnings)

    in_office(tmp_path, main)


LINE, EPOCHS = metadata.tables["line_keys"], metadata.tables["epochs"]
DAMAGED_LINE = {
    "gone": delete(LINE),
    "without its certificate": update(LINE).values(certificate=bytes(64)),
    "with another salt": update(LINE).values(site_salt=bytes(64)),
}


@pytest.mark.parametrize("damage", DAMAGED_LINE.values(), ids=DAMAGED_LINE)
def test_without_the_line_s_own_keys_advocates_read_on_and_only_each_other_s_signature_counts(
    tmp_path: Path, damage: Executable
) -> None:
    async def main(of: Office) -> None:
        ana = await of.session()
        await keep(of)
        [confirmed] = await of.archive.page()
        assert await of.archive.decide(confirmed.id, ana, confirmed=True)
        await keep(of, b"f" * 16)
        await execute(of.database, damage)
        assert sorted((one.seal, one.listed.state, one.trusted) for one in await of.read_all()) == [
            (Seal.OPENED, "confirmed", True),
            (Seal.OPENED, "new", False),
        ]
        await of.archive.note(confirmed.id, ana, text="Called back", today=of.now.date())
        with pytest.raises(LineKeysLost, match="ivr keys roll"):
            await line_keys_of(of.database, of.host, of.pin)
        of.now = FEBRUARY  # months are due, which cannot be made for a line that has no keys
        assert (await of.session()).new_epochs == ()

    in_office(tmp_path, main)


@pytest.mark.parametrize(
    ("damage", "trusted"),
    [
        *((damage, what != "gone") for what, damage in DAMAGED_LINE.items()),
        (update(EPOCHS).values(receipt_key=bytes(80)), True),
    ],
    ids=[*DAMAGED_LINE, "months that it cannot open"],
)
def test_new_keys_mend_a_line_whose_rows_were_damaged(tmp_path: Path, damage: Executable, *, trusted: bool) -> None:
    """What signed a report is known from the line's own secret too. Where the row is gone, nobody knows it any more."""

    async def main(of: Office) -> None:
        receipt = await keep(of)
        await execute(of.database, damage)
        done = await rolling.roll_line_keys(of.database, await of.session(), of.host, now=NOW)
        assert (done.signed_anew, len(done.epochs)) == (trusted, 4)
        assert [(one.seal, one.trusted) for one in await of.read_all()] == [(Seal.OPENED, trusted)]
        await keep(of, b"f" * 16)
        receipts = Receipts(of.database, of.host, of.pin, of.slow_hashes)
        assert await receipts.withdraw(receipt) is Withdrawal.TAKEN_BACK

    in_office(tmp_path, main)


def test_new_keys_vouch_for_nothing_that_somebody_else_signed(tmp_path: Path) -> None:
    """A line row of another secret's, without a certificate: it was planted in the place of the true one."""

    async def main(of: Office) -> None:
        await keep(of)
        hers = HostKey.of(b"mallory's own")
        await rolling.roll_line_keys(of.database, await of.session(), hers, now=NOW)
        await execute(of.database, DAMAGED_LINE["without its certificate"])
        done = await rolling.roll_line_keys(of.database, await of.session(), of.host, now=NOW)
        assert done.signed_anew == 0
        assert [one.trusted for one in await of.read_all()] == [False]

    in_office(tmp_path, main)


def test_new_keys_do_what_they_can_beside_a_month_whose_certificate_was_altered(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        ana = await of.session()
        now = update(EPOCHS).where(EPOCHS.c.id == "2026-11")
        certificate = (await everything(of.database))["epochs"][0][-1]
        receipt = await keep(of)
        await execute(of.database, now.values(certificate=bytes(64)))
        for attempt in (
            recovering.print_shares(of.database, ana),
            members.add(of.database, ana, name="bo", passphrase=OTHER, role=Role.ADVOCATE, effort=CHEAP),
        ):
            with pytest.raises(CannotOpenAll, match=r"nobody can open 2026-11.*a backup"):
                await attempt
        done = await rolling.roll_line_keys(of.database, ana, HostKey.of(b"another"), now=NOW)
        assert done.epochs == ("2026-12", "2027-01", "2027-02")
        await keep(of, b"f" * 16, host=HostKey.of(b"another"))
        assert {listed.epoch for listed in await of.archive.page()} == {"2026-11", "2026-12"}
        await execute(of.database, now.values(certificate=certificate))
        receipts = Receipts(of.database, HostKey.of(b"another"), of.pin, of.slow_hashes)
        assert await receipts.withdraw(receipt) is Withdrawal.TAKEN_BACK

    in_office(tmp_path, main)


def test_a_key_of_another_size_in_a_month_s_place_is_no_key(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        ana = await of.session()
        wraps = metadata.tables["epoch_wraps"]
        planted = wrapping.wrap(b"short", to=wrapping.public_of(ana.own.sealing_key))
        await execute(of.database, update(wraps).where(wraps.c.epoch == "2026-11").values(wrapped=planted))
        with pytest.raises(CannotOpenAll, match="ana cannot open 2026-11"):
            await rolling.roll_line_keys(of.database, ana, of.host, now=NOW)

    in_office(tmp_path, main)


def test_what_is_wrong_with_the_keys_is_said_with_its_cure(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        async def warnings(now: datetime = NOW, host: HostKey = of.host) -> str:
            return " ".join((await status_of(of.database, host, of.pin, now=now)).warnings)

        await add(of, "bo", Role.LEAD)
        assert await warnings() == ""
        assert "Not yet made: 2027-03" in await warnings(datetime(2026, 12, 20, tzinfo=UTC))
        assert "run out: reports go on to 2027-02" in await warnings(datetime(2027, 6, 20, tzinfo=UTC))
        assert "IVR_SECRET" in await warnings(host=HostKey.of(b"another"))
        first, third = ((EPOCHS.c.id == month) for month in ("2026-11", "2027-01"))
        await execute(of.database, update(EPOCHS).where(first).values(receipt_key=bytes(80)))
        assert await warnings() == (
            "The line cannot open its part of 2026-11: it was altered. A lead gives it a new one with `ivr keys roll`."
        )
        await execute(of.database, update(EPOCHS).where(third).values(certificate=bytes(64)))
        assert "did not certify: 2027-01." in await warnings()
        assert "Not yet made" not in await warnings()
        await execute(of.database, update(EPOCHS).values(receipt_key=bytes(80)))
        assert "its part of 2026-11, 2026-12, 2027-01, 2027-02:" in await warnings()
        await execute(of.database, delete(EPOCHS))
        assert "Not yet made: 2026-11, 2026-12, 2027-01, 2027-02. " in await warnings()
        await execute(of.database, delete(metadata.tables["recovery_keys"]))
        assert "`ivr keys shares`" in await warnings()

    in_office(tmp_path, main)
