"""`receipt`: a Collect for the digits, then a Choose of what her report's receipt is good for. Deleting is asked twice,
with another key each time, so that a key that is pressed twice deletes nothing."""

from dataclasses import dataclass

from ivr.flow.diagnostics import Place
from ivr.flow.graph import Ask, Branch, Choose, Collect, Condition, Opened, Say, TriesLeft
from ivr.flow.keys import Option, Pass
from ivr.flow.line import RECEIPT_DIGITS
from ivr.flow.lowering.building import Building, options, own
from ivr.flow.model import ReceiptLine, ReportFile
from ivr.flow.phrases import phrase
from ivr.flow.source import Items, Table, Word
from ivr.flow.wants import Want, WantConsent, WantOpen, WantStatus, WantWithdraw


def lower(name: str, line: ReceiptLine, place: Place, building: Building) -> None:
    _Lowering(name, building.to(line.next), place, building).all([str(what) for what in line.receipt])


def adding(steps: Table) -> str | None:
    """The first step, of those that an admin wrote, at which a receipt is good for adding something."""
    for name, node in steps.items():
        wanted = node.get(Word("receipt", name.place)) if isinstance(node, Table) else None
        if isinstance(wanted, Items) and any(what == "add" for what in wanted):
            return str(name)
    return None


@dataclass(frozen=True, slots=True)
class _Lowering:
    name: str
    next: str
    place: Place
    building: Building

    def all(self, wanted: list[str]) -> None:
        self._branch("", TriesLeft(), self._at("code"), self._at("enough"))
        self._say("enough", "line.receipt_no", self.next)
        self._typing()
        self._ask("look", WantOpen(self._at("gone")), yes=self._at("found"), no=self.name)
        self._say("gone", "line.status.taken_back", self.next)
        self._say("found", "line.receipt_found", self._at("menu"))
        choices = [(str(key), f"line.receipt.{what}", self._at(what), None) for key, what in enumerate(wanted, start=1)]
        self._choose(
            "menu", None, options("line.option", "line.next_option", choices), self.next, back=self._at("code")
        )
        menu = self._at("menu")
        if "status" in wanted:
            self._ask("status", WantStatus(), yes=menu, no=menu)
        if "add" in wanted:
            self._by_form("add", {form: f"{form}:add" for form in self._reports()})
        if "consent" in wanted:
            self._by_form("consent", {form: self._consents(form) for form in self._reports()})
            self._say("granted", "line.consent_changed", menu)
        if {"add", "consent"} & set(wanted):
            self._say("other", "line.receipt_other", menu)
        if "withdraw" in wanted:
            self._withdrawing(menu)

    def _typing(self) -> None:
        intro = (*self.building.said_first(self.name), phrase("line.receipt_ask"), phrase("line.digits"))
        onward = Pass(self.next)
        count = RECEIPT_DIGITS
        step = Collect(self._at("code"), intro, count, count, self._at("look"), onward, gathers=True, place=self.place)
        self.building.add(step)

    def _reports(self) -> dict[str, ReportFile]:
        """The forms that have receipts: requests to be called have none."""
        files = {form: written.file for form, written in self.building.forms_written.items()}
        return {str(form): file for form, file in files.items() if isinstance(file, ReportFile)}

    def _by_form(self, what: str, targets: dict[str, str]) -> None:
        """What is offered depends on the form of the report; one that this flow does not know any more has nothing."""
        last = len(targets) - 1
        for number, (form, target) in enumerate(targets.items()):
            other = self._at("other") if number == last else self._at(f"{what}:{number + 1}")
            self._branch(f"{what}:{number}" if number else what, Opened(form), target, other)

    def _consents(self, form: str) -> str:
        """The menu of what reports of this form may be used for; its name."""
        consents = [str(consent) for consent in self._reports()[form].consent]
        choices = [
            (str(key), f"line.consent.{consent}", self._at(f"consent:{consent}"), None)
            for key, consent in enumerate(consents, start=1)
        ]
        told, menu = options("line.option", "line.next_option", choices), self._at("menu")
        self._choose(f"consent:{form}", "line.consent", told, menu, back=menu)
        for consent in consents:
            self._ask(f"consent:{consent}", WantConsent(consent), yes=self._at("granted"), no=menu)
        return self._at(f"consent:{form}")

    def _withdrawing(self, menu: str) -> None:
        sure, done = self._at("withdraw:sure"), self._at("withdraw:now")
        first = (own("1", "line.receipt_delete", sure), own("2", "line.receipt_keep", menu))
        self._choose("withdraw", "line.receipt_sure", first, menu, back=menu)
        second = (own("1", "line.receipt_keep", menu), own("2", "line.receipt_delete", done))
        self._choose("withdraw:sure", "line.receipt_sure_again", second, menu, back=menu)
        self._ask("withdraw:now", WantWithdraw(), yes=self._at("withdrawn"), no=menu)
        self._say("withdrawn", "line.receipt_withdrawn", self.next)

    # ---- small things ----

    def _at(self, what: str) -> str:
        return f"{self.name}:{what}" if what else self.name

    def _say(self, what: str, prompt: str, to: str) -> None:
        self.building.add(Say(self._at(what), phrase(prompt), to, place=self.place))

    def _branch(self, what: str, condition: Condition, yes: str, no: str) -> None:
        self.building.add(Branch(self._at(what), condition, yes, no, place=self.place))

    def _ask(self, what: str, want: Want, *, yes: str, no: str) -> None:
        self.building.add(Ask(self._at(what), want, yes, no, place=self.place))

    def _choose(self, what: str, intro: str | None, told: tuple[Option, ...], onward: str, *, back: str) -> None:
        said = (phrase(intro),) if intro else ()
        self.building.add(Choose(self._at(what), said, told, Pass(onward), back=back, place=self.place))
