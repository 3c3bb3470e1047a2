"""What of an installation is here: a database with keys or without, the line's secret, the organisation's key. Each
state has one sentence, with the way out; none of them leads to a command that leads back."""

import typer

from ivr.cli import place
from ivr.services.custody.founding import Custody, custody_in
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault.organisation import Pin

NOTHING_YET = (
    "There are no keys yet: `ivr init` makes them, and `ivr restore FOLDER` brings a lost line back from its backup. "
    "(To try the line out: `ivr serve --demo`.)"
)
DATABASE_LOST = (
    "This database is empty, and the organisation's key is set: a line was here. `ivr restore FOLDER` brings it back "
    "from its backup; if it is only that another database is meant, name it with IVR_DATA_DIR or IVR_DATABASE_URL. "
    "To begin a new organisation, remove IVR_ORGANISATION_KEY, and {file} if it is there, then run `ivr init`."
)
HALF = (
    "There are keys in this database, but only half of them: what {missing} is missing, as if one file of a backup had "
    "been put in place by hand. Move this database away and run `ivr restore FOLDER` with both files."
)
WITHOUT_LINE = (
    "There are keys in this database, but not the secret that the line's own are sealed under: set IVR_SECRET as it "
    "was. If it is lost, a lead makes new keys for the line with `ivr keys roll --new-secret`, here; no report is lost."
)
WITHOUT_PIN = (
    "There are keys in this database, but nothing says whose they must be: set IVR_ORGANISATION_KEY to what `ivr init` "
    "showed. `ivr keys pin` shows it again, with any advocate's passphrase."
)


def known_pin(of: Settings) -> Pin | None:
    """The organisation's key, if it is set, or lies in the data folder."""
    return place.pin(of) if place.is_set_up(of) else None


async def missing(of: Settings, database: Database) -> str | None:
    """What keeps this installation from working, as far as it can be seen without opening a key; None: nothing."""
    custody = await custody_in(database)
    if custody is Custody.NONE:
        return DATABASE_LOST.format(file=of.data_dir / place.PIN_FILE) if place.is_set_up(of) else NOTHING_YET
    if custody is not Custody.WHOLE:
        return HALF.format(missing="names the advocates" if custody is Custody.KEYS_ONLY else "opens the reports")
    lacking = [
        sentence
        for sentence, is_here in ((WITHOUT_PIN, place.is_set_up(of)), (WITHOUT_LINE, place.secret(of) is not None))
        if not is_here
    ]
    return "\n".join(lacking) or None


async def require(of: Settings, database: Database, *, serves: bool = False) -> None:
    """Ends the command where something is missing. `serves`: what keeps only advocates from working is said, and the
    line answers callers all the same."""
    found = await missing(of, database)
    if found is None:
        return
    if serves and await custody_in(database) is Custody.DATA_ONLY:
        typer.echo(f"! {found}", err=True)
        return
    place.give_up(found)
