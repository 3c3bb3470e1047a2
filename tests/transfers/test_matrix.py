"""The matrix: whatever those do who are on call, whenever the caller does something else, in every language, however
the phone company fails: one conversation or what was promised instead, in the promised time."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import pytest

from tests.promises.house import PROVE
from tests.transfers.judging import judged
from tests.transfers.people import (
    ALIKE,
    CALLERS,
    MAY_TAKE,
    OUTCOMES,
    PLAIN,
    POLICIES,
    RULES,
    STAYS,
    Caller,
    Cell,
    Language,
)
from tests.transfers.town import town

LANGUAGES: tuple[Language, ...] = ("en", "es")
TRIPLES = 40 * PROVE
SEED = 20270310


def wrong(cells: Sequence[Cell], folder: Path, blank: Path) -> dict[str, list[str]]:
    """Every cell in which something was not as it must be, and what. They follow one another on one line. The rules of
    conferences take turns; when it is proven each cell has them all."""
    names = list(RULES)
    ruled = [replace(cell, rules=name) for cell in cells for name in names] if PROVE > 1 else []
    ruled = ruled or [replace(cell, rules=names[place % len(names)]) for place, cell in enumerate(cells)]

    async def main() -> dict[str, list[str]]:
        async with town(folder / "line", blank) as of:
            told = {str(cell): await judged(cell, of) for cell in ruled}
        return {cell: found for cell, found in told.items() if found}

    return asyncio.run(main())


def sampled(cells: Iterable[Cell], many: int, seed: int) -> list[Cell]:
    every = list(cells)
    return Random(seed).sample(every, min(many, len(every)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("does", OUTCOMES if PROVE > 1 else [does for does in PLAIN if does not in ALIKE])
def test_one_on_call_whenever_the_caller_does_whatever(
    does: str, language: Language, tmp_path: Path, blank: Path
) -> None:
    cells = [Cell((does,), language=language, caller=caller) for caller in CALLERS]
    assert wrong(cells, tmp_path, blank) == {}


@pytest.mark.parametrize("rules", RULES)
def test_one_on_call_under_each_rule_of_conferences(rules: str, tmp_path: Path, blank: Path) -> None:
    """Who may take a call does, and meets whoever calls; whoever then does whatever."""
    late = (STAYS, Caller("hangs up", "in the doorway"), Caller("hangs up", "in the conference"))
    cells = [Cell((does,), caller=caller) for does in sorted(MAY_TAKE) for caller in late]
    cells += [Cell((does,)) for does in OUTCOMES if does not in MAY_TAKE]

    async def main() -> dict[str, list[str]]:
        async with town(tmp_path / "line", blank) as of:
            return {str(cell): await judged(replace(cell, rules=rules), of) for cell in cells}

    assert {cell: found for cell, found in asyncio.run(main()).items() if found} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_any_key_but_1_and_3_passes_and_costs_the_caller_nothing(
    language: Language, tmp_path: Path, blank: Path
) -> None:
    others = sorted(set(OUTCOMES) - set(PLAIN))
    cells = [Cell((does, "takes late"), language=language) for does in others]
    cells += [Cell((does,), ("takes",), language=language) for does in others]
    assert wrong(cells, tmp_path, blank) == {}


@pytest.mark.parametrize("first", PLAIN)
def test_two_on_call(first: str, tmp_path: Path, blank: Path) -> None:
    """In every order when it is proven; else the languages take turns."""
    others = PLAIN if PROVE > 1 else PLAIN[PLAIN.index(first) :]
    cells = [Cell((first, other), language=LANGUAGES[place % 2]) for place, other in enumerate(others)]
    assert wrong(cells, tmp_path, blank) == {}


def test_one_on_call_and_a_backup(tmp_path: Path, blank: Path) -> None:
    pairs = product(PLAIN, PLAIN, LANGUAGES, CALLERS)
    cells = [Cell((one,), (other,), language, caller) for one, other, language, caller in pairs]
    stay = [cell for cell in cells if cell.caller == STAYS]
    wanted = [*sampled(stay, 60 * PROVE, SEED), *sampled(cells, 30 * PROVE, SEED)]
    assert wrong(wanted, tmp_path, blank) == {}


def test_three_on_call_or_two_and_a_backup(tmp_path: Path, blank: Path) -> None:
    chance = Random(SEED)
    cells = []
    for place in range(TRIPLES):
        first, second, third = chance.choices(PLAIN, k=3)
        on_call, backup = ((first, second), (third,)) if place % 2 else ((first, second, third), ())
        more = tuple(chance.choices(PLAIN, k=1)) if place % 3 == 0 else backup
        cells.append(Cell(on_call, more, chance.choice(LANGUAGES), chance.choice((STAYS, *CALLERS))))
    assert wrong(cells, tmp_path, blank) == {}


@pytest.mark.parametrize("rest", POLICIES)
def test_however_the_phone_company_fails(rest: str, tmp_path: Path, blank: Path) -> None:
    casts: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("takes",), ()),
        (("never answers",), ("takes",)),
        (("passes", "takes"), ()),
        (("never answers", "takes late"), ("takes",)),
        (("is silent", "is busy", "takes"), ("never answers",)),
        (("never answers", "has a mailbox"), ("is silent",)),
    ]
    callers = (STAYS, Caller("hangs up", "while it rings"), Caller("9", "while it rings"), Caller("*", "in connecting"))
    every = [
        Cell(on_call, backup, language, caller, rest)
        for (on_call, backup), caller, language in product(casts, callers, LANGUAGES)
    ]
    stay = [cell for cell in every if cell.caller == STAYS and cell.language == "en"]
    assert wrong(every if PROVE > 1 else [*stay, *sampled(every, 5, SEED)], tmp_path, blank) == {}


def test_nobody_who_talks_with_another_caller_is_rung(tmp_path: Path, blank: Path) -> None:
    chosen = [Cell((does,), is_busy=True) for does in ("takes", "never answers", "passes", "is busy")]
    chosen += [replace(cell, rest=rest) for cell in chosen[:2] for rest in ("answers 429", "hangs and rings")]
    chosen += [
        Cell((), is_busy=True),
        Cell(("takes",), is_busy=True, caller=Caller("hangs up", "in connecting")),
        Cell(("never answers",), ("takes",), is_busy=True, language="es"),
    ]
    assert wrong(chosen, tmp_path, blank) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_on_duty_at_all_is_said_at_once(language: Language, tmp_path: Path, blank: Path) -> None:
    policies = ("works", "answers 500", "hangs and rings")
    assert wrong([Cell((), language=language, rest=rest) for rest in policies], tmp_path, blank) == {}
