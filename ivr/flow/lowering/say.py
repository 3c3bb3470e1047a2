"""`say`: one Say."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Say
from ivr.flow.lowering.building import Building
from ivr.flow.model import SayLine
from ivr.flow.phrases import phrase


def lower(name: str, line: SayLine, place: Place, building: Building) -> None:
    told = phrase(building.use(line.say, line.say.place))
    building.add(Say(name, told, building.to(line.next), place=place))
