"""Passphrases and shares, asked for at the terminal or read from files; and an advocate's session from them."""

from pathlib import Path

import typer

from ivr.cli import place
from ivr.kit.plain import plain
from ivr.services.clock_floor import clock_of
from ivr.services.custody.sessions import Session, unlock
from ivr.store.database import Database
from ivr.vault import recovery
from ivr.vault.organisation import Pin
from ivr.vault.recovery import Share, ShareUnreadable

MIN_PASSPHRASE = 12

PassphraseFile = typer.Option(None, help="A file that holds the passphrase, for scripts.")
NewPassphraseFile = typer.Option(None, help="A file that holds the new passphrase, for scripts.")
Advocate = typer.Option(None, help="Who you are. Needed when there are several advocates.")


def passphrase_of(who: str | None, file: Path | None) -> str:
    """An advocate's passphrase."""
    return _from_file(file) if file else str(typer.prompt(f"{who or 'Your'} passphrase", hide_input=True))


def new_passphrase(who: str, file: Path | None, *, option: str = "--passphrase-file") -> str:
    """A passphrase that somebody chooses now, typed twice; or the end of the command if it is too short."""
    chosen = (
        _from_file(file, option=option)
        if file
        else str(typer.prompt(f"A passphrase for {who}", hide_input=True, confirmation_prompt=True))
    )
    if len(chosen) < MIN_PASSPHRASE:
        place.give_up(f"A passphrase has at least {MIN_PASSPHRASE} characters: several words are easy to keep in mind.")
    return chosen


async def session(database: Database, pin: Pin, advocate: str | None, file: Path | None) -> Session:
    """An advocate's session. A lead's says which epochs it made. Raises as `unlock` does."""
    opened = await unlock(
        database, pin=pin, passphrase=passphrase_of(advocate, file), now=(await clock_of(database)).now(), name=advocate
    )
    if opened.new_epochs:
        typer.echo(plain(f"Made the epochs {', '.join(opened.new_epochs)}."), err=True)
    return opened


def two_shares(files: list[Path] | None) -> tuple[Share, Share]:
    """Two of the printed shares, from files or typed line by line."""
    if files:
        if len(files) != 2:
            place.give_up("Two shares are needed: give --share-file twice.")
        texts = [_from_file(file, option="--share-file") for file in files]
        shares = [_read(text, f"The share in {file}") for text, file in zip(texts, files, strict=True)]
    else:
        shares = [_typed(which) for which in ("one", "another")]
    return shares[0], shares[1]


def _typed(which: str) -> Share:
    typer.echo(f"Type {which} of the printed shares, its four lines:")
    while True:
        text = "\n".join(str(typer.prompt(f"  line {line}")) for line in range(1, 5))
        try:
            return recovery.typed(text)
        except ShareUnreadable as error:
            typer.echo(f"{str(error).capitalize()}. Once more:", err=True)


def _read(text: str, what: str) -> Share:
    try:
        return recovery.typed("\n".join(line for line in text.splitlines() if not line.startswith("#")))
    except ShareUnreadable as error:
        place.give_up(f"{what} cannot be read: {error}.")


def _from_file(file: Path, *, option: str = "--passphrase-file") -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        place.give_up(f"{file} cannot be read. Create it, or name another with {option}.")
