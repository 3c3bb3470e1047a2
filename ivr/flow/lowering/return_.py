"""`return`: one Return."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Return
from ivr.flow.lowering.building import Building
from ivr.flow.model import ReturnLine


def lower(name: str, _line: ReturnLine, place: Place, building: Building) -> None:
    building.add(Return(name, place=place))
