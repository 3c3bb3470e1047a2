"""`ivr advocates`: who reads reports, and how those are reached who answer callers. A lead adds and removes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from ivr.cli import asking, place
from ivr.cli.asking import Advocate, NewPassphraseFile, PassphraseFile
from ivr.cli.plain import plain
from ivr.cli.secret_output import PrintSecrets, require_terminal
from ivr.kit.phone import NotANumber, e164
from ivr.oncall import writing
from ivr.oncall.people import Person, Tier
from ivr.oncall.writing import ShiftWrong
from ivr.services import pins, rota
from ivr.services.clock_floor import clock_of
from ivr.services.custody import members
from ivr.services.custody.members import Removal
from ivr.services.rota import Change
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault.advocates import Role

advocates = typer.Typer(no_args_is_help=True, help="Who reads reports, and who answers callers.")

Phone = typer.Option(None, help="Her number, as +12125550143: she is rung for callers, on her shifts (`ivr rota add`).")
Languages = typer.Option(None, metavar="L,L", help="What she speaks, as en,es. Else every language of the flow.")
TierOption = typer.Option(None, help="Rung first, or when nobody of those takes the call.")
Zone = typer.Option(None, help="Where her clock is, as America/New_York. Else the flow's.")


@dataclass(frozen=True, slots=True)
class Reached:
    """What was given about how somebody is reached, all of it right; None where it was not given."""

    phone: str | None
    languages: tuple[str, ...] | None
    tier: Tier | None
    zone: str | None

    def change(self) -> Change:
        return Change(self.phone, self.languages, self.tier, self.zone)


@advocates.command("add")
def add(
    name: str = typer.Argument(help="How she is called here."),
    lead: bool = typer.Option(False, help="She also adds and removes advocates and makes epochs."),
    phone: str | None = Phone,
    languages: str | None = Languages,
    tier: Tier | None = TierOption,
    zone: str | None = Zone,
    answers_only: bool = typer.Option(False, help="She answers callers and gets no keys: she reads no report."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
    new_passphrase_file: Path | None = NewPassphraseFile,
) -> None:
    """Add an advocate: a lead signs in, the new one chooses her passphrase. She can read every report there is, and
    with --phone she is put on the rota."""
    of = place.settings()
    if not name.strip() or not name.isprintable():
        place.give_up("An advocate has a name: `ivr advocates add bo`.")
    if answers_only and (not phone or lead):
        place.give_up("Who only answers callers needs --phone, and is no lead.")
    reached = _reached(of, phone, languages, tier, zone)
    if reached.phone:
        place.host(of)  # or the end of the command, before anything was done
    epochs = place.run(
        _add(of, name, lead, reached, advocate, passphrase_file, new_passphrase_file, answers_only=answers_only)
    )
    reads = f" She can read the reports of {', '.join(epochs)}." if epochs else ""
    rung = f" She is rung on her shifts: `ivr rota add {name} --every-day 00:00-24:00`." if reached.phone else ""
    typer.echo(plain(f"Added {name}.{reads}{rung}"))


async def _add(
    of: Settings,
    name: str,
    lead: bool,
    reached: Reached,
    advocate: str | None,
    file: Path | None,
    new_file: Path | None,
    *,
    answers_only: bool,
) -> list[str]:
    async with place.database(of) as database:
        session = await asking.session(database, place.pin(of), advocate, file)
        session.lead()
        if reached.phone and await rota.answers(database, name):
            place.give_up(f"{name} answers callers already: change her with `ivr advocates set {name}`.")
        epochs: Sequence[str] = ()
        if not answers_only:
            chosen = asking.new_passphrase(name, new_file, option="--new-passphrase-file")
            role = Role.LEAD if lead else Role.ADVOCATE
            epochs = await members.add(database, session, name=name, passphrase=chosen, role=role)
        if reached.phone:
            await _put_on_rota(of, database, name, reached)
        return list(epochs)


@advocates.command("set")
def set_reached(
    name: str = typer.Argument(help="Who."),
    phone: str | None = Phone,
    languages: str | None = Languages,
    tier: Tier | None = TierOption,
    zone: str | None = Zone,
) -> None:
    """Change how somebody is reached; or put an advocate on the rota, with --phone."""
    of = place.settings()
    reached = _reached(of, phone, languages, tier, zone)
    if reached == Reached(None, None, None, None):
        place.give_up("Say what is to be changed: --phone, --languages, --tier or --zone.")
    person = place.run(_set(of, name, reached))
    typer.echo(plain(f"{person.name}: {person.phone}  {person.tier}  {','.join(person.languages)}  {person.zone}"))


async def _set(of: Settings, name: str, reached: Reached) -> Person:
    async with place.database(of) as database:
        if reached.phone and not await rota.answers(database, name):
            if name not in await members.names(database, place.pin(of)):
                place.give_up(f"There is no advocate {name}: `ivr advocates add {name} --phone ...` adds her.")
            return await _put_on_rota(of, database, name, reached)
        changed = await rota.change_person(database, place.host(of), name, reached.change())
        return await _told_of_double(of, database, changed)


async def _put_on_rota(of: Settings, database: Database, name: str, reached: Reached) -> Person:
    assert reached.phone is not None
    flow = place.content(of).flow
    added = await rota.add_person(
        database,
        place.host(of),
        name=name,
        phone=reached.phone,
        languages=reached.languages or (flow.languages if flow else ("en",)),
        tier=reached.tier or Tier.ON_CALL,
        zone=reached.zone or (flow.zone if flow else "UTC"),
    )
    return await _told_of_double(of, database, added)


async def _told_of_double(of: Settings, database: Database, person: Person) -> Person:
    """A phone that two share is rung once for both: perhaps a number was mistyped."""
    people = (await rota.known(database, place.host(of))).rota.people
    others = [one.name for one in people if one.phone == person.phone and one.id != person.id]
    if others:
        typer.echo(f"! {plain(', '.join(others))} has the same number: it rings once for both.", err=True)
    return person


def _reached(of: Settings, phone: str | None, languages: str | None, tier: Tier | None, zone: str | None) -> Reached:
    flow = place.content(of).flow
    spoken = tuple(part.strip() for part in languages.split(",") if part.strip()) if languages else None
    unknown = [one for one in spoken or () if flow is not None and one not in flow.languages]
    if flow is not None and unknown:
        place.give_up(f"The flow does not speak {', '.join(unknown)}: it speaks {', '.join(flow.languages)}.")
    try:
        if phone and e164(phone) == of.number:
            place.give_up(f"{of.number} is the hotline's own number: the line would call itself. Give hers.")
        return Reached(e164(phone) if phone else None, spoken, tier, writing.zone(zone) if zone else None)
    except (NotANumber, ShiftWrong) as error:
        message = str(error)
        place.give_up(f"{message[0].upper()}{message[1:]}.")


@advocates.command("pin")
def pin(
    name: str = typer.Argument(help="Who: a name of `ivr rota list`."),
    remove: bool = typer.Option(False, "--remove", help="Take it away: by phone she changes nothing any more."),
    print_secrets: bool = PrintSecrets,
) -> None:
    """Make a new PIN for somebody who answers callers, and show it once. She calls the hotline, presses 8 during the
    greeting and keys it: then she hears whether she is on call, and switches herself on or off. The PIN before ends.

    Nobody can show it again. If IVR_SECRET is lost or changed, everybody needs a new one."""
    of = place.settings()
    if remove:
        place.run(_remove_pin(of, name))
        typer.echo(plain(f"{name} has no PIN any more."))
        return
    require_terminal("the PIN", print_secrets=print_secrets)
    made = place.run(_new_pin(of, name))
    typer.echo(plain(f"The PIN of {name} is {made[:4]} {made[4:]}. It is shown this once: tell her, and keep no copy."))


async def _new_pin(of: Settings, name: str) -> str:
    async with place.database(of) as database:
        return await pins.new_pin(database, place.host(of), name)


async def _remove_pin(of: Settings, name: str) -> None:
    async with place.database(of) as database:
        await pins.remove_pin(database, name)


@advocates.command("remove")
def remove(
    name: str = typer.Argument(help="Who goes."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Take an advocate's keys away, and ring her no more. Months that have not begun get new keys; what she has read,
    she has read."""
    of = place.settings()
    done = place.run(_remove(of, name, advocate, passphrase_file))
    if done is None:
        typer.echo(plain(f"Removed {name}. She had no keys; she is not rung any more."))
        return
    typer.echo(plain(f"Removed {name}. Made anew without her: {', '.join(done.new_epochs) or 'nothing'}."))
    if done.signed_anew:
        typer.echo(f"What she had signed, you have signed now: {done.signed_anew} reports and notes.")
    typer.echo("This month's reports stay readable for whoever kept a copy of her keys and of the database.")


async def _remove(of: Settings, name: str, advocate: str | None, file: Path | None) -> Removal | None:
    async with place.database(of) as database:
        session = await asking.session(database, place.pin(of), advocate, file)
        if name not in await members.names(database, place.pin(of)) and await rota.answers(database, name):
            session.lead()
            await rota.remove_person(database, name)
            return None
        return await members.remove(database, session, name=name, now=(await clock_of(database)).now())
