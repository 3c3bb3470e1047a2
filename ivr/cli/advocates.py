"""`ivr advocates`: who reads reports. A lead adds and removes them."""

from pathlib import Path

import typer

from ivr.cli import asking, place
from ivr.cli.asking import Advocate, NewPassphraseFile, PassphraseFile
from ivr.kit.clock import SystemClock
from ivr.services.custody import members
from ivr.services.custody.members import Removal
from ivr.settings import Settings
from ivr.vault.advocates import Role

advocates = typer.Typer(no_args_is_help=True, help="Who reads reports.")


@advocates.command("add")
def add(
    name: str = typer.Argument(help="How she is called here."),
    lead: bool = typer.Option(False, help="She also adds and removes advocates and makes epochs."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
    new_passphrase_file: Path | None = NewPassphraseFile,
) -> None:
    """Add an advocate: a lead signs in, the new one chooses her passphrase. She can read every report there is."""
    of = place.settings()
    if not name.strip() or not name.isprintable():
        place.give_up("An advocate has a name: `ivr advocates add bo`.")
    epochs = place.run(_add(of, name, lead, advocate, passphrase_file, new_passphrase_file))
    typer.echo(f"Added {name}. She can read the reports of {', '.join(epochs)}.")


async def _add(
    of: Settings, name: str, lead: bool, advocate: str | None, file: Path | None, new_file: Path | None
) -> list[str]:
    async with place.database(of) as database:
        session = await asking.session(database, place.pin(of), advocate, file)
        session.lead()
        chosen = asking.new_passphrase(name, new_file, option="--new-passphrase-file")
        role = Role.LEAD if lead else Role.ADVOCATE
        return list(await members.add(database, session, name=name, passphrase=chosen, role=role))


@advocates.command("remove")
def remove(
    name: str = typer.Argument(help="Who goes."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Take an advocate's keys away. Months that have not begun get new keys; what she has read, she has read."""
    of = place.settings()
    done = place.run(_remove(of, name, advocate, passphrase_file))
    typer.echo(f"Removed {name}. Made anew without her: {', '.join(done.new_epochs) or 'nothing'}.")
    if done.signed_anew:
        typer.echo(f"What she had signed, you have signed now: {done.signed_anew} reports and notes.")
    typer.echo("This month's reports stay readable for whoever kept a copy of her keys and of the database.")


async def _remove(of: Settings, name: str, advocate: str | None, file: Path | None) -> Removal:
    async with place.database(of) as database:
        session = await asking.session(database, place.pin(of), advocate, file)
        return await members.remove(database, session, name=name, now=SystemClock().now())
