"""Where a command works: its settings, its content, its data. What every command shares, and how each gives up."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from ivr.cli.diagnostics import Format, shown
from ivr.flow.graph import Flow
from ivr.kit.plain import plain
from ivr.kit.told import Told
from ivr.services.archive import Archive
from ivr.services.by_receipt import LiveReceipts
from ivr.services.clock_floor import clock_of
from ivr.services.content import Content, NoContent, load
from ivr.services.custody.trust import LineKeysLost, require_line
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.spool import Spool, spool_file
from ivr.settings import MIN_SECRET, Settings, SettingsWrong, read
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import create as create_live
from ivr.store.live import live_file
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin, WrongPin, read_pin

FOUND_SOMETHING = 1
COULD_NOT = 2

NO_PIN = "Set IVR_ORGANISATION_KEY to what `ivr init` showed; `ivr keys pin` shows it again."

ONLY_THE_LINE = "IVR_SECRET is not set here: this needs the line's own. Set it, or do this where the line runs."

PIN_FILE = "organisation-key"
NO_KEYS = (
    "Neither IVR_ORGANISATION_KEY nor IVR_SECRET is set here. `ivr keys status` says what there is and what to do: "
    "`ivr init` makes the keys of a new line, `ivr restore` brings a lost one back."
)

T = TypeVar("T")


def give_up(message: str, *, code: int = COULD_NOT) -> NoReturn:
    """End the command: what is the matter, and the cure, on standard error."""
    typer.echo("\n".join(map(plain, message.splitlines())), err=True)
    raise typer.Exit(code)


def settings() -> Settings:
    """The settings, or the end of the command with everything that is wrong with them."""
    try:
        return read()
    except SettingsWrong as wrong:
        give_up("The settings are not right:\n" + "\n".join(f"  {problem}" for problem in wrong.problems))


def content(of: Settings) -> Content:
    """Flows and prompts, clean or not."""
    try:
        return load(of.flows_dir, of.prompts_dir, of.voices)
    except NoContent as error:
        give_up(str(error))


def clean_content(of: Settings) -> Content:
    """Flows and prompts in which nothing is wrong; else the diagnostics, and the end of the command."""
    found = content(of)
    if found.flow is None:
        typer.echo(shown(found.diagnostics, found.files, Format.full), err=True)
        give_up(
            f"\n{counted(len(found.diagnostics), 'problem')}. Nothing is served until the flow is clean.",
            code=FOUND_SOMETHING,
        )
    return found


def counted(number: int, what: str) -> str:
    """`1 shift`, `2 shifts`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def secret(of: Settings) -> bytes | None:
    """IVR_SECRET, or what was generated under the data folder; None where there is neither."""
    given = of.secret.get_secret_value()
    if given:
        return given.encode()
    file = of.data_dir / "secret"
    if not file.is_file():
        return None
    try:
        found = file.read_bytes().strip()
    except OSError as error:
        give_up(f"{file} cannot be read ({error.strerror}). Let the user of the line read it, or set IVR_SECRET.")
    if len(found) < MIN_SECRET:
        give_up(
            f"{file} is cut short: put back the one that the line was set up with, or delete it and let a lead roll."
        )
    return found


def host(of: Settings) -> HostKey:
    """What the line's own keys are sealed under, or the end of the command."""
    found = secret(of)
    if found is None:
        give_up(ONLY_THE_LINE if is_set_up(of) else NO_KEYS)
    return HostKey.of(found)


def is_set_up(of: Settings) -> bool:
    """Whether an organisation's key is known here: then it is not `ivr init` that is missing."""
    return bool(of.organisation_key) or (of.data_dir / PIN_FILE).is_file()


def pin(of: Settings) -> Pin:
    """The organisation's public key, from the settings or from the data folder; or the end of the command."""
    file = of.data_dir / PIN_FILE
    try:
        written = of.organisation_key or file.read_text("ascii")
        return read_pin(written)
    except FileNotFoundError:
        give_up(NO_KEYS if secret(of) is None else NO_PIN)
    except (OSError, UnicodeDecodeError, WrongPin):
        give_up(f"{file} is not an organisation's key. {NO_PIN}")


