"""`ivr restore`: a lost line brought back from its backup, and what came, what is lost and what is to be done."""

from collections.abc import Iterator
from pathlib import Path

import typer

from ivr.cli import installation, place
from ivr.kit.plain import plain
from ivr.services import restore as restoring
from ivr.services.restore import Halves, Restored
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault.host import HostKey

LOST = """\
What is lost:
  - what was saved, withdrawn or changed after the backup: reports, notes, shifts, PINs. A report that was withdrawn
    before keys.db was written stays gone
  - calls and conversations that were in progress, and what waited in the spool of the lost machine"""


def restore(
    folder: Path = typer.Argument(help="The folder of `ivr backup`, with keys.db and data-YYYY-MM-DD.db."),
    data: str | None = typer.Option(None, metavar="NAME", help="Another data file than the newest."),
    dry_run: bool = typer.Option(False, help="Try everything out and say what would come; write nothing."),
) -> None:
    """Bring a lost line back from its backup, into an empty database: SQLite, or what IVR_DATABASE_URL names.

    Set IVR_ORGANISATION_KEY and IVR_SECRET as the lost line had them; without the secret `ivr keys roll` follows.
    """
    of = place.settings()
    found = place.run(_restore(of, folder, data, dry_run=dry_run))
    for line in _told(of, found, dry_run=dry_run):
        typer.echo(line)


async def _restore(of: Settings, folder: Path, name: str | None, *, dry_run: bool) -> Restored:
    halves = restoring.find(folder, name)
    pin, secret = installation.known_pin(of), place.secret(of)
    host = None if secret is None else HostKey.of(secret)
    is_there = bool(of.database_url) or (of.data_dir / "porchlight.db").exists()
    if not of.database_url and not dry_run:
        place.make_data_dir(of)
    database = Database(of.database) if is_there or not dry_run else None
    try:
        if dry_run:
            return await restoring.try_out(database, halves, pin=pin, host=host)
        assert database is not None
        return await restoring.restore(database, halves, pin=pin, host=host)
    finally:
        if database is not None:
            await database.close()


def _told(of: Settings, found: Restored, *, dry_run: bool) -> Iterator[str]:
    halves = found.halves
    of_day = f", of {halves.keys.day}" if halves.keys.day else ""
    verb = "Would restore" if dry_run else "Restored"
    yield f"{verb} from {halves.data.path.name} and {halves.keys.path.name}{of_day}:"
    yield from (plain(f"  {line}") for line in _came(found))
    yield from (plain(f"! {line}") for line in _between(halves, found))
    yield LOST
    yield "This was a dry run: nothing was written. What is to be done afterwards:" if dry_run else "Now do:"
    yield from (plain(f"  {number}. {step}") for number, step in enumerate(_steps(of, found), 1))


def _came(found: Restored) -> Iterator[str]:
    by_month = ", ".join(f"{month}: {count}" for month, count in found.reports.items())
    yield f"{place.counted(sum(found.reports.values()), 'report')}{f' ({by_month})' if by_month else ''}"
    yield f"{place.counted(found.requests, 'request')} to be called, {place.counted(found.notes, 'note')}"
    yield f"{place.counted(found.withdrawn, 'trace')} of reports that were withdrawn: nobody can open those"
    if found.is_pinned:
        names = ", ".join(f"{member.name} ({member.role})" for member in found.members)
        yield f"Keys of {names or 'nobody'}; {place.counted(found.answering, 'person')} who answer callers".replace(
            "persons", "people"
        )
    yield f"Months: {', '.join(found.months) or 'none'}"


def _between(halves: Halves, found: Restored) -> Iterator[str]:
    """What it means that the halves are of two days."""
    left = found.left
    if halves.are_keys_older:
        yield (
            f"The keys are older than the reports: {place.counted(left.without_key, 'report')} that came after them, "
            "or had gone before, open nothing and are left out."
        )
    elif left.without_key:
        yield (
            f"{place.counted(left.without_key, 'report')} in the data file opened nothing any more: withdrawn or "
            "expired before keys.db was written. They are left out, as was promised to whoever withdrew them."
        )
    if left.without_body and not halves.are_keys_older:
        yield (
            f"{place.counted(left.without_body, 'key')} open reports that are not in this data file, which is older: "
            "they are lost, if there is no newer one."
        )
    if halves.keys.day is None:
        yield "keys.db does not say of which day it is: make sure that it is the newest one there is."
    if found.is_pinned and not found.has_recovery:
        yield (
            "Shares were printed anew after the data file was written: a lead prints them once more, with "
            "`ivr keys shares`."
        )
    for member in found.members:
        if not member.epochs:
            yield f"{member.name} opens nothing: removed since? Then remove them again: `ivr advocates remove`."


def _steps(of: Settings, found: Restored) -> Iterator[str]:
    if not found.is_pinned:
        yield (
            "Set IVR_ORGANISATION_KEY to the organisation's key: 64 digits, which `ivr init` showed and which should "
            "lie with the printed shares. `ivr keys pin` shows it again, with any advocate's passphrase. Until then "
            "nothing says whose keys these are."
        )
    if place.secret(of) is None:
        yield (
            "Set IVR_SECRET as the lost line had it. If it is lost, a lead runs `ivr keys roll --new-secret` here: no "
            "report is lost, but numbers and PINs of those who answer must be given again (`ivr advocates set`, "
            "`ivr advocates pin`)."
        )
    elif found.line:
        yield (
            f"The line cannot work yet: {found.line}. After `ivr keys roll`, numbers and PINs of those who answer must "
            "be given again (`ivr advocates set`, `ivr advocates pin`)."
        )
    yield "Look at `ivr keys status`, `ivr reports list` and `ivr rota`, then start the line: `ivr serve`."
    yield "Try a receipt of your own, and let an advocate read. Then write a new backup: `ivr backup`."
