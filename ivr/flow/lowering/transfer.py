"""`transfer`: one Ask for a person. The labels of `meanwhile` are checked with the rest of the flow."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, WantPerson
from ivr.flow.lowering.building import Building
from ivr.flow.model import Transfer
from ivr.flow.phrases import Number, phrase


def lower(name: str, line: Transfer, place: Place, building: Building) -> None:
    for _, target in line.meanwhile:
        building.use(f"{name}.{target}", target.place)
        building.to(target)
    seconds = sum(span.seconds for rung in line.ring for span in (rung.on_call, rung.backup) if span)
    told = phrase("line.transfer", seconds=Number(seconds))
    building.add(Ask(name, WantPerson(told), building.to(line.next), building.to(line.nobody), place=place))
