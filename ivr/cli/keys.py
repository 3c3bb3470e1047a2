"""`ivr init`: the keys that reports are kept with."""

import os
from pathlib import Path

import typer
from nacl.utils import random

from ivr.cli import place
from ivr.kit.clock import SystemClock
from ivr.services import custody
from ivr.services.custody import Inventory
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault.host import WrongSecret

MIN_PASSPHRASE = 12
DEMO_FILE = "demo-passphrase"

PassphraseFile = typer.Option(None, help="A file that holds the passphrase, for scripts.")


def init(
    advocate: str = typer.Option("lead", help="The first advocate's name."),
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Make the keys: the line's own, this month's epoch and three ahead, and the first advocate.

    Run again it changes nothing that is there, and makes the epochs that have become due.
    """
    of = place.settings()
    made = place.run(_init(of, advocate, passphrase_file))
    for name in made.new_advocates:
        typer.echo(f"Added the advocate {name}. Without her passphrase nobody can read a report: keep it safe.")
    if made.new_epochs:
        typer.echo(f"Made the epochs {', '.join(made.new_epochs)}.")
    if not made.new_advocates and not made.new_epochs:
        typer.echo(f"Nothing to do: {', '.join(made.advocates)} can read reports, epochs {', '.join(made.epochs)}.")


async def _init(of: Settings, advocate: str, passphrase_file: Path | None) -> Inventory:
    secret = make_secret(of)
    async with place.database(of) as database:
        known = (await custody.inventory(database)).advocates
        passphrase = "" if known else _new_passphrase(advocate, passphrase_file)
        return await _made(database, secret, advocate=advocate, passphrase=passphrase, demo=False)


async def _made(database: Database, secret: bytes, *, advocate: str, passphrase: str, demo: bool) -> Inventory:
    try:
        return await custody.init(
            database,
            secret=secret,
            advocate_name=advocate,
            passphrase=passphrase,
            now=SystemClock().now(),
            demo=demo,
        )
    except WrongSecret as error:
        place.give_up(str(error))


async def ensure_demo(of: Settings, database: Database) -> bool:
    """Keys for trying the line out, where there are none: with a generated passphrase, kept beside the data, and
    marked as a demo. True when they were made just now."""
    known = (await custody.inventory(database)).advocates
    passphrase = "" if known else random(16).hex()
    if not known:
        write_privately(of.data_dir / DEMO_FILE, passphrase.encode() + b"\n")
    made = await _made(database, make_secret(of), advocate="demo", passphrase=passphrase, demo=True)
    return bool(made.new_advocates)


def make_secret(of: Settings) -> bytes:
    """IVR_SECRET, or the one under the data folder, made if need be."""
    found = place.secret(of)
    if found is not None:
        return found
    made = random(32).hex().encode()
    write_privately(of.data_dir / "secret", made + b"\n")
    return made


def write_privately(file: Path, content: bytes) -> None:
    """A new file that only its owner can read, in a folder that only its owner can enter."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)


def _new_passphrase(advocate: str, file: Path | None) -> str:
    passphrase = (
        from_file(file)
        if file
        else typer.prompt(f"A passphrase for {advocate}", hide_input=True, confirmation_prompt=True)
    )
    if len(passphrase) < MIN_PASSPHRASE:
        place.give_up(f"A passphrase has at least {MIN_PASSPHRASE} characters: several words are easy to keep in mind.")
    return str(passphrase)


def from_file(file: Path) -> str:
    """The passphrase that a file holds, or the end of the command."""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        place.give_up(f"{file} cannot be read. Create it, or name another with --passphrase-file.")
