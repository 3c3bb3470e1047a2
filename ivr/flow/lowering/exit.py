"""`exit`: one End."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import End
from ivr.flow.lowering.building import Building
from ivr.flow.model import Exit
from ivr.flow.phrases import phrase


def lower(name: str, line: Exit, place: Place, building: Building) -> None:
    building.add(End(name, phrase(building.use(line.exit, line.exit.place)), place=place))
