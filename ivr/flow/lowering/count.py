"""`count`: a Choose of words, each counted, then on. Whoever presses nothing has said nothing."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, Choose
from ivr.flow.keys import Pass
from ivr.flow.lowering.building import Building, options
from ivr.flow.model import CountLine
from ivr.flow.phrases import phrase
from ivr.flow.wants import WantOutcome


def lower(name: str, line: CountLine, place: Place, building: Building) -> None:
    to = building.to(line.next)
    choices = [(key, building.use(f"{name}.{word}", word.place), f"{name}.{word}", None) for key, word in line.count]
    first = (phrase(building.use(name, place)),)
    told = options("line.option", "line.next_option", choices)
    building.add(Choose(name, first, told, Pass(to), otherwise=to, place=place))
    for _, word in line.count:
        building.add(Ask(f"{name}.{word}", WantOutcome(str(word)), to, to, place=place))
