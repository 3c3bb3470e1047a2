"""`ivr reports`: what advocates do with reports, each with her passphrase."""

from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from ivr.cli import asking, place
from ivr.cli.asking import Advocate, PassphraseFile
from ivr.cli.plain import indented, plain
from ivr.cli.secret_output import PrintSecrets, require_terminal
from ivr.flow.graph import Flow
from ivr.flow.prompts import groups
from ivr.services.archive import Archive, Listed, OpenNote, OpenReport, Seal
from ivr.services.clock_floor import clock_of
from ivr.services.exporting import Export, export_of
from ivr.services.receipts import Receipts, SlowHashes, forgotten
from ivr.services.retention import Night, Purged
from ivr.services.tagged import Withdrawal
from ivr.settings import Settings
from ivr.vault.receipts import DIGITS

SEALS = {
    Seal.FORGOTTEN: "Its key is gone: it was taken back. Nobody can read it.",
    Seal.MISSING: "Its key is gone, and not by its receipt: somebody deleted it in the database.",
    Seal.NOT_HERS: "Its month was never given to this advocate.",
    Seal.MONTH_LOST: "Its month, or her key to it, was altered: another advocate may open it, or a backup.",
    Seal.BROKEN: "It was altered: what is in it must not be trusted.",
}
SHORT_ID = 8
NOT_OURS = "NOT OURS: planted or altered"
CALL_BACK = "CALL BACK"
PEOPLE_CALL = "Call yourself: nothing here dials. Then: ivr reports done {id}"

reports = typer.Typer(no_args_is_help=True, help="Read reports, with an advocate's passphrase.")

Ids = typer.Argument(None, help="Ids from `ivr reports list`, or their beginnings. None: all.")
OneId = typer.Argument(help="Its id from `ivr reports list`, or the beginning of it.")


@reports.command("list")
def list_reports() -> None:
    """List reports by what stands outside the seal: no passphrase is needed."""
    listed = place.run(_list(place.settings()))
    if not listed:
        typer.echo("There are no reports.")
        return
    typer.echo(f"{'id':32}  {'form':12}  {'week':8}  {'may be used to':14}  state")
    for report in listed:
        flag = "" if report.trusted else f"{NOT_OURS}. It says: "
        form, week, consent, state = map(plain, (report.form, report.week, *_standing(report)))
        others = ", ".join(other.hex()[:SHORT_ID] for other in report.together)
        belongs = f"  one receipt with {others}" if others else ""
        typer.echo(f"{report.id.hex():32}  {flag}{form:12}  {week:8}  {consent:14}  {state}{belongs}")


def _standing(listed: Listed) -> tuple[str, str]:
    """What it may be used to, and its state; of a request to be called, how long it is still there."""
    if not listed.is_request:
        return listed.consent, listed.state
    left = listed.nights_left
    nights = "goes with its week" if left is None else "1 night left" if left == 1 else f"{left} nights left"
    return CALL_BACK, nights


async def _list(of: Settings) -> list[Listed]:
    async with place.archive(of) as archive:
        return await _every(archive)


@reports.command("read")
def read_reports(
    report: list[str] = Ids,
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
    print_secrets: bool = PrintSecrets,
) -> None:
    """Open reports with an advocate's passphrase."""
    of = place.settings()
    require_terminal("what is sealed", print_secrets=print_secrets)
    flow = place.content(of).flow
    label = _labels(flow)
    for one in place.run(_read(of, report or [], advocate, passphrase_file)):
        typer.echo(_shown(one, label))


async def _read(of: Settings, wanted: list[str], advocate: str | None, file: Path | None) -> list[OpenReport]:
    async with place.archive(of) as archive:
        session = await asking.session(archive.database, archive.pin, advocate, file)
        opened = [await archive.read(report_id, session) for report_id in await _chosen(archive, wanted)]
        return _with_additions([one for one in opened if one is not None])


def _with_additions(opened: Sequence[OpenReport]) -> list[OpenReport]:
    """Who asks to be called first; then each report followed by what was added to it, as far as both are there."""
    ids = {one.listed.id for one in opened}
    return sorted(opened, key=lambda one: (not one.listed.is_request, *_after(one, ids)))


def _after(one: OpenReport, ids: set[bytes]) -> tuple[bytes, bool, bytes]:
    """What a report is sorted by: additions come after the report that they add to."""
    leads = one.adds_to if one.adds_to in ids else None
    return leads or one.listed.id, leads is not None, one.listed.id


