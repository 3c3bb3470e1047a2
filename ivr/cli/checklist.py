"""`ivr checklist`: what to try on a supervised live call before the line is opened."""

import typer

from ivr.carrier.checklist import BEHAVIOURS
from ivr.carrier.checklist import checklist as items

_INTRODUCTION = """\
Nothing of this line was tried on a live account. {documented} behaviours of Plivo that it relies on are documented;
these {others} are not, or sources disagree. Try them with somebody who listens; what would hurt most comes first.
"""


def checklist() -> None:
    """What to try on a supervised live call with Plivo, what would hurt most first."""
    documented = sum(one.status == "documented" for one in BEHAVIOURS)
    typer.echo(_INTRODUCTION.format(documented=documented, others=len(BEHAVIOURS) - documented))
    for number, item in enumerate(items(), 1):
        behaviour = item.behaviour
        typer.echo(f"{number:2}. {behaviour.what}")
        typer.echo(f"    Otherwise: {item.harm}.")
        typer.echo(f"    {behaviour.status.capitalize()}: {behaviour.source}.\n")
