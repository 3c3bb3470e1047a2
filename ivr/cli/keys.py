"""`ivr init` and `ivr keys`: the keys that reports are kept with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from nacl.utils import random

from ivr.cli import asking, installation, place
from ivr.cli.asking import Advocate, NewPassphraseFile, PassphraseFile
from ivr.cli.secret_output import PrintSecrets, require_terminal
from ivr.kit.clock import SystemClock
from ivr.kit.plain import plain
from ivr.services.clock_floor import BEHIND, believed, clock_of
from ivr.services.custody import founding, members, recovering, rolling
from ivr.services.custody.founding import AlreadyFounded, Custody, Founded
from ivr.services.custody.recovering import Recovered
from ivr.services.custody.rolling import Roll
from ivr.services.custody.sessions import pin_by_passphrase
from ivr.services.custody.status import Status, missing_months, status_of
from ivr.services.custody.trust import require_line
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault import organisation, recovery
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from ivr.vault.recovery import Share

DEMO_FILE = "demo-passphrase"
DEMO_SHARES = "demo-shares"

keys = typer.Typer(no_args_is_help=True, help="The keys that reports are kept with: who can read, and what if.")

ShareFiles = typer.Option(None, "--share-file", help="A file that holds a share, for scripts; twice.")
SharesFile = typer.Option(None, help="Write the three shares into this new file instead of showing them.")

ROLL_WHERE = """\
IVR_SECRET is not set here. The line's new keys are sealed under it: set the one that the line is started with.
On the line's own machine, where it is lost, --new-secret makes one."""

NOTHING_DUE = "Nothing to do: three months are made ahead."
NOTHING_DUE_HERE = "Three months are made ahead. Whether the line can use them, `ivr keys status` says where it runs."

ABOUT_SHARES = """\
Three shares of the recovery key. Any two bring everything back if every lead is lost;
one alone tells nothing. Print them, give each to another person, and keep no copy here.
`ivr keys recover --drill` tries two of them out without changing anything."""


THE_SHARES = "the shares"
SHARES_ELSEWHERE = "or write them into a file with --shares-file"
NEW_SHARES = "where `ivr keys shares` prints new ones"


def init(
    advocate: str = typer.Option("lead", help="The name of the first advocate: she is a lead."),
    passphrase_file: Path | None = PassphraseFile,
    shares_file: Path | None = SharesFile,
    print_secrets: bool = PrintSecrets,
) -> None:
    """Make the keys: the organisation's, its first lead's, the line's own, this month's epoch and three ahead.

    Run again it changes nothing.
    """
    of = place.settings()
    if not advocate.strip() or not advocate.isprintable():
        place.give_up("An advocate has a name: --advocate ana.")
    if shares_file is not None:
        place.require_new(shares_file)
    is_shown = shares_file is None
    made = place.run(_init(of, advocate, passphrase_file, is_shown=is_shown, print_secrets=print_secrets))
    if made is None:
        typer.echo("Nothing to do: there are keys already. `ivr keys status` shows them.")
        return
    typer.echo(f"Added the lead {advocate}. Without her passphrase and the shares nobody can read a report.")
    typer.echo(plain(f"Made the epochs {', '.join(made.epochs)}."))
    typer.echo(
        f"\nThe organisation's key: set it wherever the line or an advocate works.\n\n"
        f"  IVR_ORGANISATION_KEY={organisation.written(made.pin)}\n"
    )
    _show_shares(made.shares, shares_file, print_secrets=print_secrets)


async def _init(
    of: Settings, advocate: str, passphrase_file: Path | None, *, is_shown: bool, print_secrets: bool
) -> Founded | None:
    async with place.database(of) as database:
        if await founding.custody_in(database) is not Custody.NONE or place.is_set_up(of):
            await installation.require(of, database)
            return None
        if is_shown:
            require_terminal(THE_SHARES, print_secrets=print_secrets, otherwise=SHARES_ELSEWHERE)
        passphrase = asking.new_passphrase(advocate, passphrase_file)
        return await _found(of, database, lead=advocate, passphrase=passphrase, demo=False)


async def _found(of: Settings, database: Database, *, lead: str, passphrase: str, demo: bool) -> Founded | None:
    try:
        made = await founding.found(
            database,
            secret=make_secret(of),
            lead=lead,
            passphrase=passphrase,
            now=believed(SystemClock()).now(),
            demo=demo,
        )
    except AlreadyFounded:
        return None
    place.write_privately(of.data_dir / place.PIN_FILE, organisation.written(made.pin).encode() + b"\n")
    return made


