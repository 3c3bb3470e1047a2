"""`ivr rota ring`: try somebody's phone. Apart, because a carrier's client is 2.5 MB that `ivr serve` need not hold."""

from contextlib import aclosing

import typer

from ivr.app import HOTLINE_NAME
from ivr.carrier.rest import Order, Outcome, Placed, PlivoRest, Refused, Unclear
from ivr.channels.voice import Addresses
from ivr.cli import place
from ivr.kit.plain import plain
from ivr.line import trial
from ivr.services import rota as service
from ivr.services.clock_floor import clock_of
from ivr.services.rota import LiveRota
from ivr.services.world import RING_SECONDS
from ivr.settings import Settings
from ivr.vault.tokens import token_keys

TRIAL_SECONDS = 60
"""So long a trial ring may last; it says two sentences."""


def try_phone(of: Settings, name: str) -> None:
    """Ring once, and say what became of the request."""
    match place.run(_ring(of, name)):
        case Placed():
            typer.echo(plain(f"The phone of {name} is about to ring. If it cannot be reached, `ivr rota` will say so."))
        case Unclear():
            place.give_up(f"Plivo did not answer in time: the phone of {name} may ring all the same.")
        case Refused(is_about_number=True):
            place.give_up(f"Plivo cannot call {name}: look at her number with `ivr rota list`.")
        case Refused():
            place.give_up("Plivo refused: look at IVR_PLIVO_AUTH_ID, IVR_PLIVO_AUTH_TOKEN and the account's balance.")


async def _ring(of: Settings, name: str) -> Outcome:
    async with place.database(of) as database, aclosing(_plivo(of)) as rest:
        people = (await service.known(database, place.host(of))).rota.people
        person = next((one for one in people if one.name == name), None)
        if person is None:
            place.give_up(f"Nobody called {name} answers callers: `ivr rota list` shows who does.")
        now = (await clock_of(database)).now()
        addresses = Addresses(of.url, of.number, HOTLINE_NAME)
        tried = addresses.tried(trial.seal(token_keys(of.keys_dir), person.id, now))
        outcome = await rest.place(Order(person.phone, addresses.trial(), tried, RING_SECONDS, TRIAL_SECONDS))
        if outcome == Refused(is_about_number=True):
            await LiveRota(database, place.host(of)).reached(person.id, is_failing=True)
        return outcome


def _plivo(of: Settings) -> PlivoRest:
    return PlivoRest(
        api_url=of.api_url,
        auth_id=of.plivo_auth_id,
        token=of.plivo_auth_token.get_secret_value(),
        number=of.number,
        name=HOTLINE_NAME,
    )
