"""`connect`: one Ask for a number outside, with a sentence before it."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask
from ivr.flow.lowering.building import Building
from ivr.flow.model import Connect
from ivr.flow.phrases import phrase
from ivr.flow.wants import WantNumber


def lower(name: str, line: Connect, place: Place, building: Building) -> None:
    from ivr.kit.phone import e164  # as in ivr.flow.values

    want = WantNumber(phrase(building.use(name, place)), e164(line.connect), line.ring.seconds)
    building.add(Ask(name, want, building.to(line.next), building.to(line.nobody), place=place))
