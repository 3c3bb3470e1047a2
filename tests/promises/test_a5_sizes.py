"""A5: size says nothing. Every sealed body has one length, over all answers, and every row fits where order is lost."""

import asyncio
import sqlite3
from pathlib import Path
from random import Random

import pytest

from ivr.engine.asks import Answers, Opened, Saved, SaveReport
from ivr.flow.graph import Form
from ivr.vault import conversations, sealing
from ivr.vault.padding import pad
from tests.promises.evidence import Evidence
from tests.promises.house import BEGINNING, PROVE, house
from tests.promises.ledger import Record
from tests.promises.texting import street
from tests.shipped import flow

ROW_BYTES = 900


def shortest(form: Form) -> Answers:
    first = form.questions[0]
    return ((first.name, (min((code.name for code in first.codes), key=len, default="9" * 7),)),)


def longest(form: Form) -> Answers:
    """Every question answered, with the longest names, every finer code, and the most digits."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for question in form.questions:
        if question.kind == "digits":
            found.append((question.name, ("9" * 15,)))
        elif question.kind == "several":
            found.append((question.name, tuple(code.name for code in question.codes if code.group)))
        else:
            found.append((question.name, (max((code.name for code in question.codes), key=len),)))
    return tuple(found)


def by_chance(form: Form, chance: Random) -> Answers:
    found: list[tuple[str, tuple[str, ...]]] = []
    for question in form.questions:
        if chance.random() < 0.4:
            continue
        names = [code.name for code in question.codes]
        if question.kind == "digits":
            found.append((question.name, ("".join(chance.choices("0123456789", k=chance.randint(2, 15))),)))
        elif question.kind == "several":
            found.append((question.name, tuple(sorted(chance.sample(names, chance.randint(1, len(names) // 2))))))
        else:
            found.append((question.name, (chance.choice(names),)))
    return tuple(found)


async def lengths(folder: Path, blank: Path) -> list[tuple[int, ...]]:
    """The lengths of every column that a call writes, row by row, as they lie in the database."""
    chance = Random(5)
    async with house(folder, blank=blank) as of:
        reports = of.kept.reports(save_seconds=30)
        forms = flow().forms.values()
        bodies = [(form, make(form)) for form in forms for make in (shortest, longest)]
        bodies += [(form, by_chance(form, chance)) for form in forms for _ in range(40 * PROVE)]
        for n, (form, answers) in enumerate(bodies):
            consent = form.consents[n % len(form.consents)]
            code, nights = "", form.keep_days if form.is_request else 0
            for ending in (1,) if nights else (0, 1):
                ask = SaveReport(form.name, 1 + ending, answers, consent, ending, nights=nights)
                kept = await reports.keep(ask, seed=n.to_bytes(16), turn=7, today=BEGINNING.date())
                assert isinstance(kept, Saved), f"{form.name}: {answers}"
                code = kept.receipt or code
            if nights:
                continue
            opened = await of.kept.receipts().open(code)
            assert isinstance(opened, Opened)
            for ending in (0, 1):
                ask = SaveReport(form.name, 1 + ending, answers, consent, ending, adds_to=opened.receipt)
                added = await reports.keep(ask, seed=n.to_bytes(16), turn=7, today=BEGINNING.date())
                assert isinstance(added, Saved), f"{form.name}: {answers}"
    return rows_of(folder / "porchlight.db")


def rows_of(database: Path) -> list[tuple[int, ...]]:
    """(length of the body, of its key, of the whole row) for each report."""
    with sqlite3.connect(database) as looking:
        columns = [name for _, name, *_ in looking.execute("PRAGMA table_info(reports)")]
        whole = " + ".join(f"length(CAST(coalesce({name}, '') AS BLOB))" for name in columns)
        found = looking.execute(
            f"SELECT length(body), length(sealed_key), {whole} FROM reports JOIN report_keys ON report_id = id"
        ).fetchall()
    looking.close()
    return found


def test_every_sealed_body_has_one_length_and_every_row_is_short(tmp_path: Path, blank: Path, record: Record) -> None:
    found = asyncio.run(lengths(tmp_path / "line", blank))
    record(len(found), "sealed rows")
    assert len(found) > 160
    assert {(body, key) for body, key, _ in found} == {(sealing.SEALED_SIZE, sealing.SEALED_KEY_SIZE)}
    assert max(row for _, _, row in found) < ROW_BYTES


def test_so_it_is_on_every_path_of_the_flow(evidence: Evidence, record: Record) -> None:
    found = rows_of(evidence.folder / "line" / "porchlight.db")
    record(len(found), "sealed rows")
    assert len(found) > 100
    assert len({(body, key) for body, key, _ in found}) == 1
    assert max(row for _, _, row in found) < ROW_BYTES


def test_tokens_have_one_of_two_lengths(evidence: Evidence, record: Record) -> None:
    record(len(evidence.tokens), "tokens")
    assert {len(token) for token in evidence.tokens} <= {400, 742}


def test_mutant_a_body_without_padding_is_seen(tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "pad", lambda plaintext, size: pad(plaintext, size=len(plaintext) + 1))
    found = asyncio.run(lengths(tmp_path / "line", blank))
    assert len({body for body, _, _ in found}) > 1


# ---- conversations by text ----

TEXTS = ("VOICE", "1 2 1 #", "2 1", "1 1", "# # # # # # # # # #", "# #", "x" * 1600, "MENU 1 1 1 2 3 #", "0", "BYE")


async def conversation_lengths(folder: Path, blank: Path) -> list[int]:
    """Of every sealed conversation, after each text of several people who are at different places of it."""
    found: list[int] = []
    async with street(folder, blank) as of:
        for n, words in enumerate(TEXTS):
            for who in range(3):
                if n >= who:
                    await of.writes(who, words)
            await of.writes(3, f"{words} \U0001f600 {{}}")
            found += [len(body) for _, body in await of.rows() if body is not None]
    return found


def test_every_sealed_conversation_has_one_length(tmp_path: Path, blank: Path, record: Record) -> None:
    found = asyncio.run(conversation_lengths(tmp_path / "line", blank))
    record(len(found), "sealed conversations")
    assert len(found) > 30
    assert set(found) == {conversations.SEALED_SIZE}


def test_mutant_a_conversation_without_padding_is_seen(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "pad", lambda plaintext, size: pad(plaintext, size=len(plaintext) + 1))
    assert len(set(asyncio.run(conversation_lengths(tmp_path / "line", blank)))) > 1
