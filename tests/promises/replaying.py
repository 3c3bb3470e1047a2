"""Every webhook once more, as it was signed: some minutes later, also in the middle of other calls. All that a line
knows, and all that it asked of the phone company, must stay as they were."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from xml.etree.ElementTree import fromstring

from ivr.carrier.documents import Refused, read
from ivr.carrier.transport import AsgiTransport, Reply
from ivr.line.freshness import FRESH_FOR
from ivr.line.staff import EMPTY
from ivr.store.tables import metadata
from tests.promises.house import House, _everything
from tests.promises.requests import Request, request_of, send
from tests.transfers.town import transfers_of

GAPS = (timedelta(minutes=1), timedelta(minutes=11), timedelta(minutes=700))
"""Within the life of live rows, after it, and shortly before the key of a token is destroyed."""
SILENT = ("/voice/hangup", "/voice/entered", "/staff/entered", "/staff/over", "/staff/tried")
"""Addresses whose documents nobody hears."""
COME_BACK = ("/voice/dialled", "/voice/undialled", "/voice/talked", "/voice/again", "/staff/talked")
"""Where calls go on after a Dial or a conference. Of one whose end is known nothing is said there any more."""
SAYS = ("Speak", "Play", "Conference", "Dial")

Forgets = Callable[[House], Awaitable[object]]
"""Deletes live rows whose time is over."""


async def as_the_line_does(of: House) -> None:
    await transfers_of(of).sweep()


@dataclass(frozen=True, slots=True)
class Sent:
    request: Request
    at: datetime
    heard: bytes | None = None
    """What was answered, where that is known."""

    @property
    def address(self) -> str:
        return "/".join(self.request.path.decode().split("/")[:3])


@dataclass
class Tape:
    """A way to a line that remembers each webhook and sends it again. `asked`: how much was asked of the phone company;
    `settled`: awaits what is on its way there."""

    of: House
    asked: Callable[[], int]
    settled: Callable[[], Awaitable[object]]
    forgets: Forgets = as_the_line_does
    is_away: Callable[[], bool] = lambda: False
    """The database of live calls is away: what is done then is not written down. It may take effect once, later."""
    sent: list[Sent] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    replays: int = 0
    due: list[tuple[datetime, Sent]] = field(default_factory=list)
    _swept_at: datetime | None = None

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        """For an exchange: to the line, and back."""
        await self._again()
        reply = await AsgiTransport(self.of.app).post(url, headers=headers, body=body)
        self._noted(Sent(request_of(url.partition("#")[0], headers, body), self.of.clock.now(), reply.body))
        return reply

    async def visit(self, _of: House, request: Request) -> None:
        """For who delivers it without us."""
        await self._again()
        self._noted(Sent(request, self.of.clock.now()))

    async def rest(self) -> None:
        """Everything that is still to be sent again, in its order and at its time."""
        clock = self.of.clock
        while self.due:
            clock.at = max(clock.at, min(at for at, _ in self.due))
            await self._again()

    def _noted(self, sent: Sent) -> None:
        self.sent.append(sent)
        self.due += [(sent.at + gap, sent) for gap in GAPS if gap > FRESH_FOR or not self.is_away()]

    async def _again(self) -> None:
        now = self.of.clock.now()
        if self.is_away():
            return
        due = sorted((one for one in self.due if one[0] <= now), key=lambda one: one[0])
        if not due:
            return
        self.due = [one for one in self.due if one[0] > now]
        await self.settled()
        if self._swept_at is None or now - self._swept_at >= timedelta(minutes=1):
            await self.forgets(self.of)
            self._swept_at = now
        before = await self._state()
        for at, sent in due:
            before = await self._replayed(sent, at - sent.at, before)

    async def _replayed(self, sent: Sent, gap: timedelta, before: tuple[object, ...]) -> tuple[object, ...]:
        self.replays += 1
        got = await send(self.of.app, sent.request)
        await self.settled()
        after = await self._state()
        what = f"{sent.address} after {gap.total_seconds() / 60:.0f} minutes"
        if after != before:
            self.wrong.append(f"{what}: {_differing(before, after)}")
        if got.status != HTTPStatus.OK or not self._is_heard(sent, got.body):
            self.wrong.append(f"{what}: nothing is said: {got.status} {got.body!r}")
        return after

    def _is_heard(self, sent: Sent, document: bytes) -> bool:
        try:
            read(document, "application/xml")
        except Refused:
            return False
        if sent.address in SILENT or sent.heard is None or not _speaks(sent.heard):
            return True
        return _speaks(document) or (sent.address in COME_BACK and document == EMPTY)

    async def _state(self) -> tuple[object, ...]:
        spool = await self.of.parts.spool.read(lambda connection: _everything(connection, metadata))
        return await self.of.rows(), await self.of.live_rows(), spool, {"asked": [self.asked()]}


def _speaks(document: bytes) -> bool:
    return any(node.tag in SAYS for node in fromstring(document).iter())


def _differing(before: tuple[object, ...], after: tuple[object, ...]) -> str:
    found = []
    for old, new in zip(before, after, strict=True):
        assert isinstance(old, dict)
        assert isinstance(new, dict)
        found += [f"{name} was {old[name]} and is {new[name]}" for name in old if old[name] != new[name]]
    return "; ".join(found)


async def at_rest() -> None:
    """What was begun and nobody waits for is done."""
    for _ in range(20):
        await asyncio.sleep(0)
