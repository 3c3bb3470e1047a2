"""The composition root: settings, carrier and clock in, an ASGI application out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from starlette.routing import Router

from ivr.carrier.signature import Verifier
from ivr.channels.voice import Addresses, Voice
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.line.edge import Edge
from ivr.line.webhooks import Door, build_router
from ivr.services.reports import Reports
from ivr.services.turns import World
from ivr.services.world import LiveWorld
from ivr.store.database import Database
from ivr.vault.keyring import KeysUnavailable
from ivr.vault.receipts import ROLLS as SEED_PERIOD
from ivr.vault.receipts import seed_keys
from ivr.vault.tokens import token_keys

HOTLINE_NAME = "Porchlight"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line is made of. `carrier_token` signs its webhooks; `keys` is the folder of its short-lived keys."""

    flow: Flow
    database: Database
    secret: bytes
    carrier_token: str
    public_url: str
    number: str
    keys: Path
    recordings: Path
    duty_numbers: tuple[str, ...] = ()


def build(parts: Parts, clock: Clock, world: World | None = None) -> Router:
    """The line's door as an ASGI application. `world` stands in for disk and phones in tests."""
    seeds, tokens = seed_keys(parts.keys), token_keys(parts.keys)
    edge = Edge(Verifier([parts.carrier_token], parts.public_url), tokens, seeds, seed_period=SEED_PERIOD)
    addresses = Addresses(parts.public_url, parts.number, HOTLINE_NAME)
    reports = Reports(parts.database, secret=parts.secret)
    answering = world or LiveWorld(reports, parts.duty_numbers, clock, parts.flow.zone)
    door = Door(parts.flow, Voice(parts.flow, addresses), edge, answering, clock, duty_numbers=parts.duty_numbers)
    router = build_router(door, edge, parts.recordings)

    def sweep() -> None:
        for ring in (seeds, tokens):
            ring.sweep(clock.now())

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_repeat(sweep))
        try:
            yield
        finally:
            sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping
            await reports.close()
            await parts.database.close()

    router.lifespan_context = lifespan
    return router


async def _repeat(sweep: Callable[[], None]) -> None:
    """Keys are destroyed in time also when nobody calls."""
    while True:
        try:
            sweep()
        except KeysUnavailable as error:
            log.error("keys cannot be swept", error=type(error).__name__)
        await asyncio.sleep(timedelta(minutes=1).total_seconds())