async def ensure_demo(of: Settings, database: Database) -> bool:
    """Keys for trying the line out, where there are none: passphrase and shares are kept beside the data, and the data
    is marked as a demo. True when they were made just now."""
    file = of.data_dir / DEMO_FILE
    is_lost = place.is_set_up(of) and (of.organisation_key or not file.is_file())  # not a demo's, that began anew
    if is_lost or await founding.custody_in(database) is not Custody.NONE:
        return False
    if not file.is_file():
        place.write_privately(file, random(16).hex().encode() + b"\n")  # first: it leads to all the rest
    made = await _found(of, database, lead="demo", passphrase=file.read_text("ascii").strip(), demo=True)
    if made is None:
        return False
    for share in made.shares:
        place.write_privately(of.data_dir / f"{DEMO_SHARES}-{share.number}", recovery.printed(share).encode() + b"\n")
    return True


@keys.command("status")
def status() -> None:
    """Show who can read, which epochs there are, what is wrong and what to do. No passphrase is needed."""
    of = place.settings()
    found = place.run(_status(of))
    typer.echo("Who can open reports:")
    for member in found.members:
        typer.echo(plain(f"  {member.name:20} {member.role:10} {member.epochs} epochs"))
    typer.echo(f"  {'the printed shares':20} {'any two' if found.has_recovery else 'none':10}")
    typer.echo(plain(f"Epochs: {', '.join(found.epochs) or 'none'}"))
    for warning in found.warnings:
        typer.echo(plain(f"! {warning}"))


async def _status(of: Settings) -> Status:
    async with place.database(of) as database:
        await installation.require(of, database)
        clock = await clock_of(database)
        found = await status_of(database, place.host(of), place.pin(of), now=clock.now())
        return replace(found, warnings=(*found.warnings, BEHIND)) if clock.is_behind else found


@keys.command("epochs")
def epochs(advocate: str | None = Advocate, passphrase_file: Path | None = PassphraseFile) -> None:
    """Make the months' keys that are due, three ahead. Whatever a lead signs in for makes them too."""
    of = place.settings()
    made, trouble = place.run(_epochs(of, advocate, passphrase_file))
    _tell(trouble)
    if trouble:
        raise typer.Exit(place.FOUND_SOMETHING)
    if not made:
        typer.echo(NOTHING_DUE if place.secret(of) is not None else NOTHING_DUE_HERE)


async def _epochs(of: Settings, advocate: str | None, file: Path | None) -> tuple[Sequence[str], Sequence[str]]:
    """The epochs that were made, and what keeps the line from those that there are."""
    async with place.database(of) as database:
        lead = await asking.session(database, place.pin(of), advocate, file)
        lead.lead()
        await require_line(database, place.pin(of))
        is_here = place.secret(of) is not None
        return lead.new_epochs, await _missing_months(of, database) if is_here else ()


async def _missing_months(of: Settings, database: Database) -> Sequence[str]:
    now = (await clock_of(database)).now()
    return await missing_months(database, place.host(of), place.pin(of), now=now)


def _tell(warnings: Sequence[str]) -> None:
    for warning in warnings:
        typer.echo(plain(f"! {warning}"), err=True)


@keys.command("pin")
def pin(advocate: str | None = Advocate, passphrase_file: Path | None = PassphraseFile) -> None:
    """Show the organisation's public key again, for IVR_ORGANISATION_KEY: any advocate's passphrase holds it."""
    of = place.settings()
    typer.echo(organisation.written(place.run(_pin(of, advocate, passphrase_file))))


async def _pin(of: Settings, advocate: str | None, file: Path | None) -> Pin:
    async with place.database(of) as database:
        chosen = asking.passphrase_of(advocate, file)
        return await pin_by_passphrase(database, passphrase=chosen, name=advocate)


