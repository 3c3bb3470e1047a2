"""`menu`: one Choose, its options composed from the keys and the labels STEP.TARGET. `#` says the options again."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Choose
from ivr.flow.keys import Pass
from ivr.flow.lowering.building import Building, options
from ivr.flow.model import Menu


def lower(name: str, line: Menu, place: Place, building: Building) -> None:
    choices = [
        (key, building.use(f"{name}.{target}", target.place), building.to(target), None) for key, target in line.menu
    ]
    told = options("line.option", "line.next_option", choices)
    building.add(Choose(name, building.said_first(name), told, Pass(), place=place))
