"""Receipts by chance: reports, what is added to them, changes of consent and withdrawals, by messages that come late,
twice and in another order, on two workers, while advocates work and nights forget. After every step all that can be
read, and all that is used, is what the callers last allowed."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from nacl.utils import random
from sqlalchemy import Connection

from ivr.engine.asks import Gone, Noted, NotSaved, Opened, Saved, SaveReport
from ivr.flow.line import CONSENTS
from ivr.services.archive import Seal, _read
from ivr.services.by_receipt import LiveReceipts
from ivr.services.custody.sessions import Session
from ivr.services.custody.signing import signed_row, statement_of
from ivr.services.custody.trust import line_keys_in, line_keys_of
from ivr.services.reports import Reports, _addition
from ivr.services.tagged import CONFIRMED, NEW, TAKEN_BACK, Tagged, tagged, take_back
from ivr.store import contributions
from ivr.store import reports as stored
from ivr.store.contributions import ContributionRow
from ivr.vault import receipts as vault
from ivr.vault.organisation import Pin
from tests.promises.house import PROVE
from tests.services.receipt_street import (
    Add,
    Change,
    Expected,
    Hers,
    Message,
    Open,
    Save,
    Status,
    Street,
    Withdraw,
    founded,
)
from tests.shipped import flow

MOST_REPORTS = 4 if PROVE > 1 else 2
MOST_NIGHTS = 8
MEMORY = Path("/dev/shm")
"""Where it is quick to wait for a disk."""
RUNS, STEPS = (600, 60) if PROVE > 1 else (12, 25)
MUTANT_RUNS = 150

T = TypeVar("T")


class Receipts(RuleBasedStateMachine):
    """`reports`, `receipts`: exchanged by mutants. `kinds`: what callers want; fewer where one mutant is to be seen."""

    reports: type[Reports] = Reports
    receipts: type[LiveReceipts] = LiveReceipts
    kinds: tuple[type[Message], ...] = (Open, Status, Change, Change, Add, Add, Withdraw)

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="porchlight-receipts-", dir=MEMORY if MEMORY.is_dir() else None)
        self.runner = asyncio.Runner()
        self.expected = Expected()
        self.sent: list[tuple[date, Message]] = []
        self.nights = 0
        self.street = self.done(self._begun())

    async def _begun(self) -> Street:
        street = Street(Path(self.folder.name), self.reports, self.receipts)
        await street.spool.migrate()
        return street

    def done(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.done(self.street.close())
        self.runner.close()
        self.folder.cleanup()

    # ---- callers ----

    @precondition(lambda self: len(self.expected.reports) < MOST_REPORTS)
    @rule(worker=st.integers(0, 1), consent=st.sampled_from(CONSENTS))
    def reports_something(self, worker: int, consent: str) -> None:
        self._reports(worker, consent)

    @initialize(consent=st.sampled_from(CONSENTS))
    def somebody_has_reported(self, consent: str) -> None:
        self._reports(0, consent)

    def _reports(self, worker: int, consent: str) -> None:
        number = len(self.expected.reports)
        seed, answers = bytes([number]) * 16, (("what", (f"report_{number}",)),)
        ask = SaveReport("bad_date", 1, answers, consent, ending=1)
        kept = self.street.workers[worker].reports.keep(ask, seed=seed, turn=9, today=self.street.today)
        saved = self.done(kept)
        assert isinstance(saved, Saved)
        assert saved.receipt is not None
        opened = self.done(self.street.workers[1 - worker].receipts.open(saved.receipt))
        assert isinstance(opened, Opened)
        self.expected.reports.append(Hers(ask, seed, self.street.today, saved.receipt, opened.receipt, consent))
        self.sent.append((self.street.today, Save(number)))
        self.look()

    @precondition(lambda self: self.expected.reports)
    @rule(worker=st.integers(0, 1), data=st.data())
    def asks(self, worker: int, data: st.DataObject) -> None:
        """Something new."""
        message = self._new(data, self.kinds)
        self._check(message, self.done(self._told(worker, message)))
        self.look()

    @precondition(lambda self: self._old())
    @rule(worker=st.integers(0, 1), data=st.data())
    def asks_again(self, worker: int, data: st.DataObject) -> None:
        """A message that came before, a night ago at most: then the keys of its call are gone."""
        message = data.draw(st.sampled_from(self._old()))
        self._check(message, self.done(self._told(worker, message)))
        self.look()

    @precondition(lambda self: Withdraw in self.kinds)
    @rule(data=st.data())
    def overtakes(self, data: st.DataObject) -> None:
        """One worker is about to write, and the other is done before it."""
        late = self._new(data, (Change, Add, Add, Withdraw))
        first = self._new(data, (Change, Add, Withdraw), report=late.report)

        async def both() -> tuple[object, object]:
            gate = self.street.workers[0].database
            gate.hold()
            assert gate.reached is not None
            assert gate.let is not None
            waiting = asyncio.create_task(self._told(0, late))
            reached = asyncio.create_task(gate.reached.wait())
            await asyncio.wait({waiting, reached}, return_when=asyncio.FIRST_COMPLETED)
            done = await self._told(1, first)
            gate.let.set()
            gate.reached.set()
            await reached
            return done, await waiting

        done, overtaken = self.done(both())
        self._check(first, done)
        self._check(late, overtaken)
        self.look()

    # ---- those who read, and time ----

    @precondition(lambda self: any(hers.lives for hers in self.expected.reports))
    @rule(data=st.data())
    def confirms_and_derives(self, data: st.DataObject) -> None:
        """An advocate believes a report, and derives from it what its caller allows."""
        hers = data.draw(st.sampled_from([one for one in self.expected.reports if one.lives]))
        self.done(self._confirmed(hers))
        hers.state = CONFIRMED
        hers.derived = {*CONSENTS[: CONSENTS.index(hers.consent) + 1]}
        self.look()

    @precondition(lambda self: self.expected.reports and self.nights < MOST_NIGHTS)
    @rule(days=st.sampled_from((1, 1, 3, 6)))
    def nights_pass(self, days: int) -> None:
        tomorrow = datetime.combine(self.street.today + timedelta(days=days), time(4), ZoneInfo(flow().zone))
        self.street.clock.at = tomorrow.astimezone(UTC)
        self.street.of.now, self.street.session = tomorrow, None
        assert self.done(self.street.night.work_if_due()) is not None
        self.nights += 1
        self.expected.night(self.street.today)
        self.look()

    # ---- how it is done ----

    def _old(self) -> list[Message]:
        yesterday = self.street.today - timedelta(days=1)
        return [message for day, message in self.sent if day >= yesterday]

    def _new(self, data: st.DataObject, kinds: tuple[type[Message], ...], *, report: int | None = None) -> Message:
        if report is None:
            report = data.draw(st.integers(0, len(self.expected.reports) - 1))
        kind = data.draw(st.sampled_from(kinds))
        if kind is Change:
            message: Message = Change(report, data.draw(st.sampled_from(CONSENTS)), random(16))
        elif kind is Add:
            turn = data.draw(st.integers(1, 5))
            ending = data.draw(st.sampled_from((0, 0, 1)))
            # One call may add to several reports; none is of several days.
            seed = bytes([100 + data.draw(st.integers(0, 1))]) * 8 + self.street.today.toordinal().to_bytes(8)
            answers = (("what", (f"added_{turn}_{ending}",)),)
            consent = data.draw(st.sampled_from(CONSENTS))
            message = Add(report, seed, turn, ending, answers, consent, self.street.today)
        else:
            message = Open(report) if kind is Open else Status(report) if kind is Status else Withdraw(report)
        self.sent.append((self.street.today, message))
        return message

    async def _told(self, worker: int, message: Message) -> object:
        return await self.street.send(worker, message, self.expected.reports[message.report])

    def _check(self, message: Message, told: object) -> None:
        assert told == self.expected.told(message), message

    async def _confirmed(self, hers: Hers) -> None:
        await self.street.of.archive.decide(hers.id, await self.street.unlocked(), confirmed=True)
        until = (hers.expires() - timedelta(days=1)).isoformat()
        for grade in CONSENTS[: CONSENTS.index(hers.consent) + 1]:
            row = ContributionRow(vault.handle(hers.receipt), grade, grade, b"derived", until)
            await self.street.of.database.write(partial(contributions.put, row=row))

    def look(self) -> None:
        """Nothing can be read or is used but what callers allow at this moment; and nothing of it is missing."""
        read, used = self.done(self._seen())
        assert read == self.expected.readable()
        assert used == self.expected.used()

    async def _seen(self) -> tuple[dict[bytes, Any], set[tuple[bytes, str]]]:
        """Every row, tried with an advocate's keys."""
        session = await self.street.unlocked()
        return await self.street.of.database.read(lambda connection: _everything(connection, session, self.street.pin))


