"""`ivr check`, `ivr explain`, `ivr test`: is what the admin wrote sound, and does it do what she meant?"""

import asyncio
from collections.abc import Sequence

import typer

from ivr.cli import place, texting
from ivr.cli.diagnostics import Format, shown
from ivr.cli.explain import codes, explanation
from ivr.flow.diagnostics import suggest
from ivr.flow.graph import Flow
from ivr.flow.proofs import NEVER, Effort, Figures, figures
from ivr.flow.texting import Sent, longest
from ivr.services.content import Content
from ivr.services.rehearsal import rehearse


def check(
    how: Format = typer.Option(Format.full, "--format", help="full, concise or json."),
    texts: bool = typer.Option(False, "--texts", help="Show the longest text message at every wait, too."),
) -> None:
    """Check flows, forms and prompts; show what callers can count on.

    Everything that is wrong is shown at once: place, your own line, and what to type. Exit 0: clean. 1: something is
    wrong. 2: could not look.
    """
    found = _sound_content(how)
    if found.flow is not None and how is Format.json:
        typer.echo("[]")
    elif found.flow is not None:
        sent = list(longest(found.flow))
        typer.echo("\n".join(_proven(found.flow, sent)))
        if texts:
            typer.echo("\n".join(("", *texting.every_text(found.flow, sent))))


def explain(code: str = typer.Argument("", help="A code that `ivr check` printed.")) -> None:
    """Tell what a code means, why it matters to a caller, an example and the cure."""
    if not code:
        typer.echo("\n".join(codes()))
        return
    text = explanation(code)
    if text is None:
        place.give_up(f"There is no code {code}. {suggest(code, codes(), otherwise='`ivr explain` lists all.')}")
    typer.echo(f"{code}\n\n{text}")


def test() -> None:
    """Play every talk beside the flow; show what went otherwise. Exit codes as for `ivr check`."""
    found = _sound_content(Format.full)
    assert found.flow is not None
    assert found.staff is not None
    results = [(talk, asyncio.run(rehearse(found.flow, found.staff, talk))) for talk in found.talks]
    for talk, wrong in results:
        typer.echo(f"{'ok    ' if wrong is None else 'WRONG '} {talk.name}")
    failed = [wrong for _, wrong in results if wrong is not None]
    if failed:
        typer.echo("\n" + shown(failed, found.files, Format.full))
        raise typer.Exit(place.FOUND_SOMETHING)
    typer.echo(
        f"{len(results)} talks, all as written."
        if results
        else "There are no talks yet: `ivr call --save FILE` writes one."
    )


def _sound_content(how: Format) -> Content:
    """Flows, prompts and talks in which nothing is wrong; else the diagnostics, and the end of the command."""
    found = place.content(place.settings())
    if found.diagnostics:
        typer.echo(shown(found.diagnostics, found.files, how))
        if how is Format.full:
            some = sorted({diagnostic.code for diagnostic in found.diagnostics})
            typer.echo(f"\n{place.counted(len(found.diagnostics), 'problem')}. `ivr explain {some[0]}` tells more.")
        raise typer.Exit(place.FOUND_SOMETHING)
    return found


def _proven(flow: Flow, sent: Sequence[Sent]) -> list[str]:
    proven: Figures = figures(flow)
    texts = texting.figures(flow, sent)
    waits = sum(1 for _ in flow.waits())
    lines = [
        f"Clean. {len(flow.steps)} steps, {waits} waits, {len(flow.languages)} languages, version {flow.version}.",
        "",
    ]
    for language in flow.languages:
        lines += [
            f"{flow.catalogues[language].name}:",
            f"  first key told after              {proven.first_key[language]:5.1f} s",
            f"  hears of a person after, at most  {proven.hears_of_person[language]:5.1f} s",
            f"  a person, from every step         {_effort(proven.person[language])}  (2 keys once digits are typed)",
            f"  the shortest report               {_effort(proven.report[language])}",
            *texts[language],
        ]
    lines.append("\nKeys from pick-up; seconds when pressing as soon as a key was told / hearing everything in full.")
    return lines


def _effort(effort: Effort) -> str:
    if effort.in_full == NEVER:
        return "there is none"
    return f"{effort.keys:2} {'key' if effort.keys == 1 else 'keys'}, {effort.at_once:.1f} s / {effort.in_full:.1f} s"
