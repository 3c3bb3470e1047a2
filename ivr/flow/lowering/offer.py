"""`offer`: a Choose whose every key but 1 and 3 passes, and what becomes of the call behind it.

The first words may be heard by a mailbox, a call screener or whoever is near, so nothing of the caller is in them."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, Choose
from ivr.flow.keys import Option, Pass
from ivr.flow.lowering.building import Building, options
from ivr.flow.model import Offer
from ivr.flow.phrases import phrase
from ivr.flow.wants import WantOffer

TIMES = 2
"""So often the first words are said: she has just been woken."""


def lower(name: str, line: Offer, place: Place, building: Building) -> None:
    take, passing, about = f"{name}.take", f"{name}.pass", f"{name}.about"
    first = (phrase(building.use(name, place)),)
    told = _options(name, place, building, {"1": take, "2": passing, "3": about})
    after = _options(name, place, building, {"1": take, "2": passing})
    passed = building.to(line.passed)
    building.add(Choose(name, first, told, Pass(passing), times=TIMES, otherwise=passing, place=place))
    building.add(Ask(about, WantOffer("about"), f"{name}.asked", passed, place=place))
    building.add(Choose(f"{name}.asked", (), after, Pass(passing), otherwise=passing, place=place))
    building.add(Ask(take, WantOffer("take"), building.to(line.taken), passed, place=place))
    building.add(Ask(passing, WantOffer("pass"), passed, passed, place=place))


_LABELS = {"1": "taken", "2": "passed", "3": "more"}


def _options(name: str, place: Place, building: Building, targets: dict[str, str]) -> tuple[Option, ...]:
    choices = [(key, building.use(f"{name}.{_LABELS[key]}", place), target, None) for key, target in targets.items()]
    return options("line.option", "line.next_option", choices)
