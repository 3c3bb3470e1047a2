"""`ivr call --save`: a call as it went, written down as a talk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml

from ivr.engine.asks import Answer, Ask, SaveReport
from ivr.engine.call import Call
from ivr.engine.effects import Turn
from ivr.engine.inputs import FellSilent, Input, Pressed, Returned
from ivr.services.turns import World


@dataclass(slots=True)
class Listening:
    """A world that remembers which reports were kept, and otherwise answers as the one behind it."""

    world: World
    reports: dict[tuple[str, int], SaveReport] = field(default_factory=dict)

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport):
            self.reports[ask.form, ask.visit] = ask
        return await self.world.answer(ask, call, leg)


@dataclass(slots=True)
class Script:
    """What happened in a call, in the words of a talk."""

    name: str
    at: datetime
    on_call: tuple[str, ...]
    world: Listening
    acts: list[object] = field(default_factory=list)

    def note(self, received: Input, turn: Turn) -> None:
        match received:
            case Pressed(keys=keys) if len(keys.rstrip("#")) > 1:
                self.acts.append({"digits": keys.removesuffix("#")})
            case Pressed(keys=keys):
                self.acts.append({"press": keys})
            case FellSilent():
                self.acts.append("silence")
            case Returned() if self.on_call:
                self.acts.extend(_advocate(self.on_call[0], talked=received.talked))
        heard = next((said.prompt for said in turn.said if not said.option), None)
        if heard is not None:
            self.acts.append({"hears": heard})

    def note_hang_up(self) -> None:
        self.acts.append("hang up")

    def save(self, file: Path) -> None:
        """Add the talk to a file of talks."""
        talk = {
            "talk": self.name,
            "at": self.at.strftime("%Y-%m-%d %H:%M"),
            "on_call": list(self.on_call),
            "call": self.acts,
            "then": self._then(),
        }
        written = yaml.safe_dump([talk], sort_keys=False, allow_unicode=True, width=120)
        before = file.read_text("utf-8").rstrip() + "\n\n" if file.exists() else ""
        file.write_text(before + written, "utf-8")

    def _then(self) -> dict[str, object]:
        every = self.world.reports.values()
        requests = [{"form": one.form, **_answers(one)} for one in every if one.nights]
        reports = [{**_answers(one), "consent": one.consent} for one in every if not one.nights]
        return {"report": _listed(reports), **({"request": _listed(requests)} if requests else {})}


def _listed(kept: list[dict[str, object]]) -> object:
    return "none" if not kept else kept[0] if len(kept) == 1 else kept


def _answers(report: SaveReport) -> dict[str, object]:
    return {name: list(values) if len(values) > 1 else values[0] for name, values in report.answers}


def _advocate(who: str, *, talked: bool) -> Iterator[object]:
    if not talked:
        yield {"advocate": f"{who} sleeps"}
        return
    yield {"advocate": f"{who} takes the call"}
    yield {"advocate": f"{who} hangs up"}
