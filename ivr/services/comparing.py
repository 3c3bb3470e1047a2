"""What a talk said and what came of it, compared. The first thing that went otherwise is a diagnostic."""

from collections.abc import Iterable, Sequence

from ivr.engine.asks import SaveReport
from ivr.flow.diagnostics import Diagnostic, Place, listed
from ivr.flow.expecting import DELETED, Expected, Given, Kept
from ivr.flow.phrases import Label, Phrase
from ivr.flow.rules import talk_failed
from ivr.flow.talk import Hears
from ivr.services.shelf import Shelf

Shown = dict[str, frozenset[str]]


class Differs(Exception):
    """Something went otherwise than the talk says."""

    def __init__(self, place: Place, message: str, cure: str) -> None:
        super().__init__(message)
        self.diagnostic: Diagnostic = talk_failed.found(place, message, cure)


def prompts_of(said: Iterable[Phrase], language: str) -> list[tuple[str, str]]:
    """The prompts that were said, each with its language; labels of options too."""
    found: list[tuple[str, str]] = []
    for one in said:
        spoken = one.language or language
        found.append((one.prompt, spoken))
        found += [(value.prompt, spoken) for _, value in one.values if isinstance(value, Label)]
    return found


def heard(act: Hears, said: Sequence[tuple[str, str]]) -> None:
    """That a prompt is among what was said: prompts, each with its language. Raises Differs."""
    if any(prompt == act.prompt and act.language in (None, language) for prompt, language in said):
        return
    prompts = [*dict.fromkeys(prompt for prompt, _ in said)]
    spoken = listed([*dict.fromkeys(language for _, language in said)])
    language = f" in `{act.language}`" if act.language else ""
    who = f" by `{act.who}`" if act.who else ""
    message = f"`{act.prompt}` is not heard{who}{language} here."
    raise Differs(act.place, message, f"Heard in {spoken}: {listed(prompts)}." if prompts else "Nothing is heard.")


def before(given: Given) -> tuple[SaveReport, str, str]:
    """A report of an earlier call as a shelf takes it: with its receipt and its state."""
    answers = tuple((str(name), tuple(map(str, codes))) for name, codes in given.answers.items())
    return SaveReport(str(given.form), 1, answers, str(given.consent), ending=1), given.receipt, given.state


def compare(expected: Expected, shelf: Shelf, transfers: tuple[str, ...]) -> None:
    """What is kept after a talk. Raises Differs."""
    if not (expected.reports is expected.requests is expected.added is None):
        reports = [one for one in shelf.reports.values() if not one.nights]
        requests = [one for one in shelf.reports.values() if one.nights]
        _kept(map(_report, reports), expected.reports, expected.place("report"), "What is kept is something else.")
        _kept(map(_request, requests), expected.requests, expected.place("request"), ASKED)
        added = "What was added is something else."
        _kept(map(_answers, shelf.additions.values()), expected.added, expected.place("added"), added)
    if expected.before is not None:
        stands = next((one.consent for one in shelf.given.values()), DELETED)
        if stands != expected.before:
            cure = "It is deleted." if stands == DELETED else f"It may be used to {stands}."
            raise Differs(expected.place("before"), "The report of before stands otherwise.", cure)
    if expected.transfers is not None and expected.transfers != transfers:
        cure = f"They were: {listed(transfers) or 'none'}."
        raise Differs(expected.place("transfers"), "The transfers went otherwise.", cure)


ASKED = "Somebody asks to be called otherwise."


def _kept(found: Iterable[Shown], expected: Iterable[Kept] | None, place: Place, message: str) -> None:
    kept = list(found)
    if kept != [{name: frozenset(codes) for name, codes in one.items()} for one in expected or ()]:
        raise Differs(place, message, f"Kept: {'; '.join(map(_told, kept)) or 'none'}.")


def _report(report: SaveReport) -> Shown:
    return {**_answers(report), "consent": frozenset({report.consent})}


def _request(request: SaveReport) -> Shown:
    return {"form": frozenset({request.form}), **_answers(request)}


def _answers(report: SaveReport) -> Shown:
    return {name: frozenset(codes) for name, codes in report.answers}


def _told(report: Shown) -> str:
    return ", ".join(f"{name}: {' '.join(sorted(codes))}" for name, codes in report.items())
