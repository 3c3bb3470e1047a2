"""`ivr serve`: the line, for real, in the foreground."""

import gc
import socket

import typer
import uvicorn
from nacl.utils import random
from starlette.types import ASGIApp

from ivr import logs
from ivr.app import HOTLINE_NAME, Parts, build
from ivr.carrier.rest import NoRest, PlivoRest, Rest
from ivr.cli import place, week
from ivr.cli.keys import DEMO_FILE, ensure_demo
from ivr.cli.plain import plain
from ivr.flow.graph import Flow
from ivr.kit.clock import SystemClock
from ivr.line.replies import OnePiece
from ivr.services import rota
from ivr.services.custody.founding import is_demo
from ivr.services.custody.status import status_of
from ivr.services.spool import Spool, spool_file
from ivr.settings import Settings
from ivr.store.database import Database, FileDamaged
from ivr.vault.keyring import KeysUnavailable
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

Then call {number}. Ctrl-C stops it."""

PLACE_A_CALL = """
Porchlight answers on {url}

In another terminal:
  {ivr} call                       a phone; /help in the call
  {ivr} call --through-the-door    the same, by signed webhooks, as the phone company calls
  {ivr} reports read{passphrase}

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
    is_demo = place.run(_prepare(of, flow, demo=demo))
    with _socket(host, of.port) as listening:
        if is_demo and not of.is_loopback:
            typer.echo(DEMO_WARNING, err=True)
        typer.echo(_how_to_call(of, host, is_demo=is_demo))
        _listen(of, flow, staff, listening)


def _socket(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        place.give_up(f"{host}:{port} cannot be listened on ({error.strerror}). Name another port with PORT.")


def _how_to_call(of: Settings, host: str, *, is_demo: bool) -> str:
    if not of.is_loopback:
        return ON_PLIVO.format(host=host, port=of.port, number=of.number, url=of.url)
    passphrase = f" --passphrase-file {of.data_dir / DEMO_FILE}" if is_demo else ""
    return PLACE_A_CALL.format(url=of.url, ivr=_command(of), passphrase=passphrase, data=of.data_dir)


def _command(of: Settings) -> str:
    """`ivr` as it must be typed elsewhere to mean this line."""
    plain = Settings()
    names = [f"PORT={of.port} "] if of.port != plain.port else []
    names += [f"IVR_DATA_DIR={of.data_dir} "] if of.data_dir != plain.data_dir else []
    return "".join(names) + ".venv/bin/ivr"


async def _prepare(of: Settings, flow: Flow, *, demo: bool) -> bool:
    """Everything that must be there before the first call. True when the keys are a demo's."""
    async with place.database(of) as database:
        if demo:
            await ensure_demo(of, database)
        try:
            token_keys(of.keys_dir).current(SystemClock().now())
        except KeysUnavailable as error:
            place.give_up(str(error))
        await _take_up_reports(of, database)
        for warning in () if demo else await _warnings(of, flow, database):
            typer.echo(f"! {plain(warning)}", err=True)
        return await is_demo(database)


async def _warnings(of: Settings, flow: Flow, database: Database) -> tuple[str, ...]:
    """What is wrong with keys and rota, and what will be: a caller must not be the first to find out."""
    host, now = place.host(of), SystemClock().now()
    keys = await status_of(database, host, place.pin(of), now=now)
    known = await rota.known(database, host)
    if not known.is_empty:
        return (*keys.warnings, *week.warnings(known, languages=flow.languages, zone=flow.zone, now=now))
    return keys.warnings if of.duty_numbers else (*keys.warnings, week.NOBODY_YET)


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


def _listen(of: Settings, flow: Flow, staff: Flow, listening: socket.socket) -> None:
    secret = place.secret(of)
    assert secret is not None, "it was made or found before"
    database = Database(of.database)
    parts = Parts(
        flow=flow,
        staff=staff,
        database=database,
        spool=spool_file(of.spool),
        live=database if of.live == of.database else Database(of.live),
        secret=secret,
        pin=place.pin(of),
        carrier_token=of.plivo_auth_token.get_secret_value() if not of.is_loopback else _loopback_token(of),
        public_url=of.url,
        number=of.number,
        keys=of.keys_dir,
        recordings=of.prompts_dir / "audio",
        duty_numbers=of.duty_numbers,
        rest=_rest(of),
    )
    app = build(parts, SystemClock())
    # Whatever is there now, flow and libraries, stays: to look through it again and again for garbage would keep some
    # caller waiting a tenth of a second each time.
    gc.collect()
    gc.freeze()
    uvicorn.Server(configured(app)).run(sockets=[listening])


def _rest(of: Settings) -> Rest:
    """Plivo, or whoever stands in for it: where nobody answers, the line dials."""
    if of.is_loopback:
        return NoRest()
    token = of.plivo_auth_token.get_secret_value()
    return PlivoRest(
        api_url=of.plivo_api_url, auth_id=of.plivo_auth_id, token=token, number=of.number, name=HOTLINE_NAME
    )


def configured(app: ASGIApp) -> uvicorn.Config:
    """How an application is served."""
    return uvicorn.Config(
        app,
        http=OnePiece,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


def _loopback_token(of: Settings) -> str:
    found = place.loopback_token(of)
    if found is not None:
        return found
    made = random(20).hex()
    place.write_privately(of.data_dir / "loopback-token", made.encode() + b"\n")
    return made
