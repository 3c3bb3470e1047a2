"""A phone in a terminal: a turn as lines to read, and a typed line as what happened. Pure; it owns no stream."""

from collections.abc import Iterator
from dataclasses import dataclass

from ivr.engine.effects import Connect, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.flow.speech import timeline

HELP = """\
  1 2 3 4    the keys of a menu         0  a person     *  back
  2125550143#   digits, then pound      9  leave        #  go on
  /silence   say nothing                /hang up   end the call
  /talked    the phones rang and somebody talked with you
  /nobody    the phones rang and nobody took the call"""


class NotAKey(ValueError):
    """This line is neither keys nor a command; the message says what is."""


@dataclass(frozen=True, slots=True)
class PutDown:
    """She hangs up."""


@dataclass(frozen=True, slots=True)
class WantsHelp:
    """The person at the terminal wants to know what can be typed."""


def encode(turn: Turn, flow: Flow) -> Iterator[str]:
    """What is heard, a sentence a line; then what the line waits for, in brackets."""
    for said in timeline(turn.said, turn.call.language, flow.catalogues):
        yield f"  {flow.catalogues[said.language].says(said.phrase)}"
    match turn.then:
        case WaitForDigits():
            yield f"  [digits, up to {turn.then.most}]"
        case Connect():
            yield f"  [ringing {', '.join(turn.then.numbers)} for {turn.then.seconds} s: /talked or /nobody]"
        case HangUp():
            yield "  [the line hangs up]"


def decode(line: str, waiting: WaitForKey | WaitForDigits | Connect) -> list[Input] | PutDown | WantsHelp:
    """What a typed line is. At a menu every key is a press of its own; where digits are typed the word is one string.
    Raises NotAKey."""
    word = line.strip().lower().replace(" ", "").replace("-", "")
    match word:
        case "/hangup" | "/bye" | "/quit" | "/exit":
            return PutDown()
        case "/help" | "/?" | "?":
            return WantsHelp()
        case "" | "/silence":
            return [FellSilent()]
        case "/talked" | "/nobody":
            if not isinstance(waiting, Connect):
                raise NotAKey("No phone is ringing here.")
            return [Returned(talked=word == "/talked")]
    if not set(word) <= set("0123456789*#"):
        raise NotAKey(f"{line.strip()!r} cannot be pressed. Keys are 0-9, * and #; /help shows all.")
    return [Pressed(word)] if isinstance(waiting, WaitForDigits) else [Pressed(key) for key in word]
