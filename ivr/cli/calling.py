"""`ivr call`: place a call from the terminal."""

from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from nacl.utils import random

from ivr.channels.terminal import words
from ivr.cli import place
from ivr.cli.keyboard import LiveKeyboard
from ivr.cli.phone import Hand, Here, Keyboard, Scripted, Side, place_call
from ivr.cli.saving import Listening, Script
from ivr.cli.worlds import worlds
from ivr.engine.call import SEED_BYTES
from ivr.kit.clock import Clock, SystemClock
from ivr.services.rehearsal import Memory
from ivr.settings import Settings

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
        await _talk(Side(flow, Memory(of.duty_numbers)), None, hand, save, of.duty_numbers, SystemClock())
        return
    async with worlds(of, flow, staff) as met:
        await _talk(Side(flow, met.callers), Side(staff, met.staff), hand, save, met.on_call, met.clock)


async def _talk(
    side: Side, staff: Side | None, hand: Hand, save: Path | None, on_call: tuple[str, ...], clock: Clock
) -> None:
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
