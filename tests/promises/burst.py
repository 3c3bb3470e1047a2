"""Many who call and text at once, as bytes at the door: a line with all its chores, on disks of a given size, on a
clock that moves only when it is told to."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from starlette.routing import Router

from ivr.app import Parts, Rings, WorldOf, build
from ivr.carrier.documents import Dial, GetDigits, GetInput, Redirect, Speak, Wait
from ivr.carrier.fields import encode_form
from ivr.kit.clock import VirtualClock
from tests.promises.canary import uuid
from tests.promises.house import BEGINNING, HOTLINE, PUBLIC_URL, House, house
from tests.promises.pacing import Metronome
from tests.promises.passing import Fickle, Leg
from tests.promises.requests import Request, request_of, send
from tests.small_disk import SmallDisk

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
REPORTS = ("1", "1", "1", "4", "#", "1", "1")
"""A report by phone, up to where it is first saved."""


@dataclass
class Line:
    """A line at work. `template`: a webhook of a call to it."""

    of: House
    pacing: Metronome
    template: Leg
    _ids: "count[int]" = field(default_factory=count)

    @property
    def phones(self) -> Fickle:
        assert isinstance(self.of.parts.rest, Fickle)
        return self.of.parts.rest

    async def passes(self, span: timedelta) -> None:
        """Time passes, and the chores are done that fall into it."""
        await self.pacing.until(self.of.clock.now() + span)

    async def calls(self, *keys: str) -> Leg:
        """Somebody calls and presses keys; what is heard in the end is `document`. Raises where it is no document."""
        caller = self.template.another(f"caller {next(self._ids)}")
        await caller.post(f"{PUBLIC_URL}/voice/answer")
        for key in keys:
            await caller.press(key)
        return caller

    async def texts(self, sender: str, words: str) -> tuple[int, str]:
        """How the phone company is answered, and what the sender is told."""
        before = len(self.phones.asked)
        fields = {
            "From": sender,
            "To": HOTLINE.lstrip("+"),
            "Text": words,
            "Type": "sms",
            "MessageUUID": uuid(f"burst {next(self._ids)}"),
        }
        request = request_of(f"{PUBLIC_URL}/text", self.template.headers, encode_form(fields.items())).signed()
        got = await send(self.of.app, request)
        return got.status, "\n".join(one for one in self.phones.asked[before:] if one.startswith(f"text +{sender}"))


def sender(number: int) -> str:
    return f"1212{5_550_000 + number}"


def words_of(caller: Leg) -> str:
    """What a caller hears, with what is said while keys are waited for."""
    said: list[str] = []
    for one in caller.document:
        inner = one.prompts if isinstance(one, GetInput | GetDigits) else (one,)
        said += [spoken.text for spoken in inner if isinstance(spoken, Speak)]
    return " ".join(said)


def is_led_on(caller: Leg) -> bool:
    """Is there something to press, or somebody who is rung, behind what is heard?"""
    return any(isinstance(one, GetInput | GetDigits | Dial | Redirect | Wait) for one in caller.document)


def _built(parts: Parts, clock: VirtualClock, world: WorldOf, *, pacing: Metronome, **exchanged: Any) -> Router:
    return build(parts, clock, world, pause=pacing.pause, **exchanged)


@asynccontextmanager
async def line(
    folder: Path, blank: Path | None, disk: SmallDisk, *, rings: Callable[[Path], Rings] | None = None, **parts: Any
) -> AsyncIterator[Line]:
    """A line whose short-lived keys and live rows lie in `run`, on this disk. `parts`: as house takes them."""
    clock, phones = VirtualClock(BEGINNING), Fickle(works=True)
    pacing = Metronome(clock)
    settings: dict[str, Any] = {
        "builder": partial(_built, pacing=pacing, rings=rings or disk.rings),
        "database_of": disk.database_of,
        "live": f"sqlite:///{folder / 'run' / 'live.db'}",
        "clock": clock,
        "rest": phones,
    }
    async with house(folder, blank=blank, **(settings | parts)) as of, pacing.at_work(of.router):
        first = await of.line(seed="template").call()
        await first.press("1")
        await first.hang_up()
        seldom = first.exchange[1]

        async def look(_request: Request) -> None:
            pass

        yield Line(of, pacing, Leg(of, look, dict(seldom.headers), dict(seldom.fields)))
