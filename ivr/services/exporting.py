"""Handing reports on: what callers allowed to be passed on and an advocate confirmed, as a table, by two people."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from ivr.flow.line import CONSENTS
from ivr.kit.told import Told
from ivr.services.archive import CONFIRMED, Archive, OpenReport, Seal
from ivr.services.custody.sessions import Session

PASSED_ON = CONSENTS[-1]
FIXED = ("report", "form", "day")


class SamePerson(Told):
    """One person gave both passphrases."""


@dataclass(frozen=True, slots=True)
class Export:
    """`csv`: a header, and a line for each report. `left_out`: how many for which reason, as a sentence."""

    csv: str
    count: int
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
            report = await archive.read(listed.id, first)
            reason = "gone meanwhile" if report is None else _reason_against(report)
            if report is not None and not reason:
                opened.append(report)
            else:
                left_out[reason] += 1
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    return Export(_table(opened), len(opened), reasons)


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
    table.writerow([*FIXED, *asked])
    for report in opened:
        answers = {question: "; ".join(codes) for question, codes in report.answers or ()}
        fixed = (report.listed.id.hex(), report.listed.form, report.day)
        table.writerow([*fixed, *(answers.get(question, "") for question in asked)])
    return written.getvalue()
