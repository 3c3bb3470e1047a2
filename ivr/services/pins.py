"""PINs: by hers, somebody who answers callers is known on the staff line. It is shown once; kept is a keyed hash of it
under IVR_SECRET, which is worth nothing without the secret: under another one everybody needs a new PIN."""

import re
from collections.abc import Callable
from itertools import pairwise

from nacl.utils import random
from sqlalchemy import Connection

from ivr.oncall.people import PersonId
from ivr.services.rate_limit import Limit
from ivr.services.rota import NumberLost, rota_in, row_of
from ivr.store import rota as stored
from ivr.store.database import Database
from ivr.vault.host import HostKey

PINS = Limit("pins", a_day=480, burst=20, reserve=10)
"""How many may be wrong by phone, of all callers together: twenty at once, then one in three minutes; half of the
twenty are kept for the first in a call. At this pace one of twenty PINs is found in fifteen years."""

DIGITS = 8
"""Of 90 million PINs, twenty people's are hit with a chance of 10⁻⁶ in five tries."""

_PIN = re.compile(rf"[1-9][0-9]{{{DIGITS - 1}}}")
_NO_PIN = ""


def drawn() -> str:
    """A PIN of nobody yet. Never begins with 0, which is a person everywhere on the line's keypad."""
    lowest = 10 ** (DIGITS - 1)
    while is_guessable(pin := str(lowest + int.from_bytes(random(16)) % (9 * lowest))):
        pass
    return pin


def is_guessable(pin: str) -> bool:
    """Whether each digit is as far from the one before as the next from it: 11111111, 12345678, 86420864."""
    steps = {(int(here) - int(before)) % 10 for before, here in pairwise(pin)}
    return len(steps) == 1


async def new_pin(database: Database, host: HostKey, name: str, *, draw: Callable[[], str] = drawn) -> str:
    """Hers from now on: eight digits. The one before is nobody's. `draw`: where PINs come from, if not from chance.

    Raises UnknownPerson, NumberLost, StoreUnavailable."""

    def give(connection: Connection) -> str:
        person = row_of(connection, name)
        if name in rota_in(connection, host).lost:  # giving the number again takes away a PIN of the old secret
            raise NumberLost(f"the number of {name} is lost with the old IVR_SECRET: first `ivr advocates set {name}`")
        pin = draw()
        while stored.person_of_tag(connection, _tag(host, pin)) is not None:  # her own too: a new one is another
            pin = draw()
        stored.set_pin_tag(connection, person.id, _tag(host, pin))
        return pin

    return await database.alone(give)


async def remove_pin(database: Database, name: str) -> None:
    """She is known by none any more. Raises UnknownPerson, StoreUnavailable."""
    await database.alone(lambda connection: stored.set_pin_tag(connection, row_of(connection, name).id, None))


async def holders(database: Database) -> frozenset[PersonId]:
    """Who has a PIN; also those whose PIN was lost with an old IVR_SECRET. Raises StoreUnavailable."""
    return frozenset(map(PersonId, await database.read(stored.with_pin)))


async def by_pin(database: Database, host: HostKey, pin: str) -> PersonId | None:
    """Whose it is; None for whatever else was keyed. What is no PIN costs as much as one that is nobody's.

    Raises StoreUnavailable."""
    tag = _tag(host, pin if _PIN.fullmatch(pin) else _NO_PIN)
    found = await database.read(lambda connection: stored.person_of_tag(connection, tag))
    return None if found is None else PersonId(found)


def _tag(host: HostKey, pin: str) -> bytes:
    return host.tag(pin.encode("ascii"), purpose="pin")
