"""R3, of texts: whatever breaks, the phone company hears 200, or 503 where it is to bring the text again, in time; and
she gets one sensible answer in the end."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from sqlalchemy import Connection

from ivr.carrier.rest_api import Fault, garbage, hangs, refuses, unreachable
from ivr.carrier.texting import PATIENCE
from ivr.channels.texted import Texted, TextReply
from ivr.flow.graph import Step
from ivr.kit.time_limits import TimeLimits
from ivr.line.text_door import Answers
from ivr.services.conversations import Claimed, Conversation, Conversations
from ivr.store.database import Database, StoreUnavailable
from tests.promises.faults import Broken
from tests.promises.house import logs_captured
from tests.promises.ledger import Record
from tests.promises.texting import Street, phone, street
from tests.shipped import flow as shipped

LUZ = 0
T = TypeVar("T")


class Unsteady(Database):
    """Away from the moment that it was used so often, or slow."""

    steady: float = float("inf")
    slow: float = 0.0

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        await self._step()
        return await super().read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        await self._step()
        return await super().write(work)

    async def _step(self) -> None:
        await asyncio.sleep(self.slow)
        if self.steady <= 0:
            raise StoreUnavailable("away")
        self.steady -= 1


class Holed(dict[str, Step]):
    """A flow's steps, that cannot be found while it is broken."""

    broken: ClassVar[bool] = False

    def __getitem__(self, name: str) -> Step:
        if self.broken:
            raise Broken(f"no step {name}")
        return super().__getitem__(name)


Does = Callable[[Street], None]


def _each(of: Street, name: str, *, steady: float = float("inf"), slow: float = 0.0) -> None:
    for one in of.houses:
        database = getattr(one.parts, name)
        assert isinstance(database, Unsteady)
        database.steady, database.slow = steady, slow


def _breaks(of: Street, *, raises: bool) -> None:
    for one in of.deadly:
        one.raises = raises


def _hole(_of: Street) -> None:
    Holed.broken = True


def _mend(_of: Street) -> None:
    Holed.broken = False


def _no_place_for_keys(of: Street) -> None:
    of.of.keys.rename(of.of.keys.with_name("away"))
    of.of.keys.write_bytes(b"not a folder")
    of.clock.advance(timedelta(minutes=60))


