"""S4: whatever somebody writes into the database, nothing of it passes for genuine, and it shows at the next unlock.

She has the database, an older copy of it and every public value; neither IVR_SECRET nor a passphrase. What she deletes,
or puts back as it once was, is not detected: the last tests say what that means."""

import ast
import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.kit.clock import VirtualClock
from ivr.services.custody import members, rolling
from ivr.services.custody.status import status_of
from ivr.services.receipts import Receipts
from ivr.services.retention import Night
from ivr.services.tagged import NEW, TAKEN_BACK, Withdrawal
from ivr.store.tables import metadata
from ivr.vault.signing import Statement
from tests.founded import NOW
from tests.promises.careless import Blind, Nameless, Pinless
from tests.promises.court import BO_S, ArchiveOf, Court, Street, built, court, hand_in
from tests.promises.house import PROVE
from tests.promises.judging import FLAGGED, FORGED, NOTHING, REFUSALS, REFUSED, UNSEEN, Judge, Seen, untrue
from tests.promises.mallory import Attack, Hand, whole_report
from tests.promises.planting import PLANTED, altered, set_to
from tests.shipped import flow

ROOT = Path(__file__).parent.parent.parent
ROTA = ("people", "shifts", "switches", "tallies")
"""Who answers callers, when, and how often: no report hangs on it. That nobody's number passes for another's, tests of
the rota show."""
COLUMNS = [
    f"{table.name}.{column.name}"
    for table in metadata.tables.values()
    for column in table.columns
    if table.name not in ROTA
]

HARMLESS = {
    "report_keys.nights_left": "a report that was cut off is closed, and a request to be called deleted, some nights "
    "sooner or later; what either says stays as it was",
    **dict.fromkeys(
        (f"contributions.{column.name}" for column in metadata.tables["contributions"].columns),
        "nothing reads what is derived yet, it only expires; see below",
    ),
    "claims.id": "a message that comes twice is taken for two: what she chose herself is chosen once more; and one "
    "that seems to have come before changes nothing",
    "claims.nights": "the same, a night sooner or later",
    "facts.name": "whether these are demo data; a line that says so wrongly shows nothing that is not genuine",
    "facts.value": "nobody reads it: the fact is that it is there",
    "jobs.name": "when forgetting was last done: what is forgotten late is still what it was",
    "jobs.ran_on": "the same",
}
"""What may be changed unseen, and why nobody is shown anything false by it."""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    return asyncio.run(built(tmp_path_factory.mktemp("street")))


def changes(street: Street, of: str, *, every_row: bool = PROVE > 1) -> list[tuple[str, Attack]]:
    """A column's changes: in every row, or a few by chance."""
    table, column = of.split(".")
    with street.hand() as hand:
        found = list(altered(metadata.tables[table], column, hand))
    return found if every_row else Random(of).sample(found, min(2, len(found)))


