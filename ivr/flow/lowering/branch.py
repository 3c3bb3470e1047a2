"""`branch`: one Branch, or an Ask where only the world knows (is anyone on call?)."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, Between, Branch, Condition, Speaks
from ivr.flow.lowering.building import Building
from ivr.flow.model import BranchLine, Fork
from ivr.flow.wants import WantDuty


def lower(name: str, line: BranchLine, place: Place, building: Building) -> None:
    yes, no = building.to(line.yes), building.to(line.no)
    condition = _condition(line.branch)
    if condition is None:
        building.add(Ask(name, WantDuty(), yes, no, place=place))
    else:
        building.add(Branch(name, condition, yes, no, place=place))


def _condition(fork: Fork) -> Condition | None:
    if fork.time is not None:
        return Between(*fork.time)
    return Speaks(fork.language) if fork.language is not None else None
