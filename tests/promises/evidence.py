"""Calls that take every path, carried out: what they left on disk, in the log, and in every document that was sent."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ivr.carrier.loopback import Line, PhoneCall
from ivr.carrier.states import AwaitingKeys, Over, Ringing
from ivr.carrier.transport import AsgiTransport
from ivr.services.archive import OpenReport
from ivr.services.backup import Backup
from ivr.services.custody import members
from ivr.services.exporting import PASSED_ON, export_of
from ivr.store.folder import Folder
from ivr.vault.advocates import Role
from tests.founded import CHEAP, PASSPHRASE
from tests.promises.canary import identity
from tests.promises.faults import FAULTS, Fault, struck
from tests.promises.house import BEGINNING, House, house, logs_captured, rested
from tests.promises.paths import RECEIPT, Move, Situation, Walker
from tests.promises.requests import Planted

TOKEN = re.compile(rb"/voice/[a-z]+/([A-Za-z0-9_-]{100,})")


@dataclass
class Evidence:
    """Everything that a line kept or sent. `documents`: (address, document), each once, tokens masked."""

    folder: Path
    documents: set[tuple[str, bytes]] = field(default_factory=set)
    tokens: set[bytes] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    """What the phones of advocates displayed and said."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Every byte on disk: while the line was open, and after it was closed."""
    log: bytes = b""
    export: str = ""
    """What two advocates handed on: the answers of confirmed reports, in clear."""
    keys: dict[str, bytes] = field(default_factory=dict)
    """Every short-lived key there was, by file."""
    identities: list[dict[str, str]] = field(default_factory=list)
    reports: list[OpenReport] = field(default_factory=list)
    calls: int = 0
    mismatches: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def plant(self, n: int, now: datetime) -> dict[str, str]:
        """What every webhook of the `n`-th call says of its caller; it began when the line's clock says."""
        fields = {**identity(n), "SessionStart": f"{now:%Y-%m-%d %H:%M:%S}.{238_700 + n:06}"}
        self.identities.append(fields)
        return fields

    def note_call(self, call: PhoneCall) -> None:
        self.shown |= {shown for dial in call.dials for shown in (dial.shown_number, dial.shown_name)}
        self.shown |= {str(sound) for sound in call.whispered}
        for exchange in call.exchange:
            if exchange.reply is None:
                continue
            body = exchange.reply.body
            address = re.sub(r"^https?://[^/]+(/voice/[a-z]+).*", r"\1", exchange.url)
            self.statuses.add(exchange.reply.status)
            self.tokens |= set(TOKEN.findall(body))
            self.documents.add((address, masked(body)))

    def note_keys(self, folder: Path) -> None:
        self.keys |= {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}

    def note_files(self) -> None:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                name = str(path.relative_to(self.folder))
                content = path.read_bytes()
                if self.files.get(name) != content:
                    self.files[name if name not in self.files else f"{name}, later"] = content


def masked(document: bytes) -> bytes:
    """A document without what differs from call to call: its tokens."""
    for token in set(TOKEN.findall(document)):
        document = document.replace(token, b"TOKEN")
    return document


async def gathered(
    folder: Path, blank: Path, calls: list[list[Move]], *, faults: Sequence[Fault] = FAULTS, **parts: Any
) -> Evidence:
    """Every path walked and every fault met, on lines that keep all they keep in `folder`."""
    evidence = Evidence(folder)
    with logs_captured() as log, temporary_files_in(folder / "tmp"):
        async with house(folder / "line", blank=blank, **parts) as of:
            await walked(of, calls, evidence)
            evidence.reports = await of.reports()
            evidence.export = await _handed_on(of, evidence.reports)
            await Backup(of.database, of.parts.pin, of.clock).into(Folder(folder / "backup"))
            evidence.note_files()
        for n, fault in enumerate(faults):
            fields = evidence.plant(len(calls) + n, BEGINNING)
            async with struck(fault, folder / f"fault {n}", blank, fields=fields) as (of, met):
                for call in met:
                    evidence.note_call(call)
                evidence.note_files()
        evidence.note_files()
        evidence.log = log()
    return evidence


async def _handed_on(of: House, opened: Sequence[OpenReport]) -> str:
    """An export, after an advocate confirmed all that may be passed on and wrote a note on each."""
    ana = await of.kept.session()
    for report in opened:
        if report.listed.consent == PASSED_ON and report.listed.ended:
            await of.kept.archive.decide(report.listed.id, ana, confirmed=True)
            await of.kept.archive.note(report.listed.id, ana, text="seen", today=BEGINNING.date())
    await members.add(of.database, ana, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
    return (await export_of(of.kept.archive, ana, await of.kept.session("bo"))).csv


async def walked(of: House, calls: list[list[Move]], evidence: Evidence) -> None:
    """Place these calls, each with an identity of its own planted in its webhooks."""
    walker, of.mood.opens = Walker(of.parts.flow, of.clock.now(), opens=True), RECEIPT
    for n, moves in enumerate(calls):
        transport = Planted(AsgiTransport(of.app), evidence.plant(n, of.clock.now()))
        line = of.line(transport=transport, seed=f"walk {n}", hangup=n % 5 > 0, caller=transport.fields["From"])
        evidence.note_call(await _one(of, line, moves, walker, evidence))
        evidence.note_keys(of.keys)
        evidence.calls += 1


async def _one(of: House, line: Line, moves: list[Move], walker: Walker, evidence: Evidence) -> PhoneCall:
    walker.now = of.clock.now()
    expected = walker.begin()
    of.mood.disk_fails = of.mood.nobody = False
    call = await line.call()
    for at, what in enumerate(moves):
        of.mood.disk_fails = of.mood.nobody = what.broken
        await rested(of)
        await carry_out(call, what)
        expected = walker.move(expected, what)
        if not agrees(call, expected):
            evidence.mismatches.append(f"after {moves[: at + 1]}: {call.state} is not {expected.place}")
            break
    if not isinstance(call.state, Over):
        evidence.mismatches.append(f"still on the line after {moves}")
    return call


async def carry_out(call: PhoneCall, what: Move) -> None:
    """One move, on the phone."""
    match what.do:
        case "press":
            await call.press(what.keys)
        case "silence":
            await call.silence()
        case "hang up":
            await call.hang_up()
        case "dial":
            await call.dial_ends(what.outcome)


def agrees(call: PhoneCall, expected: Situation) -> bool:
    """Is the phone where the engine, walked by itself, says that it is?"""
    match call.state:
        case Over():
            return expected.place == "over"
        case Ringing():
            return expected.place == "ringing"
        case AwaitingKeys(element=element):
            if expected.place in ("announced", "staff"):
                return element.num_digits == expected.most
            return (expected.place, expected.most) == (
                "key" if element.num_digits == 1 else "digits",
                element.num_digits,
            )


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Whatever anybody writes to a temporary file lies here."""
    folder.mkdir(parents=True, exist_ok=True)
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    variables = {name: os.environ.get(name) for name in ("TMPDIR", "SQLITE_TMPDIR")}
    os.environ.update(dict.fromkeys(variables, str(folder)))
    try:
        yield
    finally:
        tempfile.tempdir = before
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
