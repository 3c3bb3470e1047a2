"""What a line, its advocates and the printed shares make of a database that somebody wrote into: what they still take
for genuine, what they flag, whom they do not let in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from ivr.engine.asks import Answers
from ivr.services.archive import Archive, Seal
from ivr.services.custody import recovering
from ivr.services.custody.recovering import SharesVoid
from ivr.services.custody.sessions import CannotOpenAll, NotALead, Session, UnknownAdvocate
from ivr.services.custody.status import status_of
from ivr.services.custody.trust import LineKeysLost, NotSetUp, line_epochs, line_keys_in, signers
from ivr.store import reports as stored
from ivr.vault.advocates import WrongPassphrase
from tests.founded import Office

REFUSALS = (NotSetUp, LineKeysLost, UnknownAdvocate, WrongPassphrase, NotALead, CannotOpenAll, SharesVoid)
"""How a door says no: each with a sentence and a cure. Anything else is a crash."""

FLAGGED = "flagged"
"""Something is shown as planted or altered, or warned of."""
REFUSED = "refused"
"""Somebody is not let in, or something does not open any more."""
UNSEEN = "unseen"
FORGED = "forged"
"""Something passes for genuine that is not."""

NOTHING = (None, None)
"""The content of a report that does not open."""


@dataclass(frozen=True, slots=True)
class Clear:
    """What is listed of a report, and which receipt finds it."""

    form: str
    epoch: str
    week: str
    consent: str
    state: str
    ended: bool
    receipt_tag: bytes | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A report as an advocate sees it. `notes`: those that are trusted, and how many are not."""

    clear: Clear
    listed_as_true: bool
    opened_as_true: bool
    content: tuple[str | None, Answers | None]
    notes: frozenset[tuple[str, str, str]]
    doubtful_notes: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that anybody is shown. `doors`: who is let in, or why not; what she then holds."""

    reports: Mapping[bytes, Shown]
    doors: Mapping[str, object]
    warnings: tuple[str, ...]
    trusted_keys: frozenset[bytes]


@dataclass
class Judge:
    """Somebody at every door of one office. `passphrases`: those that are tried, by the name they are tried for."""

    of: Office
    passphrases: Mapping[str, tuple[str, ...]]
    archive_of: Callable[["Judge"], Archive] = field(default=lambda judge: judge.of.archive)
    _made: set[str] = field(default_factory=set)
    """The epochs that a lead's sign-in has just made: somebody had taken them away."""

    async def sees(self) -> Seen:
        """What there is to see now."""
        doors: dict[str, object] = {}
        session: Session | None = None
        self._made.clear()
        for name, tried in self.passphrases.items():
            for number, passphrase in enumerate(tried):
                try:
                    opened = await self.of.session(name, passphrase)
                except REFUSALS as refused:
                    doors[f"{name} {number}"] = type(refused).__name__
                else:
                    self._made |= set(opened.new_epochs)
                    doors[f"{name} {number}"] = self._held(opened)
                    session = session or opened
        doors["line"] = await self._line()
        doors["shares"] = await self._shares()
        try:
            trusted = await self.of.database.read(lambda connection: signers(connection, self.of.pin))
            shown = {} if session is None else await self._shown(session)
        except REFUSALS as refused:
            trusted, shown = {}, {}
            doors["archive"] = type(refused).__name__
        status = await status_of(self.of.database, self.of.host, self.of.pin, now=self.of.now)
        return Seen(shown, doors, status.warnings, frozenset(trusted.values()))

    async def _line(self) -> object:
        def held(connection: Connection) -> object:
            keys = line_keys_in(connection, self.of.host, self.of.pin)
            usable = line_epochs(connection, keys, self.of.pin)
            return (
                keys.signer.id,
                keys.site_salt,
                frozenset(usable[known] for known in usable if known not in self._made),
            )

        try:
            return await self.of.database.read(held)
        except REFUSALS as refused:
            return type(refused).__name__

    async def _shares(self) -> object:
        try:
            found = await recovering.open_with_shares(self.of.database, *self.of.shares[:2], pin=self.of.pin)
        except REFUSALS as refused:
            return type(refused).__name__
        return found.organisation_key, self._known(found.epoch_keys)

    def _held(self, session: Session) -> object:
        own = session.own
        keys = (own.id, own.role, own.sealing_key, own.signing_key, session.organisation_key)
        return keys, self._known(session.epoch_keys)

    def _known(self, epoch_keys: Mapping[str, bytes]) -> frozenset[tuple[str, bytes]]:
        return frozenset((epoch, key) for epoch, key in epoch_keys.items() if epoch not in self._made)

    async def _shown(self, session: Session) -> dict[bytes, Shown]:
        archive, found = self.archive_of(self), {}
        rows = {row.id: row for row in await self.of.database.read(stored.page)}
        for listed in await archive.page():
            opened = await archive.read(listed.id, session)
            assert opened is not None
            true = [one.note for one in opened.notes if one.trusted and one.note is not None]
            found[listed.id] = Shown(
                Clear(
                    listed.form,
                    listed.epoch,
                    listed.week,
                    listed.consent,
                    listed.state,
                    listed.ended,
                    rows[listed.id].receipt_tag,
                ),
                listed.trusted,
                opened.trusted,
                (opened.day, opened.answers) if opened.seal is Seal.OPENED else NOTHING,
                frozenset((note.day, note.author, note.text) for note in true),
                len(opened.notes) - len(true),
            )
        return found


