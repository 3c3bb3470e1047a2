"""Handing reports on: what callers allowed to be passed on and an advocate confirmed, as a table, by two people."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from ivr.flow.line import CONSENTS
from ivr.kit.plain import as_cell
from ivr.kit.told import Told
from ivr.services.archive import Archive, OpenReport, Seal
from ivr.services.custody.sessions import Session
from ivr.services.tagged import CONFIRMED

PASSED_ON = CONSENTS[-1]
FIXED = ("report", "form", "day", "adds_to")


class SamePerson(Told):
    """One person gave both passphrases."""


@dataclass(frozen=True, slots=True)
class Export:
    """`csv`: a header, and a line for each of `count` reports, and for each of what callers `added` to one later.
    `left_out`: how many for which reason, as a sentence."""

    csv: str
    count: int
    added: int
    left_out: str


async def export_of(archive: Archive, first: Session, second: Session) -> Export:
    """Every report that may be handed on. Consent is read in the same moment as the report.

    Raises SamePerson, NotSetUp, StoreUnavailable.
    """
    if first.own.id == second.own.id:
        raise SamePerson(f"both passphrases are {first.own.name}'s: an export needs two people")
    opened: list[OpenReport] = []
    left_out: Counter[str] = Counter()
    after = b""
    while page := await archive.page(after):
        after = page[-1].id
        for listed in page:
            if listed.is_request:
                continue  # somebody's own number: it is no report, and not even counted here
            report = await archive.read(listed.id, first)
            reason = "gone meanwhile" if report is None else _reason_against(report)
            if report is not None and not reason:
                opened.append(report)
            else:
                left_out[reason] += 1
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    added = sum(report.is_addition for report in opened)
    return Export(_table(opened), len(opened) - added, added, reasons)


def _reason_against(report: OpenReport) -> str:
    """Why a report is not handed on; empty if it is."""
    if report.listed.consent != PASSED_ON:
        return "not to be passed on"
    if not report.trusted:
        return "planted or altered"
    if report.seal is not Seal.OPENED:
        return "unreadable"
    return "" if report.listed.state == CONFIRMED else "not confirmed"


def _table(opened: list[OpenReport]) -> str:
    asked = dict.fromkeys(question for report in opened for question, _ in report.answers or ())
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(map(as_cell, (*FIXED, *asked)))
    for report in opened:
        answers = {question: "; ".join(codes) for question, codes in report.answers or ()}
        adds_to = report.adds_to.hex() if report.adds_to else ""
        fixed = (report.listed.id.hex(), report.listed.form, report.day, adds_to)
        told = (*fixed, *(answers.get(question, "") for question in asked))
        table.writerow([as_cell(cell or "") for cell in told])
    return written.getvalue()
