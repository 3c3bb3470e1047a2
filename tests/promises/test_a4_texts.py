"""A4, of texts: whoever takes the disk, the live rows and every key in the run folder, and not the number of whoever
wrote, opens no conversation. Whoever has the number opens hers: so the keys die within two hours (test_a2_time)."""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nacl.utils import random

from ivr.services import conversations as conversing
from ivr.vault.aead import KEY_SIZE
from ivr.vault.conversations import ConversationKey
from ivr.vault.derivation import derive, digest
from tests.founded import SECRET
from tests.promises.house import AUTH_TOKEN, HOTLINE, PROVE
from tests.promises.ledger import Record
from tests.promises.seizing import candidates, purposes
from tests.promises.texting import phone, street
from tests.promises.traces import files_in

PEOPLE = 3
DERIVED = 300 if PROVE == 1 else 50_000
"""Windows, in the order of their bytes, whose derived keys are tried too."""
_THREADS = os.cpu_count() or 1


@dataclass
class Dump:
    """What was taken: every file, and every row of the conversations. `keys`: those of the run folder, by file."""

    files: dict[str, bytes]
    rows: list[tuple[bytes, bytes]]
    keys: dict[str, bytes]

    def windows(self) -> list[bytes]:
        """Every 32 bytes that look like a key, each once; and the secrets, however they look."""
        content = candidates(self.files, every_offset=True).tobytes()
        found = {content[at : at + KEY_SIZE] for at in range(0, len(content), KEY_SIZE)}
        return sorted(found | set(self.keys.values()) | {SECRET[:KEY_SIZE], digest(SECRET, purpose="any")})


async def dumped(folder: Path, blank: Path, **parts: Any) -> Dump:
    """A line to which some people write: one says goodbye, the others are in the middle of a report."""
    async with street(folder / "line", blank, **parts) as of:
        for who in range(PEOPLE):
            await of.writes(who, "VOICE 1 2 1 # 1 1")
        await of.writes(0, "BYE")
        rows = [(row_id, body) for row_id, body in await of.rows() if body is not None]
        keys = {path.name: path.read_bytes() for path in of.of.keys.glob("*.*")}
        return Dump(files_in(folder), rows, keys)


def tries(dump: Dump, *, derived: int) -> Iterator[bytes]:
    """Everything that may be a key: windows as they are, and what may be derived from some of them, and from every key
    of the run folder, knowing all that is known but the numbers."""
    windows = dump.windows()
    yield from windows
    known = [b"", HOTLINE.encode(), AUTH_TOKEN.encode(), *(row_id for row_id, _ in dump.rows)]
    for key in (*dump.keys.values(), SECRET, *windows[:derived]):
        for purpose in purposes():
            yield digest(key, purpose=purpose)
            for message in known if key in dump.keys.values() else known[:1]:
                yield derive(key[:64], message, purpose=purpose)


def opened_by(rows: Iterable[tuple[bytes, bytes]], keys: list[bytes]) -> set[bytes]:
    """The ids of the conversations that any of these keys opens."""
    every = list(rows)

    def opened(part: list[bytes]) -> set[bytes]:
        return {row_id for key in part for row_id, body in every if ConversationKey(row_id, key).open(body) is not None}

    with ThreadPoolExecutor(_THREADS) as threads:
        return set[bytes]().union(*threads.map(opened, [keys[n::_THREADS] for n in range(_THREADS)]))


def opened_with_numbers(dump: Dump, numbers: Iterable[str]) -> set[bytes]:
    """The same for whoever tries phone numbers with the keys of the run folder."""
    keys = [ConversationKey.of(key, one) for one in numbers for key in dump.keys.values()]
    by_id: Mapping[bytes, ConversationKey] = {one.id: one for one in keys}
    return {row_id for row_id, body in dump.rows if row_id in by_id and by_id[row_id].open(body) is not None}


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Dump:
    return asyncio.run(dumped(tmp_path_factory.mktemp("dump"), blank))


def test_without_the_number_nothing_that_was_taken_opens_a_conversation(dump: Dump, record: Record) -> None:
    keys = list(tries(dump, derived=DERIVED))
    record(len(keys), "windows of a dump and keys derived of them, tried on conversations")
    assert len(dump.rows) == PEOPLE
    assert any(name.startswith("text.") for name in dump.keys)
    assert any("live.db" in name for name in dump.files)
    assert len(keys) > 50_000
    assert opened_by(dump.rows, keys) == set()


def test_with_the_number_hers_opens_and_nobody_else_s(dump: Dump) -> None:
    """So whoever takes K_text from a running machine can try every number there is: it is said in THREATMODEL.md."""
    found = [opened_with_numbers(dump, [phone(who)]) for who in range(PEOPLE)]
    assert [len(one) for one in found] == [1] * PEOPLE
    assert set[bytes]().union(*found) == {row_id for row_id, _ in dump.rows}
    assert opened_with_numbers(dump, [f"+1212555{n:04}" for n in range(2_000)]) <= found[0]
    assert opened_with_numbers(dump, [phone(PEOPLE + 1)]) == set()


def test_with_the_number_and_no_key_of_that_hour_nothing_opens(dump: Dump) -> None:
    lost = Dump(dump.files, dump.rows, {name: random(KEY_SIZE) for name in dump.keys})
    assert opened_with_numbers(lost, [phone(who) for who in range(PEOPLE)]) == set()


# ---- mutants: each must be caught ----


class UnderKText(ConversationKey):
    """Seals every conversation of an hour under the hour's key."""

    @classmethod
    def of(cls, k_text: bytes, number: str) -> ConversationKey:
        return ConversationKey(super().of(k_text, number).id, k_text)


class UnderTheName(ConversationKey):
    """Draws the key from the name of the conversation, which lies beside it."""

    @classmethod
    def of(cls, k_text: bytes, number: str) -> ConversationKey:
        named = super().of(k_text, number).id
        return ConversationKey(named, derive(k_text, named, purpose="conversation key"))


class Beside(ConversationKey):
    """Keeps the key, in case it is needed once more."""

    kept: list[bytes]

    @classmethod
    def of(cls, k_text: bytes, number: str) -> ConversationKey:
        one = super().of(k_text, number)
        cls.kept.append(one._key)
        return one


@pytest.mark.parametrize("made_of", [UnderKText, UnderTheName], ids=lambda one: one.__name__)
def test_mutant_a_key_that_needs_no_number_opens_its_conversations(
    made_of: type[ConversationKey], tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversing, "ConversationKey", made_of)  # no constructor takes it
    taken = asyncio.run(dumped(tmp_path, blank))
    assert len(opened_by(taken.rows, list(tries(taken, derived=0)))) == PEOPLE


def test_mutant_a_key_that_is_written_down_opens_its_conversation(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Beside.kept = []
    monkeypatch.setattr(conversing, "ConversationKey", Beside)  # no constructor takes it
    taken = asyncio.run(dumped(tmp_path, blank))
    taken.files["line/debug"] = b"key=" + Beside.kept[0].hex().encode() + b"\n" + random(100)
    assert opened_by(taken.rows, list(tries(taken, derived=0)))
