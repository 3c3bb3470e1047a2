"""Each verb's lowering."""

from collections.abc import Callable, Mapping
from typing import Any

from ivr.flow.diagnostics import Place
from ivr.flow.lowering import (
    branch,
    choose_language,
    connect,
    count,
    form,
    menu,
    offer,
    receipt,
    return_,
    say,
    shifts,
    sign_in,
    transfer,
)
from ivr.flow.lowering import exit as ending
from ivr.flow.lowering.building import Building
from ivr.flow.model import (
    BranchLine,
    ChooseLanguage,
    Connect,
    CountLine,
    Exit,
    FormLine,
    Menu,
    Offer,
    ReceiptLine,
    ReturnLine,
    SayLine,
    ShiftsLine,
    SignInLine,
    Transfer,
    Verb,
)

# Any: each lowering takes its own verb's line; the table pairs them.
_LOWERINGS: Mapping[type[Any], Callable[[str, Any, Place, Building], None]] = {
    ChooseLanguage: choose_language.lower,
    SayLine: say.lower,
    Menu: menu.lower,
    FormLine: form.lower,
    ReceiptLine: receipt.lower,
    Transfer: transfer.lower,
    Connect: connect.lower,
    BranchLine: branch.lower,
    Exit: ending.lower,
    Offer: offer.lower,
    CountLine: count.lower,
    SignInLine: sign_in.lower,
    ShiftsLine: shifts.lower,
    ReturnLine: return_.lower,
}


def lower(line: Verb, name: str, place: Place, building: Building) -> None:
    """The primitives of one step."""
    _LOWERINGS[type(line)](name, line, place, building)
