"""`ivr`: the commands, put together."""

import typer

from ivr import __version__
from ivr.cli import (
    advocates,
    backing_up,
    calling,
    checking,
    checklist,
    conversing,
    inventory,
    keys,
    reading,
    restoring,
    rota,
    serving,
)
from ivr.cli.hardening import refuse_core_dumps

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Porchlight: an anonymous reporting line by phone.",
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    _version_wanted: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="The version."),
) -> None:
    """Porchlight: an anonymous reporting line by phone."""


app.command("check")(checking.check)
app.command("explain")(checking.explain)
app.command("test")(checking.test)
app.command("call")(calling.call)
app.command("text")(conversing.text)
app.command("init")(keys.init)
app.command("serve")(serving.serve)
app.command("backup")(backing_up.backup)
app.command("restore")(restoring.restore)
app.command("inventory")(inventory.inventory)
app.command("checklist")(checklist.checklist)
app.add_typer(reading.reports, name="reports")
app.add_typer(keys.keys, name="keys")
app.add_typer(advocates.advocates, name="advocates")
app.add_typer(rota.rota, name="rota")


def main() -> None:
    refuse_core_dumps()
    app()