def _everything(connection: Connection, session: Session, pin: Pin) -> tuple[dict[bytes, Any], set[tuple[bytes, str]]]:
    read = {}
    for row in stored.page(connection):
        opened = _read(connection, row.id, session, pin)
        assert opened is not None
        assert opened.trusted
        if opened.seal is Seal.OPENED:
            read[row.id] = row.consent, opened.answers, opened.adds_to
    return read, {(row.handle, row.grade) for row in contributions.all_contributions(connection)}


def played(machine: type[Receipts], *, runs: int = RUNS, steps: int = STEPS, is_mutant: bool = False) -> None:
    founded()  # before there is a loop
    phases = (Phase.generate,) if is_mutant else tuple(Phase)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            phases=phases,
            derandomize=is_mutant,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_comes_in_whatever_order_callers_have_the_last_word() -> None:
    played(Receipts)


# ---- mutants: each must be caught ----


class KeepsDerived(LiveReceipts):
    """A change of consent forgets what is in use already."""

    def _changed(self, connection: Connection, slow: bytes, consent: str) -> None:
        handle = vault.handle(slow)
        rows = [row for row in contributions.all_contributions(connection) if row.handle == handle]
        super()._changed(connection, slow, consent)
        for row in rows:
            contributions.put(connection, row)


