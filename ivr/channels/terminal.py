"""A phone in a terminal: a turn as lines to read, and a typed line as what happened. Pure; it owns no stream."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ivr.engine.effects import Connect, HandOver, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.flow.speech import timeline

HELP = """\
  1 2 3 4    the keys of a menu         0  a person     *  back
  2125550143#   digits, then pound      9  leave        #  go on
  /silence   say nothing                /hang up   end the call
  /talked    the phones rang and somebody talked with you
  /nobody    the phones rang and nobody took the call"""

PHONES_HELP = f"""\
{HELP}

Phones that the line rings for you are yours, too; they have the numbers that you see when they ring.
  /phone 1 answers      /phone 1 presses 1      /phone 1 hangs up      (or short: /1 answers)

/hang up is the end of your call; /bye of all calls.
At a question nobody hurries you. Whenever a phone rings, or you wait for one, time passes as it does outside;
an empty line, or /silence, lets what you hear come to its end at once."""

_AT_PHONE = r"/(?:phone\s*)?(\d+)\s+(answers|hangs\s*up|presses\s+([0-9*#]+))"
_PHONE = re.compile(_AT_PHONE, re.IGNORECASE)
_WORD = re.compile(rf"(?:{_AT_PHONE}|/hang\s+up)(?!\S)|\S+", re.IGNORECASE)


class NotAKey(ValueError):
    """This line is neither keys nor a command; the message says what is."""


@dataclass(frozen=True, slots=True)
class PutDown:
    """She hangs up."""


@dataclass(frozen=True, slots=True)
class AtPhone:
    """Somebody acts at the phone with this number in the order of ringing."""

    number: int
    act: Literal["answers", "presses", "hangs up"]
    keys: str = ""


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
        case HandOver():
            yield "  [here begins the line of those who answer callers: it is not a part of a rehearsal]"
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


def decode_phone(line: str) -> AtPhone | None:
    """What somebody does at another phone than the caller's; None where the line is about hers. Raises NotAKey."""
    found = _PHONE.fullmatch(line.strip())
    if found is None:
        if re.match(r"/\s*(phone|\d)", line, re.IGNORECASE):
            raise NotAKey("At a phone: /phone 1 answers, /phone 1 presses 1, /phone 1 hangs up.")
        return None
    number, act, keys = int(found[1]), found[2].lower(), found[3] or ""
    if act == "answers":
        return AtPhone(number, "answers")
    return AtPhone(number, "presses", keys) if keys else AtPhone(number, "hangs up")


def words(script: str) -> list[str]:
    """What a script types, one wait after the other: `1 0 /silence /phone 1 presses 1`."""
    return [found[0] for found in _WORD.finditer(script)]