@keys.command("roll")
def roll(
    new_secret: bool = typer.Option(False, help="Make a secret too, here, where the line runs and none is set."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Make new keys for the line: after IVR_SECRET was lost or changed, or when somebody may have taken it.

    A lead does it. No report is lost and every receipt goes on. The epochs that are due are made too. If somebody may
    have taken the secret, change it first: new keys under the old one would be theirs as well.
    """
    of = place.settings()
    if place.secret(of) is None and not new_secret:
        place.give_up(ROLL_WHERE)
    done, trouble = place.run(_roll(of, advocate, passphrase_file))
    typer.echo(f"The line has new keys. Signed anew: {done.signed_anew} reports and notes.")
    typer.echo(plain(f"Receipts go on for the epochs {', '.join(done.epochs)}."))
    _tell(trouble)


async def _roll(of: Settings, advocate: str | None, passphrase_file: Path | None) -> tuple[Roll, Sequence[str]]:
    """What was done, and what the line cannot use all the same."""
    async with place.database(of) as database:
        await place.bring_home(of, database)
        lead = await asking.session(database, place.pin(of), advocate, passphrase_file)
        host = HostKey.of(make_secret(of))
        now = (await clock_of(database)).now()
        done = await rolling.roll_line_keys(database, lead, host, now=now)
        return done, await _missing_months(of, database)


@keys.command("passphrase")
def passphrase(
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
    new_passphrase_file: Path | None = NewPassphraseFile,
) -> None:
    """Change your passphrase. Backups made before still open with the old one, until they are 30 days old."""
    of = place.settings()
    place.run(_passphrase(of, advocate, passphrase_file, new_passphrase_file))
    typer.echo("Changed. Backups made before still open with the old one, until they are 30 days old.")


async def _passphrase(of: Settings, advocate: str | None, file: Path | None, new_file: Path | None) -> None:
    async with place.database(of) as database:
        own = await asking.session(database, place.pin(of), advocate, file)
        chosen = asking.new_passphrase(own.own.name, new_file, option="--new-passphrase-file")
        await members.change_passphrase(database, own, passphrase=chosen)


@keys.command("shares")
def shares(
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
    shares_file: Path | None = SharesFile,
    print_secrets: bool = PrintSecrets,
) -> None:
    """Print three new shares of the recovery key. The ones printed before open nothing from now on."""
    of = place.settings()
    if shares_file is not None:
        place.require_new(shares_file)
    else:
        require_terminal(THE_SHARES, print_secrets=print_secrets, otherwise=SHARES_ELSEWHERE)
    _show_shares(place.run(_shares(of, advocate, passphrase_file)), shares_file, print_secrets=print_secrets)


async def _shares(of: Settings, advocate: str | None, passphrase_file: Path | None) -> tuple[Share, ...]:
    async with place.database(of) as database:
        lead = await asking.session(database, place.pin(of), advocate, passphrase_file)
        return await recovering.print_shares(database, lead)


@keys.command("recover")
def recover(
    name: str = typer.Option("recovered", help="The name of the new lead."),
    drill: bool = typer.Option(False, help="Only try the shares out: nothing is changed."),
    share_file: list[Path] | None = ShareFiles,
    new_passphrase_file: Path | None = NewPassphraseFile,
) -> None:
    """Bring everything back when no lead is left: two of the printed shares make a new lead."""
    of = place.settings()
    one, other = asking.two_shares(share_file)
    found = place.run(_open(of, one, other))
    every = len(found.epoch_keys) + len(found.missing_epochs)
    typer.echo(f"These shares are good: they open {len(found.epoch_keys)} of {every} epochs.")
    if found.missing_epochs:
        typer.echo(plain(f"! They do not open {', '.join(found.missing_epochs)}."))
    if drill:
        typer.echo("This was a drill: nothing was changed. Put the shares back where they belong.")
        return
    place.run(
        _recover(of, found, name, asking.new_passphrase(name, new_passphrase_file, option="--new-passphrase-file"))
    )
    typer.echo(plain(f"{name} is a lead now."))
    typer.echo("`ivr advocates remove` takes away who is lost; `ivr keys shares` prints anew.")


async def _open(of: Settings, one: Share, other: Share) -> Recovered:
    async with place.database(of) as database:
        return await recovering.open_with_shares(database, one, other, pin=place.pin(of))


async def _recover(of: Settings, found: Recovered, name: str, passphrase: str) -> Sequence[str]:
    async with place.database(of) as database:
        return await recovering.recover(database, found, name=name, passphrase=passphrase)


def make_secret(of: Settings) -> bytes:
    """IVR_SECRET, or the one under the data folder, made if need be."""
    found = place.secret(of)
    if found is not None:
        return found
    made = random(32).hex().encode()
    place.write_privately(of.data_dir / "secret", made + b"\n")
    return made


def _show_shares(made: Sequence[Share], file: Path | None, *, print_secrets: bool) -> None:
    blocks = [f"# share {share.number}\n{recovery.printed(share)}" for share in made]
    if file is not None and _is_written(file, "\n\n".join(blocks) + "\n"):
        typer.echo(f"The three shares are in {file}: print it, cut it in three, delete it.")
        return
    require_terminal(f"{THE_SHARES}, which exist once,", print_secrets=print_secrets, otherwise=NEW_SHARES)
    typer.echo(ABOUT_SHARES)
    for block in blocks:
        typer.echo(f"\n{block}")


def _is_written(file: Path, text: str) -> bool:
    """Shares exist once: where the file fails after all, the terminal shows them."""
    try:
        place.write_privately(file, text.encode())
    except typer.Exit:
        return False
    return True
