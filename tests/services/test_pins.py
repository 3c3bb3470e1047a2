"""PINs: whose each is, for as long as it is; and that nothing on the disk is worth anything without the secret."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from ivr.oncall.people import Tier
from ivr.services import pins, rota
from ivr.services.pins import by_pin, is_guessable, new_pin
from ivr.services.rota import Change, NumberLost
from ivr.store import rota as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.vault.host import HostKey
from tests.founded import NOW, SECRET, Office, in_office
from tests.services.test_rota import NUMBER, add, on_disk
from tests.store.databases import KINDS

T = TypeVar("T")

ODD = (
    *("", "0", "4821937", "482193700", "04821937", "4821 9370", "48219370\n", "*#"),
    *("\uff14\uff18\uff12\uff11\uff19\uff13\uff17\uff10", "\ud800", "x" * 10_000),
)


class Counting(Database):
    """Counts how often somebody looks."""

    looks = 0

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        self.looks += 1
        return await super().read(work, snapshot=snapshot)


@asynccontextmanager
async def counting(folder: Path) -> AsyncIterator[Counting]:
    """The office's database, of which each look is counted."""
    database = Counting(f"sqlite:///{folder / 'porchlight.db'}")
    yield database
    await database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_is_hers_until_she_has_another_or_none(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        ana, bo = await add(of, "ana"), await add(of, "bo")
        hers, first = await new_pin(of.database, of.host, "ana"), await new_pin(of.database, of.host, "bo")
        second = await new_pin(of.database, of.host, "bo")
        assert len({hers, first, second}) == 3
        found = [await by_pin(of.database, of.host, pin) for pin in (hers, first, second)]
        assert found == [ana.id, None, bo.id]
        assert await pins.holders(of.database) == {ana.id, bo.id}
        await pins.remove_pin(of.database, "bo")
        await pins.remove_pin(of.database, "bo")
        await rota.remove_person(of.database, "ana")
        assert [await by_pin(of.database, of.host, pin) for pin in (hers, second)] == [None, None]
        assert await pins.holders(of.database) == frozenset()

    in_office(tmp_path, main, kind=kind)


def test_what_is_changed_of_her_leaves_her_pin(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        bo = await add(of, "bo")
        pin = await new_pin(of.database, of.host, "bo")
        await rota.change_person(of.database, of.host, "bo", Change(phone="+12125550199", tier=Tier.BACKUP))
        await rota.switch(of.database, "bo", is_on=False, until_at=NOW + timedelta(hours=1), now=NOW)
        assert await by_pin(of.database, of.host, pin) == bo.id

    in_office(tmp_path, main)


def test_whatever_is_keyed_that_is_no_pin_is_nobody_s(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        await new_pin(of.database, of.host, "bo")
        assert {await by_pin(of.database, of.host, keyed) for keyed in ODD} == {None}

    in_office(tmp_path, main)


def test_what_is_no_pin_costs_a_look_like_one_that_is_nobody_s(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        async with counting(tmp_path) as database:
            for keyed in (*ODD, "23849170"):
                await by_pin(database, of.host, keyed)
            assert database.looks == len(ODD) + 1

    in_office(tmp_path, main)


def test_neither_the_pin_nor_a_hash_that_anybody_could_compute_is_on_the_disk(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        bo = await add(of, "bo")
        pin = await new_pin(of.database, of.host, "bo")
        await of.database.settle()
        kept = on_disk(tmp_path)
        assert pin.encode() not in kept
        assert of.host.tag(pin.encode(), purpose="pin") in kept, "a look that finds nothing sees nothing"
        assert HostKey.of(b"").tag(pin.encode(), purpose="pin") not in kept
        assert await by_pin(of.database, HostKey.of(SECRET), pin) == bo.id
        assert await by_pin(of.database, HostKey.of(b"a secret that somebody made anew"), pin) is None

    in_office(tmp_path, main)


def test_with_the_secret_pins_are_lost_and_nobody_is_said_to_have_one(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        old = await new_pin(of.database, of.host, "bo")
        of.host = HostKey.of(b"a secret that somebody made anew")
        with pytest.raises(NumberLost, match="ivr advocates set bo"):
            await new_pin(of.database, of.host, "bo")
        bo = await rota.change_person(of.database, of.host, "bo", Change(phone=NUMBER))
        assert await pins.holders(of.database) == frozenset()
        new = await new_pin(of.database, of.host, "bo")
        assert [await by_pin(of.database, of.host, pin) for pin in (old, new)] == [None, bo.id]

    in_office(tmp_path, main)


def test_a_pin_that_somebody_has_is_given_to_nobody_else(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "ana")
        await add(of, "bo")
        drawn = iter(("48219370", "48219370", "48219370", "59302716"))
        given = [await new_pin(of.database, of.host, name, draw=lambda: next(drawn)) for name in ("ana", "bo")]
        assert given == ["48219370", "59302716"]

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_two_with_one_pin_cannot_be_written(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        ana, bo = await add(of, "ana"), await add(of, "bo")
        await of.database.write(lambda found: stored.set_pin_tag(found, ana.id, b"t" * 16))
        with pytest.raises(StoreUnavailable):
            await of.database.write(lambda found: stored.set_pin_tag(found, bo.id, b"t" * 16))

    in_office(tmp_path, main, kind=kind)


def test_a_look_up_is_one_in_an_index(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        plan = text("EXPLAIN QUERY PLAN SELECT id FROM people WHERE pin_tag = x'00'")
        [row] = await of.database.read(lambda found: list(found.execute(plan)))
        assert "INDEX ix_people_pin_tag" in row.detail

    in_office(tmp_path, main)


def test_while_the_database_is_away_nobody_is_taken_for_nobody(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await of.database.write(lambda found: found.execute(text("DROP TABLE people")))
        with pytest.raises(StoreUnavailable):
            await by_pin(of.database, of.host, "48219370")

    in_office(tmp_path, main)


def test_what_is_drawn_can_be_keyed_and_is_nothing_that_anybody_would_try_first() -> None:
    drawn = {pins.drawn() for _ in range(500)}
    assert len(drawn) > 490
    assert all(re.fullmatch("[1-9][0-9]{7}", pin) and not is_guessable(pin) for pin in drawn)


@given(st.integers(1, 9), st.integers(0, 9))
def test_a_run_of_equal_steps_is_guessable(first: int, step: int) -> None:
    assert is_guessable("".join(str((first + step * place) % 10) for place in range(pins.DIGITS)))


@pytest.mark.parametrize("pin", ["11111112", "12345679", "48219370", "12121212"])
def test_what_is_no_run_is_not_refused(pin: str) -> None:
    assert not is_guessable(pin)
