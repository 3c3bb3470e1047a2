"""A line that breaks a promise is seen by whoever judges the matrix: each damage is done to what goes over the wire."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfers.judging import judged
from tests.transfers.people import NUMBERS, Cell
from tests.transfers.town import town

Damage = Callable[[str, bytes], bytes]


def nobody_looks_who_comes(_url: str, document: bytes) -> bytes:
    return re.sub(rb' callbackUrl="[^"]*"', b"", document)


def they_meet_in_two_rooms(url: str, document: bytes) -> bytes:
    return document.replace(b"</Conference>", b"00</Conference>") if "/staff/" in url else document


def a_dial_beside_the_rota(_url: str, document: bytes) -> bytes:
    return document.replace(b"</Dial>", f"<Number>{NUMBERS['off']}</Number></Dial>".encode())


def pieces_without_an_end(_url: str, document: bytes) -> bytes:
    return document.replace(b'timeout="1"', b'timeout="60"')


@pytest.mark.parametrize(
    ("damage", "cell", "words"),
    [
        (nobody_looks_who_comes, Cell(("takes and hangs up before they meet",)), "waited for ever"),
        (they_meet_in_two_rooms, Cell(("takes",)), "she talked with nobody"),
        (a_dial_beside_the_rota, Cell(("takes",), rest="answers 500"), "off was rung off duty"),
        (pieces_without_an_end, Cell(("never answers",)), "a piece lasted"),
        (pieces_without_an_end, Cell(("never answers",), ("never answers",)), "she waited for 0:01"),
    ],
)
def test_mutant_a_line_that_breaks_a_promise_is_seen(
    damage: Damage, cell: Cell, words: str, tmp_path: Path, blank: Path
) -> None:
    async def main() -> list[str]:
        async with town(tmp_path / "line", blank) as of:
            of.damage = damage
            return await judged(cell, of)

    assert any(words in found for found in asyncio.run(main()))
