"""`ivr serve`: the line, for real, in the foreground."""

import asyncio
import gc
import os
import socket
from dataclasses import dataclass
from functools import partial
from typing import cast

import typer
import uvicorn
from nacl.utils import random
from starlette.types import ASGIApp

from ivr import logs
from ivr.app import HOTLINE_NAME, Parts, build
from ivr.carrier.leg import ACCOUNT
from ivr.carrier.refusals import Refusals
from ivr.carrier.rest import PlivoRest
from ivr.cli import installation, listening, place, week
from ivr.cli.keys import DEMO_FILE, ensure_demo
from ivr.cli.plain import plain
from ivr.flow.graph import Flow
from ivr.kit.clock import NotBefore
from ivr.line.connections import Connection, Connections, Limits
from ivr.services import rota
from ivr.services.clock_floor import BEHIND, clock_of
from ivr.services.custody.founding import is_demo
from ivr.services.custody.status import status_of
from ivr.services.spool import Spool, spool_file
from ivr.settings import Settings
from ivr.store.database import Database, FileDamaged
from ivr.vault.keyring import KeysFull, KeysUnavailable
from ivr.vault.tokens import token_keys

DEMO_WARNING = """\
****************************************************************************
*  WARNING: these are DEMO keys, and the carrier is Plivo.                 *
*  The passphrase lies beside the data: whoever takes this machine can     *
*  read every report. Stop, choose another IVR_DATA_DIR and run `ivr init`.*
****************************************************************************"""

SPOOL_DAMAGED = """\
****************************************************************************
*  WARNING: the spool was damaged. The line begins a new one.              *
*  A report that had been told as saved may lie in the old one: keep it,   *
*  and let somebody who knows SQLite look at it (`.recover`). It lies in   *
****************************************************************************
{aside}"""

ON_PLIVO = """
Porchlight listens on {host}:{port}. At Plivo, give {number} these addresses (POST):

  answer URL  {url}/voice/answer#ct=1000&rt=3000&rc=3&rp=all
  hangup URL  {url}/voice/hangup
  message URL {url}/text             and there: Redact Incoming Messages

Then call {number}. Ctrl-C stops it."""

ANSWERS_WITHIN = 10
"""Seconds in which a line that is stopped answers what was asked: Plivo waits eight for the answer to a text."""

DEMO_NUMBERS = ("+12125550141", "+12125550142")
"""Fictitious: with demo keys and no account they answer callers, until anybody else does."""

DEMO_ON_DUTY = """
Nobody is on the rota: two phones that do not exist, {numbers}, answer callers.
"""

PLACE_A_CALL = """
Porchlight answers on {url}

In another terminal:
  {ivr} call                       a phone; /help in the call
  {ivr} call --through-the-door    the same, by signed webhooks, as the phone company calls;
                                   0 rings phones that you answer there, too: /phone 1 answers
  {ivr} text --through-the-door    a phone that texts; VOICE begins
  {ivr} reports read{passphrase}
{on_duty}
Ctrl-C stops it. The data lies in {data}."""


def serve(
    host: str = typer.Option("127.0.0.1", help="The address to listen on."),
    demo: bool = typer.Option(False, help="Where there are no keys, make some for trying the line out."),
) -> None:
    """Serve the line in the foreground: signed webhooks of the phone company in, documents out.

    Without IVR_PLIVO_AUTH_ID the carrier is the loopback carrier, everything else is the same.
    """
    logs.set_up()
    of = place.settings()
    content = place.clean_content(of)
    flow, staff = content.flow, content.staff
    assert flow is not None
    assert staff is not None
    passed_on = listening.passed_on(os.environ)
    if passed_on is not None:
        host, port, *_ = passed_on.getsockname()
        of = of.model_copy(update={"port": port})
    found = place.run(_prepare(of, flow, demo=demo))
    with passed_on or listening.new(host, of.port) as door:
        if found.is_demo and not of.is_loopback:
            typer.echo(DEMO_WARNING, err=True)
        typer.echo(_how_to_call(of, host, found))
        _listen(of.model_copy(update={"duty_numbers": found.duty_numbers}), flow, staff, door, found.clock)


def _how_to_call(of: Settings, host: str, found: "Found") -> str:
    if not of.is_loopback:
        return ON_PLIVO.format(host=host, port=of.port, number=of.number, url=of.url)
    passphrase = f" --passphrase-file {of.data_dir / DEMO_FILE}" if found.is_demo else ""
    numbers = " and ".join(found.duty_numbers)
    on_duty = DEMO_ON_DUTY.format(numbers=numbers) if found.duty_numbers != of.duty_numbers else ""
    return PLACE_A_CALL.format(url=of.url, ivr=_command(of), passphrase=passphrase, on_duty=on_duty, data=of.data_dir)


def _command(of: Settings) -> str:
    """`ivr` as it must be typed elsewhere to mean this line."""
    plain = Settings()
    names = [f"PORT={of.port} "] if of.port != plain.port else []
    names += [f"IVR_DATA_DIR={of.data_dir} "] if of.data_dir != plain.data_dir else []
    return "".join(names) + ".venv/bin/ivr"


