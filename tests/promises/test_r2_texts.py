"""R2, of texts: one that comes twice, late, in another order, at the same moment at another worker, or again because a
worker died over it, does no harm: no second report, no second answer, and what she is told is what she would have been
told otherwise."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nacl.utils import random

from ivr.engine.asks import SaveReport
from ivr.services import conversations as conversing
from ivr.store import conversations as stored
from ivr.vault.receipts import ROLLS
from tests.promises.house import BEGINNING, PROVE
from tests.promises.ledger import Record
from tests.promises.texting import RECEIPT, Street, phone, street

SCRIPTS: Mapping[int, Sequence[str]] = {
    0: ("VOICE", "1", "2 1 #", "2 1", "1 1", "# # # # # # # # # #", "# #", "#", "2", "1 1 1 # 1 1", "BYE"),
    1: ("VOZ 1 2 1 # 1 1", "2", "1 1", "# # # # # # # # #", "# #", "ADIOS"),
    2: ("VOICE 1 3 1 #", "1 1", "MENU", "1", "#", "0", "STOP"),
}
"""Three people's texts: two reports and the beginning of a third; one; one that is cut off."""
WHOLE = "VOICE 1 2 1 # 1 1 # # # # # # # # # # # # #"
"""A report in one text, receipt and all."""


@dataclass
class Came:
    """What each of them was told, in order, receipts masked; and the reports that there are."""

    told: dict[int, list[str]] = field(default_factory=dict)
    reports: Counter[Any] = field(default_factory=Counter)
    statuses: set[int] = field(default_factory=set)


async def _came(of: Street) -> Came:
    told = {who: [RECEIPT.sub("RECEIPT", one) for one in of.exchange.inbox(phone(who))] for who in SCRIPTS}
    reports = Counter((one.listed.form, one.listed.consent, one.answers) for one in await of.of.reports())
    return Came(told, reports, {one.status for one in of.post.answered})


def shaken(folder: Path, blank: Path, seed: int, *, most: int = 4, **parts: Any) -> Came:
    """All of their texts, in turn; each comes up to `most` times, at once or later, at any worker."""
    chance = Random(seed)  # for a test

    async def main() -> Came:
        async with street(folder, blank, at_once=most > 1, **parts) as of:
            of.post.to = lambda _: chance.randrange(2)
            left = {who: list(script) for who, script in SCRIPTS.items()}
            ids: list[str] = []
            while any(left.values()):
                who = chance.choice([who for who in left if left[who]])
                ids.append(await of.writes(who, left[who].pop(0), after=1.0))
                for _ in range(chance.randrange(most)):
                    again = ids[-1] if chance.random() < 0.7 else chance.choice(ids)
                    await of.exchange.deliver_again(again, after=chance.choice((1.0, 1.0, 20.0, 200.0)))
                await of.exchange.run(2)
            await of.exchange.run(300)
            for message_id in ids:
                await of.exchange.deliver_again(message_id)
            await of.exchange.quiet()
            return await _came(of)

    return asyncio.run(main())


@pytest.mark.parametrize("replies", ["rest", "xml"])
def test_texts_that_come_twice_late_and_at_once_are_one_conversation(
    replies: str, tmp_path: Path, blank: Path, record: Record
) -> None:
    calm = shaken(tmp_path / "calm", blank, 0, most=1, replies=replies)
    assert sum(calm.reports.values()) == 4
    assert [len(_without_repetition(told)) for told in calm.told.values()] == [
        len(SCRIPTS[0]),
        len(SCRIPTS[1]),
        len(SCRIPTS[2]) - 1,
    ]
    for seed in range(2 * PROVE):
        found = shaken(tmp_path / f"shaken {seed}", blank, seed, replies=replies)
        record(sum(map(len, SCRIPTS.values())), "texts that came twice, late, and at several workers at once")
        assert found.statuses == {200}
        assert found.reports == calm.reports
        assert harm(calm, found, again=replies == "xml") == []


def harm(calm: Came, found: Came, *, again: bool = False) -> list[str]:
    """What they were told otherwise. `again`: the last answer may be given twice, in the document of a delivery that
    came twice: nobody knows which of them the phone company read."""
    said = []
    for who, told in found.told.items():
        heard = _without_repetition(told) if again else told
        if heard != (_without_repetition(calm.told[who]) if again else calm.told[who]):
            said.append(f"{who} is told {heard} and not {calm.told[who]}")
    return said + [f"a report more or less: {one}" for one in (found.reports - calm.reports)]


def _without_repetition(told: Sequence[str]) -> list[str]:
    return [one for n, one in enumerate(told) if n == 0 or one != told[n - 1]]


def test_texts_in_another_order_are_each_answered_once_and_make_no_more_reports(
    tmp_path: Path, blank: Path, record: Record
) -> None:
    async def main(seed: int) -> None:
        async with street(tmp_path / f"line {seed}", blank) as of:
            chance = Random(seed)  # for a test
            for words in ("VOICE", *SCRIPTS[0][1:8]):
                await of.writes(0, words, after=chance.uniform(1, 90))
            await of.exchange.quiet()
            told = of.exchange.inbox(phone(0))
            assert len(told) == 8
            assert len(await of.of.reports()) <= 1
            record(8, "texts that came in another order")

    for seed in range(3 * PROVE):
        asyncio.run(main(seed))


# ---- a worker that dies ----


def died(folder: Path, blank: Path, **parts: Any) -> Came:
    """One text is a whole report; whoever answers it dies after its first save, and it comes again, in the next period
    of the keys that reports of calls are named by."""

    async def main() -> Came:
        async with street(folder, blank, **parts) as of:
            of.clock.at = BEGINNING.replace(minute=0, second=0) + ROLLS - timedelta(seconds=20)
            for one in of.deadly:
                one.at, one.when = SaveReport, "after"
            of.post.to = lambda n: n
            await of.writes(0, WHOLE)
            of.deadly[1].at = None
            await of.exchange.quiet()
            return await _came(of)

    return asyncio.run(main())


def test_a_text_that_comes_again_because_a_worker_died_over_it_is_one_report(tmp_path: Path, blank: Path) -> None:
    found = died(tmp_path / "line", blank)
    assert len(found.told[0]) == 1
    assert "RECEIPT" in found.told[0][0]
    assert sum(found.reports.values()) == 1


# ---- mutants: each must be caught ----


def _takes_what_is_taken(connection: Any, ids: Any, *, now: int, until: int, **how: Any) -> Any:
    return stored.claim(connection, ids, now=until + 10**9, until=until, **how)


class _Unclaimed:
    """The statements, of which one does not look whether somebody else is answering."""

    claim = staticmethod(_takes_what_is_taken)

    def __getattr__(self, name: str) -> Any:
        return getattr(stored, name)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        pytest.param("mark", lambda _secret, _message_id: random(16), id="forgets what it has answered"),
        pytest.param("stored", _Unclaimed(), id="answers what another is answering"),
    ],
)
def test_mutant_a_line_that_takes_harm_is_seen(
    name: str, instead: Any, tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = shaken(tmp_path / "calm", blank, 0, most=1)
    monkeypatch.setattr(conversing, name, instead)  # no constructor takes it
    assert harm(calm, shaken(tmp_path / "shaken", blank, 1))


def test_mutant_a_line_that_begins_anew_when_a_worker_died_is_seen(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversing, "call_seed", lambda _key, _text: random(16))  # no constructor takes it
    assert sum(died(tmp_path / "line", blank).reports.values()) == 2