@asynccontextmanager
async def reports(of: Settings, database: Database) -> AsyncIterator[Reports]:
    """What keeps the reports of this line, with nothing left waiting in the spool."""
    spool, slow_hashes = Spool(spool_file(of.spool)), SlowHashes()
    kept = Reports(database, spool, host=host(of), pin=pin(of), slow_hashes=slow_hashes)
    try:
        await kept.ready((await clock_of(database)).now().date())
        yield kept
    finally:
        await kept.close()
        slow_hashes.close()
        await spool.close()


@asynccontextmanager
async def receipts(of: Settings, database: Database, flow: Flow, kept: Reports) -> AsyncIterator[LiveReceipts]:
    """What the receipts of this line open, also of what waits to be `kept`."""
    slow_hashes = SlowHashes()
    opened = LiveReceipts(database, host(of), pin(of), slow_hashes, flow.forms, bring_home=kept.bring_home)
    try:
        yield opened
    finally:
        await opened.close()
        slow_hashes.close()


@asynccontextmanager
async def archive(of: Settings) -> AsyncIterator[Archive]:
    """The reports, for reading: also where the line's own keys are lost."""
    async with database(of) as home:
        await bring_home(of, home)
        yield Archive(home, pin(of))


async def bring_home(of: Settings, database: Database) -> None:
    """Let nothing wait in the spool that can come home; where the line's own keys or the spool are lost, it cannot.
    That the line's own keys are lost is told on any machine: what they signed then shows as planted."""
    try:
        if secret(of) is None:
            return await require_line(database, pin(of))
        async with reports(of, database):
            pass
    except (LineKeysLost, StoreUnavailable) as error:
        typer.echo(plain(f"! {error}."), err=True)


def make_data_dir(of: Settings) -> None:
    """The data folder, for its owner alone."""
    try:
        of.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        give_up(f"{of.data_dir} cannot be the data folder ({error.strerror}). Name another with IVR_DATA_DIR.")


@asynccontextmanager
async def database(of: Settings) -> AsyncIterator[Database]:
    """The data of this line, its tables up to date."""
    if not of.database_url:
        make_data_dir(of)
    opened = Database(of.database)
    try:
        await opened.migrate()
        yield opened
    finally:
        await opened.close()


def live_database(of: Settings) -> Database:
    """The same, not yet opened: on PostgreSQL with the rest."""
    return Database(of.live) if of.live == of.database else live_file(of.live)


@asynccontextmanager
async def live(of: Settings) -> AsyncIterator[Database]:
    """Where it lies who waits for whom, its tables made."""
    opened = live_database(of)
    try:
        await opened.furnish(create_live)
        yield opened
    finally:
        await opened.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part; what it ends with is said in one sentence."""
    import asyncio

    try:
        return asyncio.run(work)
    except Told as error:
        message = str(error)
        give_up(plain(f"{message[0].upper()}{message[1:]}."))
    except KeyboardInterrupt:
        sys.exit(130)


def write_privately(file: Path, content: bytes) -> None:
    """A file that only its owner can read, whole or not at all, in a folder that is made for them alone. Gives up where
    it cannot be written."""
    _write(file, content, file.with_name(f".{file.name}.new"), lambda draft: draft.replace(file))


def write_first(file: Path, content: bytes) -> None:
    """The same, but a file that is there stays: of several processes, what the first has written counts for all."""

    def publish(draft: Path) -> None:
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()

    _write(file, content, file.with_name(f".{file.name}.{os.getpid()}.new"), publish)


def _write(file: Path, content: bytes, draft: Path, publish: Callable[[Path], object]) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        publish(draft)
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        give_up(f"{file} cannot be written ({error.strerror}). Name another place, or make room there.")


def require_new(file: Path) -> None:
    """Gives up unless this file is not there and can be written: to be asked before anything is decided."""
    if file.exists() or file.is_symlink():
        give_up(f"{file} is there already: name a new file.")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        give_up(f"{file.parent} is no folder that this user can write to: name a file elsewhere.")


def loopback_token(of: Settings) -> str | None:
    """What the loopback carrier signs with; None where no line was ever served."""
    file = of.data_dir / "loopback-token"
    return file.read_text("ascii").strip() if file.is_file() else None
