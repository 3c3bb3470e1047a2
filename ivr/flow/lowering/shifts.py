"""`shifts`: a Choose of what she can hear of her shifts or change, each an Ask that leads back to it."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, Choose
from ivr.flow.keys import Pass
from ivr.flow.lowering.building import Building, options
from ivr.flow.lowering.sign_in import ASIDE
from ivr.flow.model import ShiftsLine
from ivr.flow.wants import WantShift


def lower(name: str, line: ShiftsLine, place: Place, building: Building) -> None:
    choices = [
        (str(key), building.use(f"{name}.{what}", place), f"{name}.{what}", None)
        for key, what in enumerate(line.shifts, start=1)
    ]
    told = options("line.option", "line.next_option", choices)
    building.add(Choose(name, building.said_first(name), told, Pass(), aside=ASIDE, place=place))
    for what in line.shifts:
        building.add(Ask(f"{name}.{what}", WantShift(what), name, name, place=place))
