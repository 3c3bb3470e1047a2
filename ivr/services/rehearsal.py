"""Talks, played: the same engine, a clock that moves only when something is said, a store in memory and a carrier that
follows the script. What differs from the script is a diagnostic, with the place in the talk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ivr.engine.asks import (
    Answer,
    Ask,
    Dialling,
    Duty,
    Nobody,
    OnDuty,
    Ring,
    Saved,
    SaveReport,
)
from ivr.engine.call import Call, begin, pack, unpack
from ivr.engine.effects import Connect, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import Began, FellSilent, Input, Pressed, Returned
from ivr.flow.diagnostics import Diagnostic, Place, listed
from ivr.flow.graph import Flow
from ivr.flow.rules import talk_failed
from ivr.flow.speech import timeline
from ivr.flow.talk import Act, Advocate, HangsUp, Hears, Press, Silence, Talk, TypeDigits
from ivr.services.turns import take_turn

RINGS_SECONDS = 20


@dataclass(slots=True)
class Memory:
    """A world without disk and phones: keeps the newest save of each report, rings whoever is on call."""

    on_call: tuple[str, ...] = ()
    reports: dict[tuple[str, int], SaveReport] = field(default_factory=dict)
    rung: int = 0

    async def answer(self, ask: Ask, call: Call) -> Answer:
        match ask:
            case SaveReport():
                self.reports[ask.form, ask.visit] = ask
                return Saved(f"{call.turn:012d}" if ask.ends else None)
            case Ring():
                self.rung += 1
                return Dialling(self.on_call, RINGS_SECONDS) if self.on_call else Nobody()
            case OnDuty():
                return Duty(bool(self.on_call))


async def rehearse(flow: Flow, talk: Talk) -> Diagnostic | None:
    """Play one talk; the first thing that went otherwise, or None."""
    return await _Rehearsal(flow, talk, Memory(talk.on_call)).play()


class _Differs(Exception):
    def __init__(self, place: Place, message: str, cure: str) -> None:
        super().__init__(message)
        self.diagnostic = talk_failed.found(place, message, cure)


@dataclass(slots=True)
class _Rehearsal:
    flow: Flow
    talk: Talk
    world: Memory
    now: datetime = field(init=False)
    turn: Turn = field(init=False)
    transfers: list[str] = field(default_factory=list)
    talking: str | None = None
    left: bool = False

    async def play(self) -> Diagnostic | None:
        self.now = self.talk.at.replace(tzinfo=ZoneInfo(self.flow.zone)).astimezone(UTC)
        call = begin(self.flow, seed=bytes(16), at=self.now)
        try:
            await self._take(call, Began())
            for act in self.talk.acts:
                await self._act(act)
            self._compare()
        except _Differs as differs:
            return differs.diagnostic
        return None

    async def _act(self, act: Act) -> None:
        if self.left:
            raise _Differs(
                act.place, "The call is over here already.", "Remove what follows, or press something else before."
            )
        match act:
            case Press():
                for key in act.keys:
                    await self._hear(Pressed(key), act.place)
            case TypeDigits():
                await self._hear(Pressed(act.keys if act.keys.endswith(("*", "#")) else f"{act.keys}#"), act.place)
            case Silence():
                for _ in range(act.times):
                    await self._hear(FellSilent(), act.place)
            case Hears():
                self._heard(act)
            case Advocate():
                await self._advocate(act)
            case HangsUp():
                self.left = True

    async def _hear(self, received: Input, place: Place) -> None:
        then = self.turn.then
        if isinstance(then, HangUp) or not isinstance(then, WaitForKey | WaitForDigits | Connect):
            raise _Differs(place, "No key can be pressed here: the line has hung up.", "End the talk before.")
        if isinstance(then, Connect) and isinstance(received, FellSilent):
            raise _Differs(place, "Phones are ringing here.", "Say what the advocate does: `advocate: WHO sleeps`.")
        self.now += timedelta(seconds=then.seconds if isinstance(received, FellSilent) else 1)
        await self._take(self.turn.call, received)

    async def _take(self, call: Call, received: Input) -> None:
        kept = unpack(pack(call, self.flow), self.flow)
        self.turn = await take_turn(self.flow, kept, received, now=self.now, world=self.world)
        said = list(timeline(self.turn.said, self.turn.call.language, self.flow.catalogues))
        self.now += timedelta(seconds=said[-1].ends_at if said else 0)
        if self.world.rung > len(self.transfers) and not isinstance(self.turn.then, Connect):
            self.transfers.append("nobody")

    def _heard(self, act: Hears) -> None:
        for said in self.turn.said:
            language = said.language or self.turn.call.language
            if said.prompt == act.prompt and act.language in (None, language):
                return
        heard = [*dict.fromkeys(said.prompt for said in self.turn.said)]
        language = f" in `{act.language}`" if act.language else ""
        message = f"`{act.prompt}` is not heard{language} here."
        raise _Differs(act.place, message, f"Heard in `{self.turn.call.language}`: {listed(heard)}.")

    async def _advocate(self, act: Advocate) -> None:
        if not isinstance(self.turn.then, Connect) or act.who not in self.talk.on_call:
            message = f"The phone of `{act.who}` does not ring here."
            raise _Differs(act.place, message, f"On call: {listed(self.talk.on_call) or 'nobody'}. Press 0 before.")
        if act.does == "takes the call":
            self.talking = act.who
            self.transfers.append(f"taken by {act.who}")
        elif act.does == "hangs up" and self.talking == act.who:
            self.talking = None
            await self._take(self.turn.call, Returned(talked=True))
        elif act.who == self.talk.on_call[-1] and self.talking is None:
            self.now += timedelta(seconds=RINGS_SECONDS)
            self.transfers.append("nobody")
            await self._take(self.turn.call, Returned(talked=False))

    # ---- after the call ----

    def _compare(self) -> None:
        expected = self.talk.expected
        if expected.reports is not None:
            kept = [*self._reports()]
            if kept != [{name: frozenset(codes) for name, codes in report.items()} for report in expected.reports]:
                shown = "; ".join(_shown(report) for report in kept) or "none"
                raise _Differs(expected.report_place, "What is kept is something else.", f"Kept: {shown}.")
        if expected.transfers is not None and expected.transfers != tuple(self.transfers):
            raise _Differs(
                expected.transfers_place,
                "The transfers went otherwise.",
                f"They were: {listed(self.transfers) or 'none'}.",
            )

    def _reports(self) -> Iterator[dict[str, frozenset[str]]]:
        for report in self.world.reports.values():
            yield {**{name: frozenset(codes) for name, codes in report.answers}, "consent": frozenset({report.consent})}


def _shown(report: dict[str, frozenset[str]]) -> str:
    return ", ".join(f"{name}: {' '.join(sorted(codes))}" for name, codes in report.items())
