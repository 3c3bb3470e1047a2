"""What a terminal shows of an exchange: the caller's words, those that other phones hear, who rings, meets and goes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ivr.carrier.documents import Play, Speak
from ivr.carrier.exchange import Exchange
from ivr.carrier.party import Party

Show = Callable[[str], None]
TOGETHER = ("conference", "talking")


@dataclass(slots=True)
class Seen:
    """How much of one leg was shown."""

    hearings: int = 0
    has_rung: bool = False
    is_over: bool = False
    listened: int = 0
    is_together: bool = False


@dataclass(slots=True)
class Watch:
    """Shows what is new, in the order in which it happened. Phones are numbered as they ring for the first time."""

    exchange: Exchange
    caller: Party
    show: Show
    numbers: list[str] = field(default_factory=list)
    _seen: dict[str, Seen] = field(default_factory=dict)

    def look(self) -> None:
        """Show what happened since the last look."""
        rung = [(leg.rang_from, leg.number) for leg in self.exchange.legs if leg.rang_from and leg is not self.caller]
        self.numbers += dict.fromkeys(number for _, number in sorted(rung) if number not in self.numbers)
        legs = sorted(self.exchange.legs, key=self._number)
        news = [news for leg in legs for news in self._news(leg, self._seen.setdefault(leg.uuid, Seen()))]
        for _, line in sorted(news, key=lambda one: one[0]):
            self.show(line)

    def phone(self, number: int) -> Party | None:
        """The last leg of a phone that has rung."""
        return self.exchange.leg(self.numbers[number - 1]) if 0 < number <= len(self.numbers) else None

    def _news(self, leg: Party, seen: Seen) -> "Iterator[tuple[datetime, str]]":
        if leg.rang_from is not None and not seen.has_rung and leg is not self.caller:
            seen.has_rung, number = True, self._number(leg)
            shown = f"{leg.shown_name} {leg.shown_number}"
            hint = f"/phone {number} answers"
            yield leg.rang_from, f"  [phone {number}, {leg.number}, rings: it shows {shown}. {hint}]"
        before, seen.hearings = seen.hearings, len(leg.hearings)
        for heard in leg.hearings[before:]:
            yield heard.at, f"  {_text(heard.sound)}" if leg is self.caller else self._at(leg, _text(heard.sound))
        was, seen.is_together = seen.is_together, leg.state in TOGETHER and leg.state == self.caller.state
        if leg is not self.caller and seen.is_together and not was:
            yield leg.now(), f"  [you and phone {self._number(leg)} are together, and talk]"
        if leg.state == "listening" and leg.listened > seen.listened and leg.hears_the_last:
            seen.listened = leg.listened
            most = leg.awaits.num_digits if leg.awaits else 1
            if most > 1:
                asks = f"[digits, up to {most - 1}]"
                yield leg.now(), f"  {asks}" if leg is self.caller else self._at(leg, asks)
        if leg.over is not None and leg.ended_at is not None and not seen.is_over:
            seen.is_over = True
            cause = leg.over.cause.lower().replace("_", " ")
            if leg is self.caller:
                yield leg.ended_at, f"  [the call is over: {cause}]"
            elif seen.has_rung:
                ends = "rings no more" if leg.answered_at is None else "is on no call any more"
                yield leg.ended_at, f"  [phone {self._number(leg)} {ends}: {cause}]"

    def _at(self, leg: Party, text: str) -> str:
        return f"      phone {self._number(leg)} hears: {text}"

    def _number(self, leg: Party) -> int:
        """From 1; 0 where it has not rung, as the caller's."""
        return self.numbers.index(leg.number) + 1 if leg.number in self.numbers else 0


def _text(sound: Speak | Play) -> str:
    return sound.text if isinstance(sound, Speak) else f"(recording {sound.url})"