def _a_place_for_keys(of: Street) -> None:
    of.of.keys.unlink()
    of.of.keys.with_name("away").rename(of.of.keys)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What begins before she texts, and ends half a minute later. `parts`: as street takes them. `answers`: how many
    replies she may get to it."""

    name: str
    begins: Does
    ends: Does
    parts: dict[str, Any] = field(default_factory=dict)
    answers: Sequence[int] = (1,)


def _of(name: str, **how: float) -> tuple[Does, Does]:
    return lambda of: _each(of, name, **how), lambda of: _each(of, name)


def _rest(fault: Fault) -> tuple[Does, Does]:
    return lambda of: of.exchange.rest.fails(fault), lambda of: of.exchange.rest.recovers()


def _both(one: tuple[Does, Does], other: tuple[Does, Does]) -> tuple[Does, Does]:
    def together(at: int) -> Does:
        def does(of: Street) -> None:
            one[at](of)
            other[at](of)

        return does

    return together(0), together(1)


def _world() -> tuple[Does, Does]:
    return lambda of: _breaks(of, raises=True), lambda of: _breaks(of, raises=False)


TROUBLES: tuple[Trouble, ...] = (
    Trouble("live rows are away", *_of("live", steady=0)),
    *(Trouble(f"live rows go away after {n} uses", *_of("live", steady=n)) for n in range(1, 5)),
    Trouble("live rows are slow", *_of("live", slow=30)),
    Trouble("the database is away", *_of("database", steady=0)),
    Trouble("the database is slow", *_of("database", slow=30)),
    *(Trouble(f"REST answers {status}", *_rest(refuses(status, only="Message"))) for status in (401, 429, 500, 503)),
    Trouble("REST hangs", *_rest(hangs()), answers=(0,)),
    Trouble("REST hangs and sends", *_rest(hangs(is_done=True))),
    Trouble("REST answers garbage", *_rest(garbage())),
    Trouble("REST cannot be reached", *_rest(unreachable())),
    Trouble("live rows and REST are away", *_both(_of("live", steady=0), _rest(unreachable()))),
    Trouble("the world breaks", *_world()),
    Trouble("a step cannot be found", _hole, _mend, {"flow": replace(shipped(), steps=Holed(shipped().steps))}),
    Trouble("there is no place for keys", _no_place_for_keys, _a_place_for_keys),
    Trouble("live rows are away, by XML", *_of("live", steady=0), {"replies": "xml"}),
    Trouble("the world breaks, by XML", *_world(), {"replies": "xml"}),
)


@dataclass
class Met:
    """What became of a trouble: how the phone company was answered, and what she was told to each of her texts."""

    statuses: list[int]
    slowest: float
    during: tuple[str, ...]
    after: tuple[str, ...]
    log: bytes


def met(
    trouble: Trouble, folder: Path, blank: Path, *, begins: str = "VOICE 1 2 1 #", words: str = "1 1", **parts: Any
) -> Met:
    """Luz is in the middle of a report, writes while something is broken, and once more when it works again."""
    settings: dict[str, Any] = {"database_of": Unsteady, "limits": TimeLimits()} | trouble.parts | parts

    async def main() -> tuple[list[int], float, tuple[str, ...], tuple[str, ...]]:
        async with street(folder, blank, **settings) as of:
            await of.writes(LUZ, begins)
            begun = len(of.exchange.inbox(phone(LUZ)))
            assert begun == 1
            trouble.begins(of)
            try:
                await of.writes(LUZ, words)
                await of.exchange.run(30)
            finally:
                trouble.ends(of)
            await of.exchange.quiet()
            during = of.exchange.inbox(phone(LUZ))[begun:]
            await of.writes(LUZ, "MENU")
            await of.exchange.quiet()
            answered = of.post.answered
            after = of.exchange.inbox(phone(LUZ))[begun + len(during) :]
            return [one.status for one in answered], max(one.seconds for one in answered), during, after

    with logs_captured() as log:
        return Met(*asyncio.run(main()), log())


def harm(found: Met, trouble: Trouble) -> list[str]:
    """What she or the phone company may complain of."""
    said = [f"the phone company hears {status}" for status in found.statuses if status not in (200, 503)]
    if found.slowest >= PATIENCE:
        said.append(f"an answer takes {found.slowest:.1f} s")
    if len(found.during) not in trouble.answers:
        said.append(f"she is told {len(found.during)} things at once: {found.during}")
    if len(found.after) != 1 or "come back to a report" not in found.after[0]:
        said.append(f"it does not go on when all is well: {found.after}")
    if b"Traceback" in found.log:
        said.append("the log quotes what went wrong")
    return said


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_whatever_breaks_she_is_answered_once_in_the_end(
    trouble: Trouble, tmp_path: Path, blank: Path, record: Record
) -> None:
    found = met(trouble, tmp_path / "line", blank)
    record(1, "faults that texts met")
    record(len(found.statuses), "deliveries of texts answered meanwhile")
    assert harm(found, trouble) == []


FULL = "1 1 1 1 1 1 1 1 1 1 # # # 2125550143# 1 # 1 # #"
"""Many answers, each of which is saved."""
SLOW = Trouble("the database is slow", *_of("database", slow=30))


@pytest.mark.parametrize("begins", ["VOICE 1 2 1 #", "VOICE 1 2 1 # 1 1"], ids=["first", "later"])
def test_a_text_full_of_answers_leaves_time_for_its_reply(begins: str, tmp_path: Path, blank: Path) -> None:
    """Where the first save fails the line goes to its spool with this one; where it knows the way, with each."""
    found = met(SLOW, tmp_path / "line", blank, workers=1, begins=begins, words=FULL)
    assert harm(found, SLOW) == []
    assert found.slowest < PATIENCE - TimeLimits().rest_text


# ---- mutants: each must be caught ----


def _says_that_all_is_well(answers: Answers) -> Answers:
    async def answered(text: Texted) -> TextReply:
        await answers(text)
        return TextReply()

    return answered


class Apologising(Conversations):
    """Tells her that something went wrong where only a note of what she was told could not be taken."""

    async def _delivered(self, text: Texted, claimed: Claimed, conversation: Conversation) -> TextReply:
        sent = await self._sent(text, conversation.reply)
        await self._keep(claimed, _noted(conversation))
        return sent


class Patient(Conversations):
    """Waits for its database as long as that takes."""

    async def _write(self, work: Any) -> Any:
        return await self.live.write(work)


class Silent(Conversations):
    """Has no words for an apology."""

    async def _sent(self, text: Texted, words: str) -> TextReply:
        return TextReply() if words == self._sorry() else await super()._sent(text, words)


def _noted(conversation: Conversation) -> Conversation:
    return Conversation(conversation.secret, conversation.began_at, conversation.call, conversation.seen)


@pytest.mark.parametrize(
    ("trouble", "exchanged", "seen"),
    [
        ("REST answers 503", {"answers_of": _says_that_all_is_well}, "told 0 things"),
        ("live rows go away after 2 uses", {"texts_of": Apologising}, "told 2 things"),
        ("live rows are away", {"texts_of": Silent}, "told 0 things"),
    ],
)
def test_mutant_a_line_that_answers_too_little_or_too_much_is_seen(
    trouble: str, exchanged: dict[str, Any], seen: str, tmp_path: Path, blank: Path
) -> None:
    [one] = [one for one in TROUBLES if one.name == trouble]
    assert any(seen in said for said in harm(met(one, tmp_path / "line", blank, exchanged=exchanged), one))


def test_mutant_a_line_that_waits_for_its_database_is_seen(tmp_path: Path, blank: Path) -> None:
    trouble = Trouble("slow", *_of("live", slow=PATIENCE / 3 + 0.1))
    found = met(trouble, tmp_path / "line", blank, exchanged={"texts_of": Patient})
    assert any("an answer takes" in said for said in harm(found, trouble))


def test_mutant_a_line_that_reads_every_text_to_its_end_is_seen(tmp_path: Path, blank: Path) -> None:
    patient = TimeLimits(text=1000)
    found = met(SLOW, tmp_path / "line", blank, workers=1, begins="VOICE 1 2 1 # 1 1", words=FULL, limits=patient)
    assert found.slowest > PATIENCE - TimeLimits().rest_text