@reports.command("confirm")
def confirm(
    report: str = OneId,
    undo: bool = typer.Option(False, help="Say that it is not confirmed after all."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Say that a report is believed: only confirmed ones are ever used to warn others. --undo takes it back."""
    changed = place.run(_confirm(place.settings(), report, advocate, passphrase_file, confirmed=not undo))
    now = "not confirmed" if undo else "confirmed"
    typer.echo(f"It is {now} now." if changed else f"It was {now} already.")


async def _confirm(of: Settings, wanted: str, advocate: str | None, file: Path | None, *, confirmed: bool) -> bool:
    async with place.archive(of) as archive:
        report_id = await _one(archive, wanted)
        session = await asking.session(archive.database, archive.pin, advocate, file)
        return await archive.decide(report_id, session, confirmed=confirmed)


@reports.command("done")
def done(report: str = OneId, advocate: str | None = Advocate, passphrase_file: Path | None = PassphraseFile) -> None:
    """Forget a request to be called, once somebody has called: nobody can ever read the number again."""
    place.run(_done(place.settings(), report, advocate, passphrase_file))
    typer.echo("It is done, and deleted: nobody can read the number any more.")


async def _done(of: Settings, wanted: str, advocate: str | None, file: Path | None) -> None:
    async with place.archive(of) as archive:
        report_id = await _one(archive, wanted)
        session = await asking.session(archive.database, archive.pin, advocate, file)
        await archive.done(report_id, session)
        if not await forgotten(archive.database):
            typer.echo(TRACES_LEFT, err=True)


@reports.command("note")
def note(
    report: str = OneId,
    text: str = typer.Option(
        "", help="What to note. Without it, it is asked for, and stays out of the shell's history."
    ),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Write a note on a report. It is sealed like the report, and forgotten with it."""
    place.run(_note(place.settings(), report, text, advocate, passphrase_file))
    typer.echo("Noted. `ivr reports read` shows it.")


async def _note(of: Settings, wanted: str, text: str, advocate: str | None, file: Path | None) -> None:
    async with place.archive(of) as archive:
        report_id = await _one(archive, wanted)
        session = await asking.session(archive.database, archive.pin, advocate, file)
        written = text or str(typer.prompt("Note"))
        if not written.isascii() and any("\ud800" <= one <= "\udfff" for one in written):
            place.give_up("The note holds bytes that are no text: write it in UTF-8.")
        await archive.note(report_id, session, text=written, today=(await clock_of(archive.database)).now().date())


@reports.command("export")
def export(
    file: Path = typer.Argument(help="The new file, for a spreadsheet (CSV)."),
    advocate: str | None = Advocate,
    passphrase_file: Path | None = PassphraseFile,
    second: str | None = typer.Option(None, help="The second advocate: one alone exports nothing."),
    second_passphrase_file: Path | None = PassphraseFile,
) -> None:
    """Write the confirmed reports that may be passed on into a file. Two advocates' passphrases are needed.

    What callers allowed for counting or for warnings only is left out, and so is everything not confirmed.
    """
    place.require_new(file)
    of = place.settings()
    made = place.run(_export(of, advocate, passphrase_file, second, second_passphrase_file))
    place.write_privately(file, made.csv.encode())
    added = f" and {made.added} additions to reports" if made.added else ""
    typer.echo(plain(f"Wrote {made.count} reports{added} into {file}. Left out: {made.left_out or 'none'}."))
    typer.echo("The file is not sealed: hand it over and delete it. What is withdrawn later stays in it.")


async def _export(
    of: Settings, advocate: str | None, file: Path | None, second: str | None, second_file: Path | None
) -> Export:
    async with place.archive(of) as archive:
        first = await asking.session(archive.database, archive.pin, advocate, file)
        other = await asking.session(archive.database, archive.pin, second, second_file)
        return await export_of(archive, first, other)


@reports.command("purge")
def purge(dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would be forgotten.")) -> None:
    """Forget now what has expired, instead of tonight: reports whose time is over, and the keys of their months."""
    of = place.settings()
    flow = place.clean_content(of).flow
    assert flow is not None
    done = place.run(_purge(of, flow, dry_run=dry_run))
    would = "Would forget" if dry_run else "Forgot"
    reported = ", ".join(f"{count} of {form}" for form, count in done.reports.items())
    typer.echo(plain(f"{would} reports: {reported or 'none'}."))
    typer.echo(f"{would} derived uses: {done.contributions or 'none'}.")
    typer.echo(plain(f"{would} the keys of: {', '.join(done.epochs) or 'no month'}."))


async def _purge(of: Settings, flow: Flow, *, dry_run: bool) -> Purged:
    async with place.database(of) as database:
        clock = await clock_of(database, flow.zone)
        night = Night(database, place.host(of), place.pin(of), flow, clock)
        today = clock.now().astimezone(ZoneInfo(flow.zone)).date()
        return await (night.preview(today) if dry_run else night.purge(today))


@reports.command("withdraw")
def withdraw(
    yes: bool = typer.Option(False, "--yes", help="Do not ask again."),
    receipt: str = typer.Option("", help="The twelve digits. Without it, they are asked for."),
) -> None:
    """Take a report back for a caller who names her receipt: nobody can ever read it again."""
    code = "".join(filter(str.isdigit, receipt or str(typer.prompt("Receipt (twelve digits)"))))
    if len(code) != DIGITS:
        place.give_up(f"A receipt has {DIGITS} digits, this has {len(code)}.")
    if not yes:
        typer.confirm("Make this report unreadable for good?", abort=True)
    typer.echo(WITHDRAWN[place.run(_withdraw(place.settings(), code))])


TRACES_LEFT = (
    "! Somebody has been reading for a minute: its key still lies in the database's log. A serving line wipes it."
)

WITHDRAWN = {
    Withdrawal.TAKEN_BACK: "It is taken back: nobody can read it any more.",
    Withdrawal.ALREADY: "It was taken back before.",
    Withdrawal.UNKNOWN: "There is no report with this receipt: compare the digits, or its time is over.",
}


async def _withdraw(of: Settings, code: str) -> Withdrawal:
    async with place.database(of) as database:
        await place.bring_home(of, database)
        slow_hashes = SlowHashes()
        try:
            done = await Receipts(database, place.host(of), place.pin(of), slow_hashes).withdraw(code)
            if not await forgotten(database):
                typer.echo(TRACES_LEFT, err=True)
            return done
        finally:
            slow_hashes.close()


async def _every(archive: Archive) -> list[Listed]:
    """Who asks to be called comes first; who was called is not there any more."""
    found: list[Listed] = []
    while page := await archive.page(found[-1].id if found else b""):
        found.extend(page)
    return sorted((one for one in found if not one.is_done), key=lambda one: not one.is_request)


async def _chosen(archive: Archive, wanted: Sequence[str]) -> list[bytes]:
    if not all(part.strip() for part in wanted):
        place.give_up("An id is empty: `ivr reports list` shows them.")
    ids = [listed.id for listed in await _every(archive)]
    chosen = [found for found in ids if not wanted or any(found.hex().startswith(part.lower()) for part in wanted)]
    if wanted and not chosen:
        place.give_up("There is no such report. `ivr reports list` shows their ids.", code=place.FOUND_SOMETHING)
    return chosen


async def _one(archive: Archive, wanted: str) -> bytes:
    chosen = await _chosen(archive, [wanted])
    if len(chosen) > 1:
        place.give_up(f"{len(chosen)} reports begin with {wanted}: write more of the id.")
    return chosen[0]


def _labels(flow: Flow | None) -> Callable[[str], str]:
    return flow.catalogues[flow.languages[0]].label if flow else _no_label


def _shown(report: OpenReport, label: Callable[[str], str]) -> str:
    listed = report.listed
    form, day, consent, state = map(plain, (listed.form, report.day or listed.week, *_standing(listed)))
    flag = "" if report.trusted else f"{NOT_OURS}. Do not act on it. It says: "
    use = f"{consent}, {state}" if listed.is_request else f"may be used to {consent}"
    added = f"  adds to {report.adds_to.hex() if report.adds_to else 'a report'}" if report.is_addition else ""
    decided = "" if listed.is_request or state == "new" else f"  {state}"
    lines = [f"{listed.id.hex()}  {flag}{form}  {day}  {use}{decided}{added}"]
    if report.answers is None:
        lines.append(f"  {SEALS.get(report.seal, '')}")
    for question, values in report.answers or ():
        told = ", ".join(plain(_value(label, listed, question, value)) for value in values)
        lines.append(f"  {plain(question):14} {told}")
    lines += [f"  {_note_shown(note)}" for note in report.notes]
    if listed.is_request and report.trusted and report.answers:
        lines.append(f"  {PEOPLE_CALL.format(id=listed.id.hex()[:8])}")
    return "\n".join(lines)


def _note_shown(found: OpenNote) -> str:
    if found.note is None:
        return f"note: {NOT_OURS}."
    flag = "" if found.trusted else f"{NOT_OURS}. It says: "
    return f"{flag}note, {plain(found.note.day)}, {plain(found.note.author)}: {indented(found.note.text, '    ')}"


def _no_label(prompt: str) -> str:
    raise KeyError(prompt)


def _value(label: Callable[[str], str], listed: Listed, question: str, value: str) -> str:
    """A code with its label in today's prompts, where there still is one; a number to be called in groups."""
    if listed.is_request and value.isdecimal():
        return " ".join(groups(value))
    try:
        return f"{value} ({label(f'{listed.form}.{question}.{value}')})"
    except KeyError:
        return value
