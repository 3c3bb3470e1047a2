"""A caller and the phones that are rung for her, all in the hands of whoever sits at the terminal.

Time. After an act it goes on at once until there is something to decide. Then it stands still while the line has asked
the caller something and no other phone is in play: nobody at a terminal should be hurried through a menu. Else it goes
on as fast as outside, because the line's own clock does, and phones that ring do not wait. A script (`hurries`) never
thinks: for it, time moves with each of its words, and no faster."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ivr.carrier.exchange import Exchange
from ivr.carrier.keypad import patience
from ivr.carrier.party import Party
from ivr.channels.terminal import PHONES_HELP, AtPhone, NotAKey, PutDown, WantsHelp, decode, decode_phone
from ivr.channels.voice import CONFIRM_KEY
from ivr.cli.phone import Hand
from ivr.cli.watch import Show, Watch
from ivr.engine.effects import Connect, WaitForDigits, WaitForKey
from ivr.engine.inputs import FellSilent, Input, Pressed, Returned

TICK = 0.1
"""Seconds."""
SILENCE = 5.0
"""Seconds of saying nothing where the line does not listen."""
LONGEST = 300.0
"""Seconds after which nothing to decide comes any more."""
TALK = 60.0
"""Seconds of a talk that is not listened to."""
HOLD_PATIENCE = 1
"""Seconds that a piece of holding waits for a key; a question waits longer (Plivo's GetInput five or more)."""
STANDING = ("conference", "talking", "dialling", "ringing", "queued", "over")
"""States in which somebody else decides what comes next."""


class Switchboard:
    """One call from the terminal."""

    def __init__(
        self,
        exchange: Exchange,
        caller: Party,
        show: Show,
        *,
        hurries: bool,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`pause` waits for so many real seconds."""
        self._exchange = exchange
        self._caller = caller
        self._show = show
        self._hurries = hurries
        self._pause = pause
        self._watch = Watch(exchange, caller, show)

    async def talk(self, hand: Hand) -> None:
        """From the first word until everybody has hung up. Raises CarrierRefused, and NotImitated."""
        await self._reach(self._caller)
        try:
            while not self._is_over and (line := await self._line(hand)) is not None:
                try:
                    if not await self._typed(line):
                        break
                except NotAKey as error:
                    self._show(f"  {error}")
        except asyncio.CancelledError:  # Ctrl-C: the line hears that she hung up, and lets the phones be
            await self._end()
            raise
        await self._end()

    # ---- time ----

    async def _line(self, hand: Hand) -> str | None:
        """What is typed next; None when nothing more is, or everything is over meanwhile."""
        typed = asyncio.ensure_future(hand.line())
        try:
            while not self._is_over:
                pause = asyncio.ensure_future(self._pause(TICK))
                await asyncio.wait({typed, pause}, return_when=asyncio.FIRST_COMPLETED)
                pause.cancel()
                if typed.done():
                    return typed.result()
                if self._goes_on:
                    await self._exchange.run(TICK)
                    self._watch.look()
            return None
        finally:
            typed.cancel()

    @property
    def _is_over(self) -> bool:
        return all(leg.is_over for leg in self._exchange.legs)

    @property
    def _has_company(self) -> bool:
        return any(not leg.is_over for leg in self._exchange.legs if leg is not self._caller)

    @property
    def _goes_on(self) -> bool:
        """Time, while nobody acts."""
        caller = self._caller
        is_asked = caller.hears_the_last and caller.awaits is not None and patience(caller.awaits) > HOLD_PATIENCE
        return self._has_company or not is_asked

    async def _reach(self, party: Party) -> None:
        """Goes on to where there is something to decide for whoever acted, or for whoever hears that time passes."""

        def enough() -> bool:
            there = party.state in STANDING or party.hears_the_last
            return there or (self._has_company and not self._hurries)

        await self._until(enough)
        self._watch.look()

    async def _until(self, enough: Callable[[], bool], *, at_most: float = LONGEST) -> None:
        with suppress(TimeoutError):
            await self._exchange.until(enough, at_most=at_most)

    # ---- acts ----

    async def _typed(self, line: str) -> bool:
        """False where everybody is to hang up. Raises NotAKey."""
        at_phone = decode_phone(line)
        if at_phone is not None:
            await self._at_phone(at_phone)
            return True
        if line.strip().lower() in ("/bye", "/quit", "/exit"):
            return False
        typed = decode(line, self._waits())
        if isinstance(typed, WantsHelp):
            self._show(PHONES_HELP)
            return True
        if self._caller.is_over:
            raise NotAKey("You have hung up. What is left are other phones (/phone 1 ...); /bye ends their calls too.")
        if isinstance(typed, PutDown):
            await self._hang_up()
            return True
        for received in typed:
            if not self._caller.is_over:
                await self._hears(received)
        return True

    def _waits(self) -> WaitForKey | WaitForDigits | Connect:
        caller = self._caller
        if caller.state == "dialling":
            return Connect((), 0, 0)
        most = caller.awaits.num_digits if caller.state == "listening" and caller.awaits else 1
        return WaitForKey() if most == 1 else WaitForDigits(most - 1)

    async def _hears(self, received: Input) -> None:
        caller = self._caller
        listened = caller.listened
        match received:
            case Pressed():
                is_number = isinstance(self._waits(), WaitForDigits)
                await caller.press(received.keys)
                if is_number:
                    await self._until(lambda: caller.state != "listening" or caller.listened > listened)
            case FellSilent() if caller.state == "listening":
                await self._until(lambda: caller.state != "listening" or caller.listened > listened)
            case Returned():
                await self._dial_ends(talked=received.talked)
            case _:
                await self._exchange.run(SILENCE)
        await self._reach(caller)

    async def _dial_ends(self, *, talked: bool) -> None:
        """One of the phones answers and talks for a while, or none does."""
        caller = self._caller
        rings = next((leg for leg in self._exchange.legs if leg.state == "ringing"), None)
        if talked and rings is not None:
            await rings.pick_up()
            await self._until(lambda: rings.state in ("listening", *STANDING))
            if rings.state == "listening":
                await rings.press(CONFIRM_KEY)
            await self._until(lambda: caller.state != "dialling", at_most=SILENCE)
            self._watch.look()
            await self._exchange.run(TALK)
            if not rings.is_over:
                await rings.hang_up()
        await self._until(lambda: caller.state not in ("dialling", "talking"))

    async def _at_phone(self, told: AtPhone) -> None:
        phone = self._watch.phone(told.number)
        if phone is None:
            raise NotAKey(f"No phone {told.number} has rung in this call.")
        match told.act:
            case "answers" if phone.state != "ringing":
                raise NotAKey(f"Phone {told.number} does not ring.")
            case "answers":
                await phone.pick_up()
            case "presses" if phone.answered_at is None or phone.is_over:
                raise NotAKey(f"At phone {told.number} nobody is on a call.")
            case "presses":
                await phone.press(told.keys)
            case "hangs up" if phone.is_over:
                raise NotAKey(f"Phone {told.number} is on no call.")
            case "hangs up":
                await phone.hang_up()
        await self._reach(phone)
        if not self._caller.is_over:
            await self._reach(self._caller)

    async def _hang_up(self) -> None:
        await self._caller.hang_up()
        self._show("  [you hang up]")
        await self._exchange.run(0)
        self._watch.look()

    async def _end(self) -> None:
        """Nobody is left on the line; all that the line is to hear of it, it hears."""
        if not self._caller.is_over:
            await self._hang_up()
        self._exchange.hang_up_all()
        await self._exchange.run(0)
        self._watch.look()
        await self._exchange.close()
