"""`ivr backup`: everything that a lost line is brought back from, in two files."""

from pathlib import Path

import typer

from ivr.cli import place
from ivr.services.backup import Backup, Written
from ivr.services.clock_floor import clock_of
from ivr.settings import Settings
from ivr.store.folder import Folder


def backup(
    folder: str = typer.Argument(help="The folder to write into, best on another disk. Made if there is none."),
) -> None:
    """Write a backup, while the line serves: data-YYYY-MM-DD.db, kept for 30 days, and keys.db, only the newest.

    Days are those of UTC. Neither file holds IVR_SECRET or any setting: keep those apart.
    """
    if not folder.strip():
        place.give_up("Name the folder to write into: `ivr backup /mnt/backup`.")
    of, directory = place.settings(), Path(folder)
    if directory.resolve() == of.data_dir.resolve():
        place.give_up(f"{directory} is the data folder: name another one, best on another disk.")
    typer.echo(_summary(place.run(_backup(of, directory)), directory))


async def _backup(of: Settings, directory: Path) -> Written:
    async with place.archive(of) as archive:  # what waited in the spool is in it
        clock = await clock_of(archive.database)
        return await Backup(archive.database, archive.pin, clock).into(Folder(directory))


def _summary(written: Written, directory: Path) -> str:
    reports, removed = written.reports, len(written.removed)
    counted = "1 report" if reports == 1 else f"{reports:,} reports"
    older = f" Removed {removed} older {'one' if removed == 1 else 'ones'}." if removed else ""
    return (
        f"Wrote {written.data} ({counted}) and {written.keys} into {directory}.{older}\n"
        f"Keep {written.keys} in one place only: a copy of it that is kept defeats forgetting."
    )