def test_whatever_is_changed_in_any_column_shows_or_opens_nothing(
    street: Street, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async def main() -> tuple[dict[str, set[str]], int]:
        async with court(street, tmp_path / "court") as of:
            found = {column: {await of.verdict(change) for _, change in changes(street, column)} for column in COLUMNS}
            return found, of.cases

    found, cases = asyncio.run(main())
    record_property("cases", cases)
    allowed = {column: {FLAGGED, REFUSED, *({UNSEEN} if column in HARMLESS else ())} for column in COLUMNS}
    assert {column: verdicts for column, verdicts in found.items() if not verdicts or verdicts - allowed[column]} == {}


def test_what_may_be_changed_unseen_exists_and_is_the_exception() -> None:
    assert set(HARMLESS) <= set(COLUMNS)
    assert len(HARMLESS) < len(COLUMNS) / 5


def test_nothing_is_done_yet_with_what_is_derived_but_to_forget_it() -> None:
    """Contributions carry no signature: whoever begins to read them must give them one, and cases of their own."""
    uses = {
        f"{path.stem}.{node.attr}"
        for path in (ROOT / "ivr").rglob("*.py")
        if path.parent.name != "store"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "contributions"
    }
    assert uses == {"tagged.forget", "tagged.forget_above", "retention.expire"}


def attacked(street: Street, folder: Path, sample: int, *, archive_of: ArchiveOf | None = None) -> dict[str, set[str]]:
    """The verdicts on what she plants, and on some of what she exchanges."""

    async def main() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        async with court(street, folder, archive_of=archive_of) as of:
            every = of.attacks()
            planted = [one for one in every if one[0] in PLANTED]
            rest = [one for one in every if one[0] not in PLANTED]
            for name, attack in [*planted, *Random(sample).sample(rest, min(sample, len(rest)))]:
                found.setdefault(name, set()).add(await of.verdict(attack))
        return found

    return asyncio.run(main())


def test_whatever_is_planted_or_exchanged_shows_or_opens_nothing(street: Street, tmp_path: Path) -> None:
    found = attacked(street, tmp_path / "court", 30 * PROVE)
    assert set(PLANTED) <= set(found)
    assert {name: verdicts for name, verdicts in found.items() if verdicts - {FLAGGED, REFUSED}} == {}


edits = st.lists(
    st.tuples(st.sampled_from(COLUMNS), st.integers(0, 11), st.integers(0, 2**16), st.binary(max_size=4)),
    min_size=1,
    max_size=4,
)


def test_whatever_is_scribbled_anywhere_nothing_false_is_shown_as_true(street: Street, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        on = court(street, tmp_path / "court")
        of = runner.run(on.__aenter__())

        @settings(max_examples=15 * PROVE, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(edits)
        def scribbled(made: list[tuple[str, int, int, bytes]]) -> None:
            verdict = runner.run(of.verdict(lambda hand: scribble(hand, made)))
            assert verdict in (FLAGGED, REFUSED, UNSEEN)
            assert verdict != UNSEEN or {column for column, *_ in made} & set(HARMLESS)

        try:
            scribbled()
        finally:
            runner.run(on.__aexit__(None, None, None))


def scribble(hand: Hand, made: Sequence[tuple[str, int, int, bytes]]) -> None:
    """Some bytes written over some value, somewhere in it."""
    for of, row, at, ink in made:
        table, column = of.split(".")
        rows = hand.rows(table)
        if not rows:
            continue
        chosen = rows[row % len(rows)]
        value = chosen[column]
        if isinstance(value, bytes) and value:
            begin = at % len(value)
            value = value[:begin] + (ink or b"~") + value[begin + max(1, len(ink)) :]
        elif isinstance(value, str):
            value = value[: at % (len(value) + 1)] + "~"
        else:
            value = (value or 0) + (at + 1) * 1024  # libsodium counts memory in these
        set_to(table, chosen, column, b"m" if value == chosen[column] else value)(hand)


def test_a_value_of_another_kind_passes_for_nothing(street: Street, tmp_path: Path) -> None:
    """SQLite takes text where bytes belong. A reader is shown nothing false, and stopped by nothing."""

    async def main() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        async with court(street, tmp_path / "court") as of:
            with street.hand() as hand:
                rows = {name: hand.rows(name)[0] for name in metadata.tables if name not in ROTA}
            for column in COLUMNS:
                table, name = column.split(".")
                for value in (7, "text", b"blob")[:: 1 if PROVE > 1 else 3]:
                    verdict = await of.verdict(set_to(table, rows[table], name, value))
                    found.setdefault(column, set()).add(verdict.partition(":")[0])
        return found

    found = asyncio.run(main())
    wrong = {
        column: verdicts - {FLAGGED, REFUSED} - ({UNSEEN} if column in HARMLESS else set())
        for column, verdicts in found.items()
    }
    assert {column: verdicts for column, verdicts in wrong.items() if verdicts} == {}


# ---- what the house does next makes nothing true ----


async def chores(of: Court) -> bool:
    """Two nights, a withdrawal, new keys for the line, an advocate who goes: all that signs anew. False if refused."""
    office, clock = of.judge.of, VirtualClock(NOW)
    night = Night(office.database, office.host, office.pin, flow(), clock)
    desk = Receipts(office.database, office.host, office.pin, office.slow_hashes)
    try:
        for _ in range(2):
            clock.advance(timedelta(days=1))
            await night.work_if_due()
        await desk.withdraw(of.street.receipts[0])
        ana = await office.session("ana")
        await rolling.roll_line_keys(office.database, ana, office.host, now=NOW)
        await members.remove(office.database, ana, name="bo", now=NOW)
    except REFUSALS:
        return False
    return True


def test_what_the_house_does_next_makes_no_planted_report_true(street: Street, tmp_path: Path) -> None:
    async def after(of: Court, attack: Attack) -> Seen | None:
        await of.after(attack)
        return await of.judge.sees() if await chores(of) else None

    async def main() -> tuple[dict[str, list[str]], int]:
        with street.hand() as hand:
            hers = hand.one("reports", id=street.ids[0])
        changed = {name: set_to("reports", hers, name, "2099-W01") for name in ("form", "week", "state", "consent")}
        async with court(street, tmp_path / "court") as of:
            genuine = await after(of, lambda hand: None)
            assert genuine is not None
            found, done = {}, 0
            for name, attack in [*PLANTED.items(), *changed.items()]:
                seen = await after(of, attack)
                done += seen is not None
                if seen is not None and (wrong := list(untrue(seen, of.before, genuine))):
                    found[name] = wrong
        return found, done

    found, done = asyncio.run(main())
    assert found == {}
    assert done > len(PLANTED) / 2


@pytest.mark.parametrize("state", [None, TAKEN_BACK], ids=["a twin", "said to be taken back"])
def test_a_row_with_her_tag_does_not_keep_her_report_from_being_taken_back(
    street: Street, tmp_path: Path, state: str | None
) -> None:
    def attack(hand: Hand) -> None:
        hers = hand.one("reports", id=street.ids[0])
        if state is None:
            hand.plant("reports", {**hers, "id": bytes(16)})
        else:
            hand.alter("reports", hers, state=state)

    async def main() -> None:
        async with court(street, tmp_path / "court") as of:
            await of.after(attack)
            office = of.judge.of
            desk = Receipts(office.database, office.host, office.pin, office.slow_hashes)
            assert await desk.withdraw(street.receipts[0]) is Withdrawal.TAKEN_BACK
            seen = await of.judge.sees()
            assert seen.reports[street.ids[0]].content == NOTHING
            assert list(untrue(seen, of.before, await _taken_back(of))) == []
            assert await desk.withdraw(street.receipts[0]) is Withdrawal.ALREADY

    asyncio.run(main())


async def _taken_back(of: Court) -> Seen:
    """The street when its first report was taken back, and nothing else happened."""
    await of.after(lambda hand: None)
    office = of.judge.of
    await Receipts(office.database, office.host, office.pin, office.slow_hashes).withdraw(of.street.receipts[0])
    return await of.judge.sees()


def test_a_report_planted_in_a_month_to_come_does_not_keep_it_open_for_whoever_is_removed(
    street: Street, tmp_path: Path
) -> None:
    async def main() -> None:
        async with court(street, tmp_path / "court") as of:
            await of.after(lambda hand: whole_report(hand, epoch="2027-02"))
            ana = await of.judge.of.session("ana")
            done = await members.remove(of.judge.of.database, ana, name="bo", now=NOW)
            assert done.new_epochs == ("2027-01", "2027-02")  # a genuine one lies in December, made by a wrong clock

    asyncio.run(main())


# ---- what goes unseen: printed beside the promise ----


def test_limit_a_row_put_back_as_it_once_was_is_taken_for_the_newest(street: Street, tmp_path: Path) -> None:
    """Confirmations can be undone, and with an older copy of the keys what was taken back can be read again."""

    def attack(hand: Hand) -> None:
        for name in ("reports", "report_keys"):
            for row in hand.older[name]:
                marks = ", ".join(f":{column}" for column in row)
                hand.database.execute(f"INSERT OR REPLACE INTO {name} VALUES ({marks})", row)

    async def main() -> None:
        async with court(street, tmp_path / "court") as of:
            seen = await of.after(attack)
            assert {shown.clear.state for shown in seen.reports.values()} == {NEW}
            assert all(shown.listed_as_true and shown.opened_as_true for shown in seen.reports.values())
            assert seen.warnings == of.before.warnings

    asyncio.run(main())


def test_limit_an_advocate_put_back_after_she_was_removed_is_one_again_and_is_named(
    street: Street, tmp_path: Path
) -> None:
    """Her certificate holds as long as the organisation's key: `ivr keys status` names her."""

    async def main() -> None:
        async with court(street, tmp_path / "court") as of:
            office = of.judge.of
            await of.after(lambda hand: None)
            with street.hand() as hand:
                bo = hand.one("advocates", name="bo")
            await members.remove(office.database, await office.session("ana"), name="bo", now=NOW)
            with hand_in(of.file, street.pin) as hand:
                hand.plant("advocates", bo)
            status = await status_of(office.database, office.host, office.pin, now=NOW)
            assert [member.name for member in status.members] == ["ana", "bo"]
            assert (await office.session("bo", BO_S)).epoch_keys == {}

    asyncio.run(main())


def test_limit_what_is_deleted_is_not_missed(street: Street, tmp_path: Path) -> None:
    def attack(hand: Hand) -> None:
        hand.database.executescript("DELETE FROM reports; DELETE FROM notes")

    async def main() -> None:
        async with court(street, tmp_path / "court") as of:
            seen = await of.after(attack)
            assert (seen.reports, seen.warnings) == ({}, of.before.warnings)

    asyncio.run(main())


def test_what_is_put_into_the_spool_is_no_truer_than_what_is_put_into_the_database(
    street: Street, tmp_path: Path
) -> None:
    """The line vouches anew for what it signed itself, after a lead replaced its keys, and for nothing else."""

    async def main() -> None:
        async with court(street, tmp_path / "court") as of:
            await of.after(whole_report)
            with hand_in(of.file, street.pin) as hand, hand_in(of.file.with_name("spool.db"), street.pin) as spool:
                for table, key in (("reports", "id"), ("report_keys", "report_id")):
                    spool.plant(table, hand.one(table, **{key: b"m" * 16}))
                hand.database.execute("DELETE FROM reports WHERE id = ?", (b"m" * 16,))
            await of.judge.of.reports().ready(NOW.date())
            assert not (await of.judge.sees()).reports[b"m" * 16].opened_as_true

    asyncio.run(main())


# ---- mutants ----


def believed(street: Street, folder: Path, archive_of: ArchiveOf, attacks: Iterable[Attack]) -> bool:
    """Whether one of these attacks passes for genuine there."""

    async def main() -> bool:
        async with court(street, folder, archive_of=archive_of) as of:
            for attack in attacks:
                if await of.verdict(attack) == FORGED:
                    return True
        return False

    return asyncio.run(main())


@pytest.mark.parametrize("column", Statement.__slots__)
def test_mutant_a_verifier_that_skips_a_column_is_seen(street: Street, tmp_path: Path, column: str) -> None:
    with street.hand() as hand:
        genuine = {row["signature"]: row[column] for row in hand.rows("reports")}

    def blind(judge: Judge) -> Blind:
        return Blind(judge.of.database, judge.of.pin, column, genuine)

    tried = [attack for _, attack in changes(street, f"reports.{column}", every_row=True)]
    assert believed(street, tmp_path / "court", blind, [*tried, *PLANTED.values()])


def test_mutant_a_verifier_that_asks_for_no_certificate_is_seen(street: Street, tmp_path: Path) -> None:
    assert believed(
        street, tmp_path / "court", lambda judge: Pinless(judge.of.database, judge.of.pin), PLANTED.values()
    )


def test_mutant_a_verifier_that_knows_the_signer_and_skips_the_signature_is_seen(
    street: Street, tmp_path: Path
) -> None:
    assert believed(
        street, tmp_path / "court", lambda judge: Nameless(judge.of.database, judge.of.pin), PLANTED.values()
    )
