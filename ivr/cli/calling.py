"""`ivr call`: place a call from the terminal."""

from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from nacl.utils import random

from ivr.app import HOTLINE_NAME
from ivr.carrier.breaker import Shut
from ivr.carrier.rest import NoRest
from ivr.channels.terminal import words
from ivr.channels.voice import Addresses
from ivr.cli import place
from ivr.cli.keyboard import LiveKeyboard
from ivr.cli.phone import Hand, Here, Keyboard, Scripted, Side, place_call
from ivr.cli.saving import Listening, Script
from ivr.engine.call import SEED_BYTES
from ivr.kit.clock import SystemClock
from ivr.services.duty import LiveDuty
from ivr.services.outcomes import count_outcome
from ivr.services.rehearsal import Memory
from ivr.services.rota import LiveRota, standing
from ivr.services.staff import StaffWorld
from ivr.services.telling import Envelopes
from ivr.services.transfers import Transfers
from ivr.services.world import LiveWorld
from ivr.settings import Settings
from ivr.vault.tokens import token_keys

KEYS = """Keys to press, one word a wait: "2 1 2 # 2125550143#", /silence, /hangup; through the door also
"/phone 1 answers", "/phone 1 presses 1". Nothing waits for the clock: time moves with these words."""
REHEARSAL = "This call is a rehearsal: nothing of it is kept."


def call(
    keys: str = typer.Option("", help=KEYS),
    save: Path | None = typer.Option(None, help="Write the call down as a talk, at the end of this file."),
    through_the_door: bool = typer.Option(False, help="Call by signed webhooks over HTTP, as the phone company does."),
    rehearse: bool = typer.Option(False, help="Keep nothing, ring nobody."),
) -> None:
    """Place a call from this terminal: a phone with keys, silence and a hang-up. Type /help in the call."""
    if through_the_door and (save or rehearse):
        place.give_up("--through-the-door calls the line that is served: it goes with neither --save nor --rehearse.")
    script = Scripted(words(keys), typer.echo) if keys else None
    of = place.settings()
    place.run(
        _through_the_door(of, script) if through_the_door else _here(of, script or Keyboard(), save, rehearse=rehearse)
    )


async def _through_the_door(of: Settings, script: Scripted | None) -> None:
    from ivr.cli.door import call_through  # a carrier and an HTTP client: 2.5 MB that `ivr serve` need not hold

    if script is not None:
        await call_through(of, script, typer.echo, is_script=True)
    else:
        keyboard = LiveKeyboard()
        await call_through(of, keyboard, keyboard.show, is_script=False)


async def _here(of: Settings, hand: Hand, save: Path | None, *, rehearse: bool) -> None:
    content = place.clean_content(of)
    flow, staff = content.flow, content.staff
    assert flow is not None
    assert staff is not None
    if rehearse or place.secret(of) is None:
        typer.echo(
            REHEARSAL if rehearse else f"{REHEARSAL} `make run` or `ivr init` makes the keys to keep reports with."
        )
        await _talk(Side(flow, Memory(of.duty_numbers)), None, hand, save, of.duty_numbers)
        return
    async with place.database(of) as database, place.reports(of, database) as reports, place.live(of) as live:
        clock, url, host = SystemClock(), Addresses(of.url, of.number, HOTLINE_NAME), place.host(of)
        rota = LiveRota(database, host, standing(of.duty_numbers, flow.languages, flow.zone))
        on_call = tuple(person.name for person in await rota.on_duty(clock.now()))
        # Nobody's phone is rung from a terminal: what is shown is whom the phone company would dial.
        transfers = Transfers(live, rota, NoRest(), clock, flow.languages, url, Shut())
        envelopes = Envelopes(token_keys(of.keys_dir), clock)
        world = LiveWorld(reports, rota, transfers, envelopes, clock, flow)
        count = partial(count_outcome, database)
        staff_world = StaffWorld(transfers, rota, LiveDuty(database, host), count, envelopes, clock, staff)
        await _talk(Side(flow, world), Side(staff, staff_world), hand, save, on_call)


async def _talk(side: Side, staff: Side | None, hand: Hand, save: Path | None, on_call: tuple[str, ...]) -> None:
    clock = SystemClock()
    flow, listening = side.flow, Listening(side.world)
    telephone = await Here(Side(flow, listening), clock, staff).begin(random(SEED_BYTES))
    if save is not None:
        people = ("bo",) if on_call else ()
        here = clock.now().astimezone(ZoneInfo(flow.zone))
        telephone.script = Script(f"A call on {here:%Y-%m-%d %H:%M}", here, people, listening)
    await place_call(telephone, hand, typer.echo)
    if save is not None and telephone.script is not None:
        telephone.script.save(save)
        typer.echo(
            f"Saved as a talk in {save}. Give it a sentence for a name, and put it into flows/hotline.talks.yaml."
        )
