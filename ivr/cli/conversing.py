"""`ivr text`: a conversation by text from the terminal. Takes its streams as arguments: a test can be who texts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import typer
from nacl.utils import random

from ivr.carrier.rest import NoRest, Sending
from ivr.channels.text import Stops, encode, read
from ivr.channels.texted import Texted
from ivr.cli import place
from ivr.cli.phone import Hand, Keyboard, Scripted
from ivr.cli.worlds import worlds
from ivr.engine.call import SEED_BYTES, Call, begin
from ivr.flow.graph import Flow
from ivr.flow.segments import segments
from ivr.kit.clock import Clock, SystemClock
from ivr.services.conversations import Conversations
from ivr.services.rehearsal import Memory
from ivr.services.texts import TextWorld, take_text
from ivr.settings import Settings
from ivr.vault.conversations import text_keys

HELP = """\
  A line is a text: VOICE begins in English, VOZ en español. Numbers answer; several answers fit in one text: 2 1 #
  MENU, BACK, SKIP, BYE, HELP and AYUDA work everywhere. In brackets stands what a message costs.
  /bye   ends this session, as if she had put her phone away"""
REHEARSAL = "This is a rehearsal: nothing of it is kept."
SAY = """Texts to send, with | between: "VOICE | 1 | 2 1 # | 1 | 1"."""
HER_NUMBER = "+15005550009"

Show = Callable[[str], None]


class Pocket(Protocol):
    """Where texts are sent from, and what comes back."""

    async def text(self, words: str) -> list[str]: ...


@dataclass(slots=True)
class Rehearsed:
    """The engine alone."""

    flow: Flow
    world: TextWorld
    clock: Clock
    call: Call | None = None

    async def text(self, words: str) -> list[str]:
        now = self.clock.now()
        message = read(words, self.flow)
        if isinstance(message, Stops):
            self.call = None
            return []
        fresh = begin(self.flow, seed=random(SEED_BYTES), at=now)
        reply = await take_text(self.flow, self.call, message, fresh=fresh, now=now, world=self.world)
        self.call = reply.call
        return [encode(reply.said, reply.language, self.flow)]


@dataclass(slots=True)
class Shown(NoRest):
    """Texts that would be sent are shown instead."""

    texts: list[str] = field(default_factory=list)

    async def text(self, to: str, words: str) -> Sending:
        del to
        self.texts.append(words)
        return Sending.SENT


@dataclass(slots=True)
class Here:
    """The conversations of this very line, and its data."""

    conversations: Conversations
    shown: Shown

    async def text(self, words: str) -> list[str]:
        self.shown.texts.clear()
        await self.conversations.answer(Texted(HER_NUMBER, words, random(8).hex()))
        return list(self.shown.texts)


def text(
    say: str = typer.Option("", help=SAY),
    through_the_door: bool = typer.Option(False, help="Text by signed webhooks over HTTP, as the phone company does."),
    rehearse: bool = typer.Option(False, help="Keep nothing."),
) -> None:
    """Text with the line from this terminal, as a phone does. Type /help in the conversation."""
    if through_the_door and rehearse:
        place.give_up("--through-the-door texts with the line that is served: it does not go with --rehearse.")
    hand = Scripted([one.strip() for one in say.split("|")], typer.echo) if say else Keyboard()
    of = place.settings()
    place.run(_through_the_door(of, hand) if through_the_door else _here(of, hand, rehearse=rehearse))


async def converse(pocket: Pocket, hand: Hand, show: Show) -> None:
    """One session, from the first text to the last."""
    while (line := await hand.line()) is not None:
        match line.strip().lower():
            case "/bye" | "/quit" | "/exit" | "/hangup":
                return
            case "/help" | "/?":
                show(HELP)
            case command if command.startswith("/"):
                show("  There is no such command: /help shows all.")
            case _:
                replies = await pocket.text(line)
                for reply in replies:
                    show(shown(reply))
                if not replies:
                    show("  (no text comes back)")


def shown(reply: str) -> str:
    """A message as it is read, and what it costs."""
    cost = segments(reply)
    counted = f"{place.counted(cost.messages, 'message')}, {cost.encoding}, {cost.characters} characters"
    return "\n".join(f"  {line}" for line in (*reply.splitlines(), f"[{counted}]"))


async def _here(of: Settings, hand: Hand, *, rehearse: bool) -> None:
    content = place.clean_content(of)
    flow, staff = content.flow, content.staff
    assert flow is not None
    assert staff is not None
    if rehearse or place.secret(of) is None:
        typer.echo(
            REHEARSAL if rehearse else f"{REHEARSAL} `make run` or `ivr init` makes the keys to keep reports with."
        )
        world = TextWorld(Memory(of.duty_numbers), of.number)
        await converse(Rehearsed(flow, world, SystemClock()), hand, typer.echo)
        return
    async with worlds(of, flow, staff) as met:
        shown, keys = Shown(), text_keys(of.keys_dir)
        conversations = Conversations(met.live, flow, met.callers, shown, met.clock, keys, of.number)
        await converse(Here(conversations, shown), hand, typer.echo)


async def _through_the_door(of: Settings, hand: Hand) -> None:
    from ivr.cli.door import text_through  # a carrier and an HTTP client, that nothing else here needs

    await text_through(of, lambda pocket: converse(pocket, hand, typer.echo), typer.echo)
