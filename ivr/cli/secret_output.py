"""Secrets are printed for a person at a terminal. What is printed elsewhere may stay: a container's output is a log, as
is that of a scheduled job."""

import sys

import typer

from ivr.cli import place

PrintSecrets = typer.Option(
    False,
    "--print-secrets",
    help="Print them also where standard output is not a terminal but a pipe, a file or a log.",
)


def require_terminal(what: str, *, print_secrets: bool, otherwise: str = "") -> None:
    """Gives up unless a terminal shows `what`, or somebody asked for it elsewhere: before anything is decided.
    `otherwise`: a way to have it that is better than a pipe."""
    if print_secrets or sys.stdout.isatty():
        return
    ways = ", ".join(("Run this in a terminal", *((otherwise,) if otherwise else ())))
    place.give_up(
        f"Standard output is not a terminal: {what} would be printed into a pipe, a file or a log. {ways}, "
        "or add --print-secrets if it is kept nowhere."
    )