def forgeries(before: Seen, now: Seen) -> Iterator[str]:
    """What passes for genuine now and never was."""
    yield from untrue(now, before)
    if now.trusted_keys - before.trusted_keys:
        yield "a key that nobody certified vouches for reports"
    for door, held in now.doors.items():
        if isinstance(held, tuple) and not _is_part_of(held, before.doors[door]):
            yield f"{door} is let in to something else"


def untrue(now: Seen, *genuine: Seen) -> Iterator[str]:
    """The reports and notes that are shown as true and were never so in any of these."""
    for report, shown in now.reports.items():
        known = [seen.reports[report] for seen in genuine if report in seen.reports]
        if shown.listed_as_true and shown.clear not in [one.clear for one in known]:
            yield f"listed as true: {shown.clear}"
        if shown.opened_as_true and shown.content not in [NOTHING, *(one.content for one in known)]:
            yield f"opened as true: {shown.content}"
        if shown.notes - frozenset(note for one in known for note in one.notes):
            yield f"notes: {shown.notes}"


def _is_part_of(held: tuple[Any, ...], before: object) -> bool:
    """Her own keys, or fewer; the organisation's, or none."""
    if not isinstance(before, tuple) or len(held) != len(before):
        return False
    return all(
        now <= then if isinstance(now, frozenset) else _same_or_none(now, then)
        for now, then in zip(held, before, strict=True)
    )


def _same_or_none(now: object, then: object) -> bool:
    if isinstance(now, tuple) and isinstance(then, tuple):
        return all(_same_or_none(*pair) for pair in zip(now, then, strict=True))
    return now is None or now == then


def verdict(before: Seen, now: Seen) -> str:
    """What became of it, at worst first."""
    if any(forgeries(before, now)):
        return FORGED
    if set(now.warnings) - set(before.warnings) or _doubts(now) - _doubts(before):
        return FLAGGED
    shut = [door for door, held in now.doors.items() if held != before.doors.get(door)]
    closed = [report for report, was in before.reports.items() if _closes(was, now.reports.get(report))]
    return REFUSED if shut or closed else UNSEEN


def _doubts(seen: Seen) -> set[tuple[bytes, int]]:
    found = {(report, 0) for report, shown in seen.reports.items() if not shown.opened_as_true}
    found |= {(report, 0) for report, shown in seen.reports.items() if not shown.listed_as_true}
    return found | {(report, n) for report, shown in seen.reports.items() for n in range(1, shown.doubtful_notes + 1)}


def _closes(was: Shown, now: Shown | None) -> bool:
    return now is None or (now.content, now.notes) != (was.content, was.notes)