@dataclass(frozen=True, slots=True)
class Found:
    """Whether the keys are a demo's, and who is rung as long as nobody is on the rota."""

    is_demo: bool
    duty_numbers: tuple[str, ...]
    clock: NotBefore


async def _prepare(of: Settings, flow: Flow, *, demo: bool) -> Found:
    """Everything that must be there before the first call."""
    async with place.database(of) as database:
        if demo:
            await ensure_demo(of, database)
        await installation.require(of, database, serves=True)
        clock = await clock_of(database, flow.zone)
        try:
            token_keys(of.keys_dir).current(clock.now())
        except KeysFull as error:
            typer.echo(f"! {error}", err=True)  # whoever calls meanwhile hears words; they go on once there is room
        except KeysUnavailable as error:
            place.give_up(str(error))
        await _take_up_reports(of, database)
        for warning in () if demo else await _warnings(of, flow, database, clock):
            typer.echo(f"! {plain(warning)}", err=True)
        return await _found(of, database, clock)


async def _found(of: Settings, database: Database, clock: NotBefore) -> Found:
    """Who tries the line out without an account hears what it is to be put through: somebody must be there to ring."""
    tried_out = await is_demo(database)
    nobody = not of.duty_numbers and (await rota.known(database, place.host(of))).is_empty
    imagined = DEMO_NUMBERS if tried_out and of.is_loopback and nobody else ()
    return Found(tried_out, of.duty_numbers or imagined, clock)


async def _warnings(of: Settings, flow: Flow, database: Database, clock: NotBefore) -> tuple[str, ...]:
    """What is wrong with keys and rota, and what will be: a caller must not be the first to find out."""
    host, now = place.host(of), clock.now()
    keys = await status_of(database, host, place.pin(of), now=now)
    known = await rota.known(database, host)
    behind = (BEHIND,) if clock.is_behind else ()
    if not known.is_empty:
        return (*behind, *keys.warnings, *week.warnings(known, languages=flow.languages, zone=flow.zone, now=now))
    return (*behind, *keys.warnings, *(() if of.duty_numbers else (week.NOBODY_YET,)))


async def _take_up_reports(of: Settings, database: Database) -> None:
    """The line's keys open, and what waited in the spool is home. A spool that is not whole keeps no line down: it is
    nearly always empty."""
    try:
        async with place.reports(of, database):
            return
    except FileDamaged:
        spool = Spool(spool_file(of.spool))
        aside = await spool.set_aside()
        await spool.close()
    if aside is not None:
        typer.echo(SPOOL_DAMAGED.format(aside=aside), err=True)
    async with place.reports(of, database):
        pass


def _listen(of: Settings, flow: Flow, staff: Flow, door: socket.socket, clock: NotBefore) -> None:
    secret = place.secret(of)
    assert secret is not None, "it was made or found before"
    token = _loopback_token(of) if of.is_loopback else of.plivo_auth_token.get_secret_value()
    database = Database(of.database)
    parts = Parts(
        flow=flow,
        staff=staff,
        database=database,
        spool=spool_file(of.spool),
        live=database if of.live == of.database else place.live_database(of),
        secret=secret,
        pin=place.pin(of),
        carrier_token=token,
        public_url=of.url,
        number=of.number,
        keys=of.keys_dir,
        recordings=of.prompts_dir / "audio",
        duty_numbers=of.duty_numbers,
        rest=_rest(of, token, clock),
        text_replies=of.text_replies,
        health_token=of.health_token.get_secret_value(),
    )
    app = build(parts, clock)
    # Whatever is there now, flow and libraries, stays: to look through it again and again for garbage would keep some
    # caller waiting a tenth of a second each time.
    gc.collect()
    gc.freeze()
    uvicorn.Server(configured(app, Limits().within_file_limit())).run(sockets=[door])


def _rest(of: Settings, token: str, clock: NotBefore) -> PlivoRest:
    """Plivo's, or that of `ivr call --through-the-door` while it calls: where nobody answers, the line dials."""
    account = ACCOUNT if of.is_loopback else of.plivo_auth_id
    refusals = None if of.is_loopback else Refusals(clock)
    return PlivoRest(
        api_url=of.api_url, auth_id=account, token=token, number=of.number, name=HOTLINE_NAME, refusals=refusals
    )


def configured(app: ASGIApp, limits: Limits | None = None) -> uvicorn.Config:
    """How an application is served."""
    protocol = partial(Connection, among=Connections(limits or Limits()))
    return uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], protocol),  # uvicorn only calls it
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=ANSWERS_WITHIN,
    )


def _loopback_token(of: Settings) -> str:
    found = place.loopback_token(of)
    if found is not None:
        return found
    place.write_first(of.data_dir / "loopback-token", random(20).hex().encode() + b"\n")
    return place.loopback_token(of) or ""
