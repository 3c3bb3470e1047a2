"""Reports without a disk: the newest save of each, what their receipts open, and how long those of before are kept."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ivr.engine.asks import Gone, Noted, NotNow, NotSaved, Opened, Saved, SaveReport, StatusIs
from ivr.flow.graph import Flow
from ivr.services import nights
from ivr.services.reports import week_of
from ivr.services.retention import last_week
from ivr.services.tagged import NEW, TAKEN_BACK

RECEIPT_BYTES = 32

_Place = tuple[str, int]
"""A form, and which pass through it."""

_Added = tuple[bytes, str, int]
"""To which receipt's report; a form, and which pass through it."""


@dataclass(slots=True)
class _Known:
    """A report with a receipt, and where it lies. `made` None: in this call, so that no night forgets it."""

    among: dict[_Place, SaveReport]
    place: _Place
    state: str = NEW
    made: date | None = None

    @property
    def report(self) -> SaveReport:
        return self.among[self.place]


@dataclass(slots=True)
class Shelf:
    """What was taken back is not among them any more. `given`: the reports that were there before, in their order."""

    reports: dict[_Place, SaveReport] = field(default_factory=dict)
    additions: dict[_Added, SaveReport] = field(default_factory=dict)
    given: dict[_Place, SaveReport] = field(default_factory=dict)
    code: str = ""
    """The last receipt that somebody heard."""
    _known: dict[bytes, _Known] = field(default_factory=dict)
    _changes: set[bytes] = field(default_factory=set)

    def give(self, report: SaveReport, code: str, state: str = NEW, made: date | None = None) -> None:
        """A report of an earlier call, with its receipt (twelve digits), and on which day it was made, where the line
        is; None: it is never forgotten."""
        place = report.form, len(self.given) + 1
        self.given[place] = report
        self._known[_receipt(code)] = _Known(self.given, place, state, made)

    def forget(self, flow: Flow, now: datetime) -> None:
        """What every night until now has forgotten of the reports that were given, as if none had been missed."""
        night = nights.last(now.astimezone(ZoneInfo(flow.zone)))
        for receipt, known in list(self._known.items()):
            made = known.made
            if made is not None and made < night and week_of(made) <= last_week(flow, known.place[0], night):
                del self._known[receipt]
                self._take_back(receipt, known)

    async def keep(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        del seed, today
        place = ask.form, ask.visit
        if ask.adds_to:
            found = self._living(ask.adds_to)
            if found is None or found.report.form != ask.form:
                return NotSaved()
            self.additions[ask.adds_to, *place] = replace(ask, consent=found.report.consent)
            return Saved()
        self.reports[place] = ask
        if not ask.has_receipt:
            return Saved()
        self.code = f"{turn:012d}"
        self._known[_receipt(self.code)] = _Known(self.reports, place)
        return Saved(self.code)

    async def open(self, code: str) -> Opened | Gone | NotNow:
        known = self._known.get(_receipt(code))
        return Opened(_receipt(code), known.place[0], is_gone=known.state == TAKEN_BACK) if known else Gone()

    async def status(self, receipt: bytes) -> StatusIs | Gone | NotNow:
        known = self._known.get(receipt)
        if known is None:
            return Gone()
        return StatusIs(known.state, known.report.consent if known.state != TAKEN_BACK else "count_only")

    async def change_consent(self, receipt: bytes, consent: str, *, change_id: bytes) -> Noted | Gone | NotNow:
        found = self._living(receipt)
        if change_id in self._changes:
            return Noted()
        if found is None:
            return Gone()
        self._changes.add(change_id)
        found.among[found.place] = replace(found.report, consent=consent)
        for key, added in self.additions.items():
            if added.adds_to == receipt:
                self.additions[key] = replace(added, consent=consent)
        return Noted()

    async def withdraw(self, receipt: bytes) -> Noted | Gone | NotNow:
        known, found = self._known.get(receipt), self._living(receipt)
        if found is not None:
            found.state = TAKEN_BACK
            self._take_back(receipt, found)
        return Noted() if known else Gone()

    def _take_back(self, receipt: bytes, known: _Known) -> None:
        """The report, and what was added to it."""
        known.among.pop(known.place, None)
        self.additions = {place: one for place, one in self.additions.items() if one.adds_to != receipt}

    def _living(self, receipt: bytes) -> _Known | None:
        known = self._known.get(receipt)
        return known if known is not None and known.state != TAKEN_BACK else None


def _receipt(code: str) -> bytes:
    """Stands for a slow hash."""
    return code.encode().ljust(RECEIPT_BYTES, b"\0")
