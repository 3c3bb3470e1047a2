"""Where a command works: its settings, its content, its data. What every command shares, and how each gives up."""

import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeVar

import typer

from ivr.cli.diagnostics import Format, shown
from ivr.services.content import Content, NoContent, load
from ivr.settings import Settings, SettingsWrong, read
from ivr.store.database import Database, StoreUnavailable

FOUND_SOMETHING = 1
COULD_NOT = 2

T = TypeVar("T")


def give_up(message: str, *, code: int = COULD_NOT) -> NoReturn:
    """End the command: what is the matter, and the cure, on standard error."""
    typer.echo(message, err=True)
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
        return load(of.flows_dir, of.prompts_dir)
    except NoContent as error:
        give_up(str(error))


def clean_content(of: Settings) -> Content:
    """Flows and prompts in which nothing is wrong; else the diagnostics, and the end of the command."""
    found = content(of)
    if found.flow is None:
        typer.echo(shown(found.diagnostics, found.files, Format.full), err=True)
        give_up(
            f"\n{count_of(len(found.diagnostics))}. Nothing is served until the flow is clean.", code=FOUND_SOMETHING
        )
    return found


def count_of(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"


def secret(of: Settings) -> bytes | None:
    """IVR_SECRET, or what was generated under the data folder; None where there is neither."""
    given = of.secret.get_secret_value()
    if given:
        return given.encode()
    file = of.data_dir / "secret"
    return file.read_bytes().strip() if file.is_file() else None


@asynccontextmanager
async def database(of: Settings) -> AsyncIterator[Database]:
    """The data of this line, its tables up to date."""
    if not of.database_url:
        try:
            of.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            give_up(f"{of.data_dir} cannot be the data folder ({error.strerror}). Name another with IVR_DATA_DIR.")
    opened = Database(of.database)
    try:
        await opened.migrate()
        yield opened
    finally:
        await opened.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part; what the database says is said in one sentence."""
    import asyncio

    try:
        return asyncio.run(work)
    except StoreUnavailable as error:
        give_up(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def loopback_token(of: Settings) -> str | None:
    """What the loopback carrier signs with; None where no line was ever served."""
    file = of.data_dir / "loopback-token"
    return file.read_text("ascii").strip() if file.is_file() else None
