"""The world of this very line, for whoever calls or texts it from a terminal: its data, and nobody's phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from ivr.app import HOTLINE_NAME
from ivr.carrier.breaker import Shut
from ivr.carrier.rest import NoRest
from ivr.channels.voice import Addresses
from ivr.cli import place
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.services.clock_floor import clock_of
from ivr.services.duty import LiveDuty
from ivr.services.outcomes import count_outcome
from ivr.services.rate_limit import RateLimits
from ivr.services.receipt_limit import ReceiptTries
from ivr.services.rota import LiveRota, standing
from ivr.services.staff import StaffWorld
from ivr.services.telling import Envelopes
from ivr.services.transfers import Transfers
from ivr.services.world import LiveWorld
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault.tokens import token_keys


@dataclass(frozen=True, slots=True)
class Worlds:
    """What callers meet, and those who answer them. `on_call`: the names of those who answer now."""

    callers: LiveWorld
    staff: StaffWorld
    live: Database
    clock: Clock
    on_call: tuple[str, ...]


@asynccontextmanager
async def worlds(of: Settings, flow: Flow, staff: Flow) -> AsyncIterator[Worlds]:
    """Nobody's phone is rung from a terminal: what is shown is whom the phone company would dial."""
    async with (
        place.database(of) as database,
        place.reports(of, database) as reports,
        place.receipts(of, database, flow, reports) as receipts,
        place.live(of) as live,
    ):
        clock = await clock_of(database, flow.zone)
        url, host = Addresses(of.url, of.number, HOTLINE_NAME), place.host(of)
        rota = LiveRota(database, host, standing(of.duty_numbers, flow.languages, flow.zone))
        transfers = Transfers(live, rota, NoRest(), clock, flow.languages, url, Shut())
        envelopes = Envelopes(token_keys(of.keys_dir), clock)
        limits = RateLimits(live)
        tries = ReceiptTries(limits, database)
        count = partial(count_outcome, database)
        yield Worlds(
            LiveWorld(reports, receipts, tries, rota, transfers, envelopes, clock, flow),
            StaffWorld(transfers, rota, LiveDuty(database, host), count, envelopes, clock, staff, limits),
            live,
            clock,
            tuple(person.name for person in await rota.on_duty(clock.now())),
        )
        await limits.close()
