"""`sign_in`: a Collect of a PIN, and an Ask whose it is."""

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, Collect
from ivr.flow.keys import Pass
from ivr.flow.lowering.building import Building
from ivr.flow.model import SignInLine
from ivr.flow.phrases import phrase
from ivr.flow.wants import WantSignIn

PIN_DIGITS = 8
ASIDE = phrase("line.staff_keys")


def lower(name: str, line: SignInLine, place: Place, building: Building) -> None:
    whose = f"{name}.whose"
    # Nobody knows yet in which language she is at home.
    first = tuple(phrase(building.use(name, place), language=language) for language in building.languages)
    back = building.to(line.back)
    building.add(Collect(name, first, PIN_DIGITS, PIN_DIGITS, whose, Pass(), back=back, aside=ASIDE, place=place))
    building.add(Ask(whose, WantSignIn(), building.to(line.next), name, place=place))