class Unclaimed(LiveReceipts):
    """Every message is a wish of its own."""

    async def change_consent(self, receipt: bytes, consent: str, *, change_id: bytes) -> Any:
        return await super().change_consent(receipt, consent, change_id=random(16))


class OnlyTheReport(LiveReceipts):
    """What was added is forgotten where it is taken back."""

    def _withdraw(self, slow: bytes, connection: Connection) -> Any:
        keys = line_keys_in(connection, self.host, self.pin)
        of = tagged(connection, slow, keys, self.pin)
        if not of.true:
            return Gone()
        take_back(connection, replace(of, true=of.true[:1]), slow, keys)
        return Noted()


class Reviving(LiveReceipts):
    """A change of consent makes anew what was taken back."""

    def _changed(self, connection: Connection, slow: bytes, consent: str) -> None:
        keys = line_keys_in(connection, self.host, self.pin)
        for row in tagged(connection, slow, keys, self.pin).true:
            changed = replace(statement_of(row), consent=consent, state=NEW)
            stored.change(connection, signed_row(changed, keys.signer), was=row)


class Looking(Reports):
    """Looks first whether the report lives, and writes then, whatever has become of it."""

    async def _add(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        def look(connection: Connection) -> Tagged:
            return tagged(connection, ask.adds_to, line_keys_in(connection, self._host, self._pin), self._pin)

        of = await self._database.read(look)
        keys = await line_keys_of(self._database, self._host, self._pin)
        addition_id = vault.addition_id(seed, ask.form, ask.adds_to, visit=ask.visit)
        turn = stored.turn_of_ending(ask.ending) if ask.ends else turn
        added = _addition(ask, of, keys, addition_id=addition_id, turn=turn, today=today)
        if added is None:
            return NotSaved()
        await self._database.write(lambda connection: stored.upsert(connection, added[0], sealed_key=added[1]))
        return Saved()


class OneForAll(Reports):
    """What one call adds is one thing, whatever it is added to."""

    async def _add(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        turn = stored.turn_of_ending(ask.ending) if ask.ends else turn

        def add(connection: Connection) -> bool:
            keys = line_keys_in(connection, self._host, self._pin)
            of = tagged(connection, ask.adds_to, keys, self._pin, locked=True)
            addition_id = vault.derive_id(seed, f"addition {ask.form}", visit=ask.visit)
            added = _addition(ask, of, keys, addition_id=addition_id, turn=turn, today=today)
            if added is not None:
                stored.upsert(connection, added[0], sealed_key=added[1])
            return added is not None

        return Saved() if await self._database.write(add) else NotSaved()


class Wanting(Reports):
    """What is added may be used for what its call says, not for what its report may be used for."""

    async def _add(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        saved = await super()._add(ask, seed=seed, turn=turn, today=today)
        await alter(self, ask, seed, consent=ask.consent)
        return saved


class Outliving(Reports):
    """What is added has the week in which it was added."""

    async def _add(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        saved = await super()._add(ask, seed=seed, turn=turn, today=today)
        year, week, _ = today.isocalendar()
        await alter(self, ask, seed, week=f"{year:04}-W{week:02}")
        return saved


async def alter(by: Reports, ask: SaveReport, seed: bytes, **changes: Any) -> None:
    """What was just added lies there otherwise, signed by the line."""

    def altered(connection: Connection) -> None:
        row = stored.find(connection, vault.addition_id(seed, ask.form, ask.adds_to, visit=ask.visit))
        if row is not None and row.state != TAKEN_BACK:
            keys = line_keys_in(connection, by._host, by._pin)
            stored.change(connection, signed_row(replace(statement_of(row), **changes), keys.signer), was=row)

    await by._database.write(altered)


LIVE, KEPT = LiveReceipts, Reports
MUTANTS: list[tuple[type[Reports], type[LiveReceipts], tuple[type[Message], ...]]] = [
    (KEPT, KeepsDerived, (Change,)),
    (KEPT, Unclaimed, (Change,)),
    (KEPT, OnlyTheReport, (Add, Withdraw)),
    (KEPT, Reviving, (Change, Withdraw)),
    (Looking, LIVE, (Add, Withdraw)),
    (OneForAll, LIVE, (Add,)),
    (Wanting, LIVE, (Add,)),
    (Outliving, LIVE, (Add,)),
]


@pytest.mark.parametrize(("kept", "live", "wanted"), MUTANTS, ids=[f"{a.__name__}-{b.__name__}" for a, b, _ in MUTANTS])
def test_mutant_a_line_that_does_otherwise_is_seen(
    kept: type[Reports], live: type[LiveReceipts], wanted: tuple[type[Message], ...]
) -> None:
    class Mutant(Receipts):
        reports, receipts, kinds = kept, live, wanted

    with pytest.raises(AssertionError):
        played(Mutant, runs=MUTANT_RUNS, is_mutant=True)
