"""`ivr reports`: reading what callers reported, with an advocate's passphrase."""

from collections.abc import Callable
from pathlib import Path

import typer

from ivr.cli import place
from ivr.cli.keys import PassphraseFile, from_file
from ivr.services import custody
from ivr.services.custody import NotSetUp, UnknownAdvocate
from ivr.services.reports import Listed, OpenReport, Reports, Seal
from ivr.settings import Settings
from ivr.store.database import Database
from ivr.vault.advocates import WrongPassphrase
from ivr.vault.host import WrongSecret

SEALS = {
    Seal.FORGOTTEN: "Its key is gone: it was taken back or has expired. Nobody can read it.",
    Seal.NOT_HERS: "Its month was never given to this advocate.",
    Seal.BROKEN: "It was altered: what is in it must not be trusted.",
}

reports = typer.Typer(no_args_is_help=True, help="Read reports, with an advocate's passphrase.")


@reports.command("list")
def list_reports() -> None:
    """List reports by what stands outside the seal: no passphrase is needed."""
    listed = place.run(_list(place.settings()))
    if not listed:
        typer.echo("There are no reports.")
        return
    typer.echo(f"{'id':32}  {'form':12}  {'week':8}  {'may be used to':14}  state")
    for report in listed:
        flag = "" if report.trusted else "  NOT OURS: planted or altered"
        typer.echo(
            f"{report.id.hex():32}  {report.form:12}  {report.week:8}  {report.consent:14}  {report.state}{flag}"
        )


async def _list(of: Settings) -> list[Listed]:
    async with place.database(of) as database:
        try:
            return await _every(_reports(of, database))
        except (NotSetUp, WrongSecret) as error:
            place.give_up(str(error))


@reports.command("read")
def read_reports(
    report: list[str] = typer.Argument(None, help="Ids from `ivr reports list`, or their beginnings. None: all."),
    advocate: str | None = typer.Option(None, help="Whose passphrase it is. Needed when there are several advocates."),
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Open reports with an advocate's passphrase."""
    of = place.settings()
    flow = place.content(of).flow
    opened = place.run(_read(of, report or [], advocate, passphrase_file))
    label = flow.catalogues[flow.languages[0]].label if flow else _no_label
    for one in opened:
        typer.echo(_shown(one, label))


async def _read(
    of: Settings, wanted: list[str], advocate: str | None, passphrase_file: Path | None
) -> list[OpenReport]:
    passphrase = from_file(passphrase_file) if passphrase_file else typer.prompt("Passphrase", hide_input=True)
    async with place.database(of) as database:
        kept = _reports(of, database)
        try:
            unlocked = await custody.unlock(database, passphrase=passphrase, name=advocate)
            ids = [listed.id for listed in await _every(kept)]
            chosen = [found for found in ids if not wanted or any(found.hex().startswith(part) for part in wanted)]
            if wanted and not chosen:
                place.give_up(
                    "There is no such report. `ivr reports list` shows their ids.", code=place.FOUND_SOMETHING
                )
            return [one for found in chosen if (one := await kept.read(found, unlocked=unlocked)) is not None]
        except (NotSetUp, WrongSecret, WrongPassphrase, UnknownAdvocate) as error:
            place.give_up(str(error))


def _reports(of: Settings, database: Database) -> Reports:
    secret = place.secret(of)
    if secret is None:
        place.give_up("There are no keys yet: `ivr init` makes them.")
    return Reports(database, secret=secret)


async def _every(kept: Reports) -> list[Listed]:
    found: list[Listed] = []
    while page := await kept.page(found[-1].id if found else b""):
        found.extend(page)
    return found


def _shown(report: OpenReport, label: Callable[[str], str]) -> str:
    listed = report.listed
    lines = [f"{listed.id.hex()}  {listed.form}  {report.day or listed.week}  may be used to {listed.consent}"]
    if not report.trusted:
        lines.append("  NOT OURS: planted or altered. Do not act on it.")
    if report.answers is None:
        lines.append(f"  {SEALS.get(report.seal, '')}")
    for question, values in report.answers or ():
        lines.append(f"  {question:14} {', '.join(_value(label, listed.form, question, value) for value in values)}")
    return "\n".join(lines)


def _no_label(prompt: str) -> str:
    raise KeyError(prompt)


def _value(label: Callable[[str], str], form: str, question: str, value: str) -> str:
    """A code with its label in today's prompts, where there still is one."""
    try:
        return f"{value} ({label(f'{form}.{question}.{value}')})"
    except KeyError:
        return value
