"""`ivr rota`: who answers callers, and when. It needs the line's secret: numbers are sealed under it."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import typer

from ivr.cli import place, week
from ivr.cli.plain import plain
from ivr.kit.clock import SystemClock
from ivr.oncall import timetable, writing
from ivr.oncall.people import PersonId
from ivr.oncall.rota import Shift
from ivr.oncall.timetable import TimetableWrong
from ivr.oncall.writing import ShiftWrong
from ivr.services import outcomes as counted
from ivr.services import pins
from ivr.services import rota as service
from ivr.services.clock_floor import clock_of
from ivr.services.outcomes import Counted, Outcome
from ivr.services.rota import Known
from ivr.settings import Settings

WEEK = 7
HELP = "Who answers callers, and when. Alone: the week."

rota = typer.Typer(invoke_without_command=True, help=HELP)

Name = typer.Argument(help="Whose: a name of `ivr rota list`.")


@rota.callback()
def show(
    context: typer.Context, days: int = typer.Option(WEEK, min=1, max=60, help="So many days from now on.")
) -> None:
    """Show who is on call in the days to come, and when nobody is."""
    if context.invoked_subcommand is not None:
        return
    of = place.settings()
    known, now = place.run(_known(of)), SystemClock().now()
    if known.is_empty:
        typer.echo(week.NOBODY_YET)
        return
    zone, languages = _flow_of(of)
    typer.echo(f"Who is on call, by the clock of {zone}:\n")
    for line in week.lines(known.rota, zone=zone, begins_at=now, days=days):
        typer.echo(plain(line))
    for number, warning in enumerate(week.warnings(known, languages=languages, zone=zone, now=now)):
        typer.echo(f"{'' if number else chr(10)}! {plain(warning)}")


@rota.command("list")
def list_shifts() -> None:
    """List everybody who answers, whether she has a PIN, and every shift and break with its id."""
    of = place.settings()
    known, holders = place.run(_known(of)), place.run(_holders(of))
    for person in known.rota.people:
        failing = "  COULD NOT BE REACHED" if person.is_failing else ""
        pin = "has a PIN" if person.id in holders else "no PIN"
        spoken = ",".join(person.languages)
        typer.echo(plain(f"{person.name}: {person.phone}  {person.tier}  {spoken}  {person.zone}  {pin}{failing}"))
        for shift in known.rota.shifts:
            if shift.person == person.id:
                typer.echo(plain(f"  {shift.id.hex()[:6]}  {_told(shift)}"))
    for name in known.lost:
        typer.echo(f"{plain(name)}: the number is lost with the old IVR_SECRET")
    for sentence in known.aside:
        typer.echo(f"! {plain(sentence)}.")


@rota.command("add")
def add(
    name: str = Name,
    every_day: str | None = typer.Option(None, metavar="HOURS", help="Every day, as 22:00-06:00 or 00:00-24:00."),
    every: tuple[str, str] | None = typer.Option(
        None, metavar="DAYS HOURS", help="Every week: fri,sat 22:00-06:00. Or an RRULE in quotes, and hours."
    ),
    on: tuple[str, str] | None = typer.Option(None, metavar="DAY HOURS", help="Once: 2027-03-13 20:00-02:00."),
    first: str | None = typer.Option(None, metavar="DAY", help="From this day on. Else from today."),
    last: str | None = typer.Option(None, metavar="DAY", help="Until this day and with it."),
    zone: str | None = typer.Option(None, help="By the clock of this time zone. Else by hers."),
    is_break: bool = typer.Option(False, "--break", help="She is away then, whatever her other shifts say."),
) -> None:
    """Add a shift, or with --break a time on which she is away: --every-day, --every or --on."""
    given = [option for option in (every_day, every, on) if option]
    if len(given) != 1:
        place.give_up(
            "Say when, once: --every-day 22:00-06:00, --every fri,sat 22:00-06:00, or --on 2027-03-13 20:00-02:00."
        )
    days, hours = ("every day", every_day) if every_day else (every or ("once", on[1] if on else ""))
    of = place.settings()
    known = place.run(_known(of))
    own = next((person.zone for person in known.rota.people if person.name == name), None)
    try:
        where = writing.zone(zone) if zone else own or _flow_of(of)[0]
        begins = writing.day(on[0]) if on else writing.day(first) if first else _today(where)
        start, end = writing.hours(str(hours))
        until = writing.day(last) if last else None
        rule = writing.rule(days, first=begins, until=until)
    except ShiftWrong as error:
        _give_up(error)
    shift = Shift(b"", PersonId(b""), begins, start, end, where, rule, is_break=is_break)
    added = place.run(_add(of, [(name, shift)]))
    already = "" if added else " That was so before."
    typer.echo(plain(f"{name} is {'away' if is_break else 'on call'} {_told(shift).removeprefix('away ')}.{already}"))


@rota.command("remove")
def remove(shift: str = typer.Argument(help="Its id from `ivr rota list`, or the beginning of it.")) -> None:
    """Remove a shift or a break."""
    removed = place.run(_remove(place.settings(), shift))
    typer.echo(f"Removed: {plain(_told(removed)) if removed else 'a shift that nobody could read'}.")


@rota.command("off")
def off(
    name: str = Name,
    hours: float | None = typer.Option(None, "--for", metavar="HOURS", min=0.1, max=2000, help="For so many hours."),
) -> None:
    """Ring her no more, from now on; for some hours, or until `ivr rota on`. Her shifts stay as they are."""
    _switch(name, is_on=False, hours=hours)


@rota.command("on")
def on(
    name: str = Name,
    hours: float | None = typer.Option(None, "--for", metavar="HOURS", min=0.1, max=2000, help="For so many hours."),
) -> None:
    """Ring her again as her shifts say; or for some hours, whatever they say."""
    _switch(name, is_on=True, hours=hours)


@rota.command("ring")
def ring(name: str = Name) -> None:
    """Ring her phone to try it: a voice says that it is only a test. Whether it could be reached, `ivr rota` says."""
    from ivr.cli.ringing import try_phone

    of = place.settings()
    if of.is_loopback:
        place.give_up("There is no phone company here (IVR_PLIVO_AUTH_ID is not set): nobody's phone can be rung.")
    try_phone(of, name)


@rota.command("outcomes")
def outcomes(weeks: bool = typer.Option(False, "--weeks", help="By weeks. Else by months.")) -> None:
    """Show how the calls that somebody took ended, as she keyed it afterwards.

    The numbers are rough, and for the organisation alone: small ones can tell of single people. Publish none of them.
    """
    periods = place.run(_outcomes(place.settings(), by_weeks=weeks))
    if not periods:
        typer.echo("Nothing was counted yet.")
        return
    names = [outcome.value.replace("_", " ") for outcome in Outcome]
    typer.echo("  ".join((" " * len(periods[0].when), *(f"{name:>8}" for name in (*names, "together")))).rstrip())
    for period in periods:
        numbers = [period.numbers.get(outcome, 0) for outcome in Outcome]
        typer.echo(plain("  ".join((period.when, *(f"{number:8}" for number in (*numbers, sum(numbers)))))))
    typer.echo("\nRough, and for yourselves: not to be published.")


@rota.command("export")
def export(file: Path | None = typer.Argument(None, help="A new file. Else it is printed.")) -> None:
    """Write every shift and break as CSV, for a spreadsheet. No numbers are in it."""
    known = place.run(_known(place.settings()))
    text = timetable.written(known.rota)
    if file is None:
        typer.echo(text, nl=False)
        return
    place.require_new(file)
    place.write_privately(file, text.encode())
    typer.echo(f"Wrote {place.counted(len(known.rota.shifts), 'shift')} to {file}.")


@rota.command("import")
def import_shifts(
    file: Path = typer.Argument(help="A CSV file as `ivr rota export` writes it."),
    replace: bool = typer.Option(False, help="In the place of every shift and break that there is."),
) -> None:
    """Add the shifts and breaks of a CSV file: all of them, or none if one line is wrong. Those that are there already
    are not added again."""
    of = place.settings()
    try:
        if file.stat().st_size > timetable.MOST_BYTES:
            place.give_up(f"{file} is larger than {timetable.MOST_BYTES:,} bytes: write rules instead of single days.")
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        place.give_up(
            f"{file} cannot be read as CSV in UTF-8: name a file that `ivr rota export` wrote, or one like it."
        )
    known = place.run(_known(of))
    try:
        shifts = timetable.read(text, known.rota.people)
    except TimetableWrong as wrong:
        place.give_up(
            "\n".join((f"{file} is not right, and nothing was changed:", *(f"  {one}" for one in wrong.problems))),
            code=place.FOUND_SOMETHING,
        )
    added = place.run(_add(of, list(shifts), instead=replace))
    others = ", and removed all others" if replace else ""
    already = f" {len(shifts) - added} were there already." if added < len(shifts) else ""
    typer.echo(f"Added {place.counted(added, 'shift')}{others}.{already}")


def _switch(name: str, *, is_on: bool, hours: float | None) -> None:
    of = place.settings()
    now = place.run(_now(of))
    until = now + timedelta(hours=hours) if hours else None
    place.run(_decide(of, name, is_on=is_on, until=until, now=now))
    zone = _flow_of(of)[0]
    known = place.run(_known(of))
    is_rung = any(person.name == name for person in known.rota.on_duty(now))
    told = f" until {until.astimezone(ZoneInfo(zone)):%a %H:%M} ({zone})" if until else ""
    hint = "" if is_rung or not is_on else f" Her shifts say so: `ivr rota on {name} --for 2` rings her all the same."
    typer.echo(plain(f"{name} is {'on call' if is_rung else 'not rung'} now{told}.{hint}"))


def _told(shift: Shift) -> str:
    days = f"on {shift.first}" if not shift.rule else writing.told_days(shift)
    last = writing.last_day(shift)
    since = f", from {shift.first}" if shift.rule else ""
    until = f" to {last}" if last and "=" not in days else ""
    return f"{'away ' if shift.is_break else ''}{days} {writing.told_hours(shift)} ({shift.zone}){since}{until}"


def _give_up(error: ShiftWrong) -> NoReturn:
    message = str(error)
    place.give_up(f"{message[0].upper()}{message[1:]}.")


async def _now(of: Settings) -> datetime:
    async with place.database(of) as database:
        return (await clock_of(database)).now()


def _today(zone: str) -> date:
    return SystemClock().now().astimezone(ZoneInfo(zone)).date()


def _flow_of(of: Settings) -> tuple[str, tuple[str, ...]]:
    """Zone and languages of the line."""
    flow = place.content(of).flow
    return (flow.zone, flow.languages) if flow is not None else ("UTC", ())


async def _known(of: Settings) -> Known:
    async with place.database(of) as database:
        return await service.known(database, place.host(of))


async def _holders(of: Settings) -> frozenset[PersonId]:
    async with place.database(of) as database:
        return await pins.holders(database)


async def _outcomes(of: Settings, *, by_weeks: bool) -> tuple[Counted, ...]:
    async with place.database(of) as database:
        return await (counted.by_week if by_weeks else counted.by_month)(database)


async def _add(of: Settings, shifts: list[tuple[str, Shift]], *, instead: bool = False) -> int:
    async with place.database(of) as database:
        return await service.add_shifts(database, shifts, instead=instead)


async def _remove(of: Settings, beginning: str) -> Shift | None:
    async with place.database(of) as database:
        return await service.remove_shift(database, beginning)


async def _decide(of: Settings, name: str, *, is_on: bool, until: datetime | None, now: datetime) -> None:
    async with place.database(of) as database:
        await service.switch(database, name, is_on=is_on, until_at=until, now=now)
