"""A2: what is kept while a call lives is gone in time, whether or not anybody calls: keys of tokens within 12 hours and
keys of seeds within 20 minutes and those of text conversations within two hours, from the disk and from the memory of
every worker. (The conversations themselves: test_a2_texts.)"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Router

from ivr.app import Parts, Rings, WorldOf, build
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.transport import AsgiTransport
from ivr.kit.clock import VirtualClock
from ivr.vault import conversations, receipts, tokens
from ivr.vault.derivation import derive
from ivr.vault.keyring import KeyRing
from ivr.vault.tokens import TokenKey
from tests.promises.house import AUTH_TOKEN, BEGINNING, HOTLINE, PROVE, PUBLIC_URL, House, house, logs_captured
from tests.promises.ledger import Record
from tests.promises.pacing import Metronome
from tests.promises.remembered import Hidden, remembered

ROLLS = {"token": tokens.ROLLS, "seed": receipts.ROLLS, "text": conversations.ROLLS}
LIMITS = {"token": timedelta(hours=12), "seed": timedelta(minutes=20), "text": timedelta(hours=2)}
NOON = BEGINNING.replace(hour=18, minute=0, second=0)
"""Six hours and ten minutes both divide it: a key that is made now has its whole time before it."""
MINUTE = timedelta(minutes=1)
TENDED_EVERY = 15
"""Seconds."""
JUST = timedelta(microseconds=1)
SUBKEYS = ("token cipher", "token nonce", "token binding")


@dataclass(slots=True)
class Key:
    """One key of a kind, since when it is there, and what is derived from it and as good."""

    kind: str
    made_at: datetime
    secrets: tuple[Hidden, ...]

    @property
    def due_at(self) -> datetime:
        return self.made_at + LIMITS[self.kind]


@dataclass
class Watch:
    """Every key that a line ever had, and where each was found when its time was over. `at_last` it was found in time:
    what was there to be missed."""

    folder: Path
    keys: dict[str, Key] = field(default_factory=dict)
    overdue: list[str] = field(default_factory=list)
    seen_in_memory: set[str] = field(default_factory=set)
    seen_on_disk: set[str] = field(default_factory=set)

    def note_new(self, now: datetime) -> None:
        """Those of a period to come are there too, but nothing is sealed under them yet."""
        for path in (self.folder / "run").glob("*"):
            kind, number = path.name.split(".")[:2]
            is_used = number.isdecimal() and int(number) * ROLLS[kind].total_seconds() <= now.timestamp()
            if is_used and path.name not in self.keys:
                self.keys[path.name] = _key(path, now)

    def look(self, now: datetime, *, into_memory: bool) -> None:
        """Search every file, and if told so everything that Python can reach, for keys whose time is over."""
        files = {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*.*")}
        found = {
            (name, f"in {place}")
            for name, key in self.keys.items()
            for place, content in files.items()
            if any(secret.is_in(content) for secret in key.secrets)
        }
        self.seen_on_disk |= {name for name, _ in found}
        if into_memory:
            every = {f"{name} {n}": one for name, key in self.keys.items() for n, one in enumerate(key.secrets)}
            held = {name.partition(" ")[0] for name in remembered(every)}
            self.seen_in_memory |= held
            found |= {(name, "in memory") for name in held}
        late = [(name, where) for name, where in found if self.keys[name].due_at <= now]
        self.overdue += [f"{name} {where}, {now - self.keys[name].due_at} too long" for name, where in sorted(late)]


def _key(path: Path, now: datetime) -> Key:
    kind, secret = path.name.partition(".")[0], path.read_bytes()
    subkeys = [derive(secret, b"", purpose=purpose) for purpose in SUBKEYS] if kind == "token" else []
    return Key(kind, now, tuple(Hidden(one) for one in (secret, *subkeys)))


async def calls(of: House, n: int) -> None:
    """A short call, and a text: token and conversation are made with the keys of now."""
    rosa = await of.line(seed=f"call {n}").call()
    await rosa.press("1")
    await rosa.hang_up()
    line = Number(HOTLINE, f"{PUBLIC_URL}/voice/answer", message_url=f"{PUBLIC_URL}/text")
    exchange = Exchange(line, clock=of.clock, token=AUTH_TOKEN, transport=AsgiTransport(of.app), seed=f"text {n}")
    await exchange.text("+12125550177", "VOICE 1")
    await exchange.close()


async def watched(
    folder: Path,
    blank: Path,
    *,
    rings: Callable[[Path], Rings] = Rings.of,
    workers: int = 2,
    calling: int = 9,
    quiet: timedelta = LIMITS["token"],
    has_chores: bool = True,
) -> Watch:
    """So many calls, one every seven minutes, each at the next worker, and then none at all; with a look a minute
    before the time of each key is over, and one just after it."""
    clock, watch = VirtualClock(NOON - MINUTE / 2), Watch(folder)
    pacing = Metronome(clock)

    async def pass_until(end: datetime) -> None:
        looks = {NOON + LIMITS[kind] + JUST for kind in ("token", "text")}
        moments = {key.due_at + span for key in watch.keys.values() for span in (-MINUTE, JUST)}
        for moment in sorted(one for one in moments if clock.now() < one <= end):
            await pacing.until(moment)
            is_worth_it = moment.minute == LIMITS["seed"].seconds // 60 or moment in looks
            watch.look(moment, into_memory=is_worth_it and moment.microsecond > 0)
        await pacing.until(end)

    async with AsyncExitStack() as stack:
        builder = partial(built, rings=rings, pacing=pacing)
        lines = [
            await stack.enter_async_context(house(folder, blank=None if n else blank, builder=builder, clock=clock))
            for n in range(workers)
        ]
        if has_chores:
            await stack.enter_async_context(pacing.at_work(*(line.router for line in lines)))
        for n in range(calling):
            await pass_until(NOON + n * 7 * MINUTE)
            await calls(lines[n % workers], n)
            watch.note_new(clock.now())
            watch.look(clock.now(), into_memory=n == 0)
        await pass_until(clock.now() + quiet + MINUTE)
    return watch


def built(
    parts: Parts,
    clock: VirtualClock,
    world: WorldOf,
    *,
    rings: Callable[[Path], Rings],
    pacing: Metronome,
    **exchanged: Any,
) -> Router:
    """Reports are tended each minute here, not four times: half a day of it says nothing of keys."""

    async def pause(seconds: float) -> None:
        await pacing.pause(MINUTE.seconds if seconds == TENDED_EVERY else seconds)

    return build(parts, clock, world, rings=rings, pause=pause, **exchanged)


def test_no_key_is_kept_beyond_its_time_by_any_worker_on_disk_or_in_memory(
    tmp_path: Path, blank: Path, record: Record
) -> None:
    with logs_captured() as log:
        watch = asyncio.run(watched(tmp_path / "line", blank, calling=9 * PROVE, workers=2 if PROVE == 1 else 4))
    record(len(watch.keys), "short-lived keys followed to their end")
    assert len(watch.keys) >= 7
    assert watch.seen_on_disk == set(watch.keys)
    assert {watch.keys[name].kind for name in watch.seen_in_memory} == set(LIMITS)
    assert watch.overdue == []
    assert b"a chore failed" not in log()


def test_a_line_that_was_off_while_keys_became_due_destroys_them_when_it_starts(tmp_path: Path, blank: Path) -> None:
    """Nobody destroys what lies in the folder of a line that does not run: a tmpfs loses it with the host."""

    async def main() -> None:
        clock, watch = VirtualClock(NOON), Watch(tmp_path / "line")
        async with house(watch.folder, blank=blank, clock=clock) as of:
            await calls(of, 1)
            watch.note_new(clock.now())
        (half,) = (watch.folder / "run").glob("token.*")
        half.with_name(f"{half.name}.new-0a1b").write_bytes(half.read_bytes())  # what a worker that died left
        clock.advance(LIMITS["token"])
        pacing = Metronome(clock)
        builder = partial(built, rings=Rings.of, pacing=pacing)
        async with house(watch.folder, builder=builder, clock=clock) as again, pacing.at_work(again.router):
            watch.look(clock.now(), into_memory=False)  # the process before this one has ended
            assert watch.overdue == []
            assert len(watch.keys) == len(LIMITS)
            left = {path.name.partition(".")[2]: path.read_bytes() for path in (watch.folder / "run").iterdir()}
            assert all("spare" in name for name, kept in left.items() if not any(kept))
            assert len([name for name, kept in left.items() if any(kept)]) == 2 * len(LIMITS), "of now, and the next"
            assert not watch.keys.keys() & {path.name for path in (watch.folder / "run").iterdir()}

    asyncio.run(main())


# ---- mutants: each must be caught ----


class Unswept(KeyRing[Any]):
    """Destroys nothing."""

    def sweep(self, now: datetime) -> None:
        pass


class Backdating(KeyRing[Any]):
    """Its clock is half an hour slow."""

    def sweep(self, now: datetime) -> None:
        super().sweep(now - timedelta(minutes=30))


class Hoarding(KeyRing[Any]):
    """Keeps a list of its keys, to count them or for whatever reason."""

    def _remember(self, kid: int, secret: bytes) -> Any:
        self.hoard: list[object] = getattr(self, "hoard", [])
        self.hoard.append(super()._remember(kid, secret))
        return self.hoard[-1]


class Archiving(KeyRing[Any]):
    """Puts its keys away first: they might be needed once more."""

    def sweep(self, now: datetime) -> None:
        away = self._directory.with_name("away")
        away.mkdir(exist_ok=True)
        for path in self._directory.glob("*.*"):
            (away / path.name).write_bytes(path.read_bytes())
        super().sweep(now)


def of_kind(ring: type[KeyRing[Any]]) -> Callable[[Path], Rings]:
    def rings(folder: Path) -> Rings:
        seeds = ring(folder, "seed", rolls=receipts.ROLLS, lives=receipts.LIVES, make=lambda _kid, secret: secret)
        texts = ring(
            folder, "text", rolls=conversations.ROLLS, lives=conversations.LIVES, make=lambda _kid, secret: secret
        )
        return Rings(seeds, ring(folder, "token", rolls=tokens.ROLLS, lives=tokens.LIVES, make=TokenKey.of), texts)

    return rings


@pytest.mark.parametrize(
    ("ring", "where"), [(Unswept, "in run"), (Backdating, "in run"), (Archiving, "in away"), (Hoarding, "in memory")]
)
def test_mutant_a_ring_that_keeps_its_keys_too_long_is_seen(
    ring: type[KeyRing[Any]], where: str, tmp_path: Path, blank: Path
) -> None:
    watch = asyncio.run(
        watched(tmp_path / "line", blank, rings=of_kind(ring), workers=1, calling=2, quiet=LIMITS["seed"])
    )
    assert any(where in one for one in watch.overdue)


def longer(folder: Path) -> Rings:
    """Keeps the keys of texts for whoever comes back late."""
    texts = KeyRing(
        folder, "text", rolls=conversations.ROLLS, lives=timedelta(hours=3), make=lambda _kid, secret: secret
    )
    return replace(Rings.of(folder), texts=texts)


def test_mutant_a_ring_of_texts_that_lives_longer_is_seen(tmp_path: Path, blank: Path) -> None:
    watch = asyncio.run(
        watched(tmp_path / "line", blank, rings=longer, workers=1, calling=1, quiet=LIMITS["text"] + MINUTE)
    )
    assert {one.partition(".")[0] for one in watch.overdue} == {"text"}
    assert any("in run" in one for one in watch.overdue)
    assert any("in memory" in one for one in watch.overdue)


def test_mutant_a_line_that_sweeps_only_when_somebody_calls_is_seen(tmp_path: Path, blank: Path) -> None:
    watch = asyncio.run(watched(tmp_path / "line", blank, has_chores=False, workers=1, calling=2, quiet=LIMITS["seed"]))
    assert any("in run" in one for one in watch.overdue)
    assert any("in memory" in one for one in watch.overdue)


def test_the_rings_put_together_for_mutants_are_the_line_s_when_none_is_exchanged(tmp_path: Path, blank: Path) -> None:
    watch = asyncio.run(
        watched(tmp_path / "line", blank, rings=of_kind(KeyRing), workers=1, calling=2, quiet=LIMITS["seed"])
    )
    assert watch.overdue == []
    assert {key.kind for key in watch.keys.values()} == set(LIMITS)
