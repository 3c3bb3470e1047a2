"""`transfer`: one Ask for a person, with what a caller may do instead."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask
from ivr.flow.lowering.building import Building, options
from ivr.flow.model import Transfer
from ivr.flow.phrases import Number, phrase
from ivr.flow.wants import WantPerson


def lower(name: str, line: Transfer, place: Place, building: Building) -> None:
    choices = [
        (key, building.use(f"{name}.{target}", target.place), building.to(target), None)
        for key, target in line.meanwhile
    ]
    rungs = tuple(("on_call" if rung.on_call else "backup", rung.span.seconds) for rung in line.ring)
    told = phrase("line.transfer", seconds=Number(sum(seconds for _, seconds in rungs)))
    want = WantPerson(told, options("line.option", "line.next_option", choices), rungs)
    building.add(Ask(name, want, building.to(line.next), building.to(line.nobody), place=place))
