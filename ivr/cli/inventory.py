"""`ivr inventory`: everything that is known, kept, written and sent, from the places in the code that decide it.
What has no purpose there is no entry here but an end of the command."""

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import dedent

import typer
from pydantic import BaseModel, SecretStr
from sqlalchemy import Column, LargeBinary, Table

from ivr import logs
from ivr.carrier.records import RECORDS
from ivr.channels.sent import ASKED, SENT
from ivr.cli import files
from ivr.cli.files import Kept
from ivr.line.fields import FIELDS, TEXT_FIELDS, Field, Use
from ivr.settings import PREFIX, Settings
from ivr.store.live import live
from ivr.store.tables import metadata

USES = {
    Use.PASSES: "What passes, for the length of one request",
    Use.LOOKED_AT: "What is looked at and then dropped",
    Use.DROPPED: "What is dropped unseen",
}


class Unexplained(ValueError):
    """Something is kept or looked at and nothing says why."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the inventory is made from."""

    tables: Sequence[Table] = (*metadata.tables.values(), *live.tables.values())
    settings: type[BaseModel] = Settings
    log_fields: Mapping[str, str] = field(default_factory=lambda: logs.ALLOWED)
    webhook_fields: Sequence[Field] = FIELDS
    text_fields: Sequence[Field] = TEXT_FIELDS


def inventory() -> None:
    """Print the data inventory: what is kept, why, how long and where. docs/data-inventory.md is this."""
    typer.echo(document(), nl=False)


def document(of: Sources | None = None) -> str:
    """The inventory, as Markdown. Raises Unexplained."""
    of = of or Sources()
    parts = [
        INTRODUCTION,
        *_webhooks(of.webhook_fields),
        *_texts(of.text_fields),
        *_sent(),
        *_tables(of.tables),
        *_files(),
    ]
    parts += [*_logs(of.log_fields), *_settings(of.settings), *_records()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


INTRODUCTION = """
# What is kept: the data inventory

Everything that Porchlight is told, keeps, writes and sends: what, why, for how long and where. It is made from the code
by `ivr inventory > docs/data-inventory.md`, and a test fails when it is out of date. From whom all this is protected,
and from whom it is not, stands in [THREATMODEL.md](../THREATMODEL.md).
"""


def _webhooks(fields: Sequence[Field]) -> Iterator[str]:
    yield """
## What the phone company tells us about a call

Plivo sends some twenty fields with every turn of a call. Each counts for Plivo's signature, and then most of them are
forgotten. Nothing of this is written to a disk or to a log as it came."""
    yield from _uses(fields, "")


def _texts(fields: Sequence[Field]) -> Iterator[str]:
    yield """
## What the phone company tells us about a text

Each field counts for Plivo's signature. Nothing of this is written to a disk or to a log as it came."""
    yield from _uses(fields, "Of a text: ")


def _uses(fields: Sequence[Field], of: str) -> Iterator[str]:
    for use, title in USES.items():
        yield f"### {of}{title[0].lower() if of else title[0]}{title[1:]}"
        yield _table(("what", "why"), ((f"`{one.name}`", _why(one.name, one.why)) for one in fields if one.use is use))


def _sent() -> Iterator[str]:
    yield """
## What we send to the phone company

Where: over HTTPS. How long Plivo keeps it stands at the end."""
    yield "### In documents, the answers to its webhooks"
    yield _table(("what", "why"), ((one.what, one.why) for one in SENT))
    yield """
### In requests to ring somebody's phone, to let it be, to end what came of it, or to send a text

The line rings no caller, ever. It asks for phones of its own people: when a caller wants a person, and when somebody
tries one with `ivr rota ring`. It writes to nobody but in answer to a text of hers."""
    yield _table(("what", "why"), ((one.what, one.why) for one in ASKED))


def _tables(tables: Iterable[Table]) -> Iterator[str]:
    tables = tuple(tables)
    yield """
## What lies in the database

SQLite in the data folder (`porchlight.db`), or the PostgreSQL that `IVR_DATABASE_URL` names. Backups are two files:
`data`, and `keys`, without which `data` is noise. *Live* tables are of the calls of this moment: in a file of their own
in the run folder (`live.db`), or on PostgreSQL beside the others, and in no backup. How long and where hold for every
column of a table. What is in clear is text or a number that anybody with the file can read; bytes are what is sealed,
keys, ids and signatures."""
    rows = ((f"`{table.name}`", *(_told(table, name) for name in ("what", "kept")), _where(table)) for table in tables)
    yield _table(("table", "what", "how long", "where"), rows)
    for table in tables:
        yield f"### {table.name}"
        yield _table(
            ("what", "why", "in clear"),
            (
                (f"`{column.name}`", _why(str(column), column.info.get("why")), _clear(column))
                for column in table.columns
            ),
        )


def _files() -> Iterator[str]:
    yield "## What lies beside the database"
    yield "### In the data folder (`IVR_DATA_DIR`), for its owner's eyes only"
    yield _kept(files.DATA_FOLDER)
    yield "### In the run folder (`IVR_RUN_DIR`; `run` in the data folder, if that is empty), never backed up"
    yield _kept(files.RUN_FOLDER)
    yield "### Where somebody puts it"
    yield _kept(files.ON_REQUEST)
    yield "### In memory, and nowhere else"
    yield _kept(files.IN_MEMORY)


def _logs(fields: Mapping[str, str]) -> Iterator[str]:
    yield """
## What stands in the log

JSON lines on standard output, about failures only: a call that goes well leaves none. How long they are kept is up to
whoever runs the machine. Fields that are not in this list are dropped before a line is written. A proxy in front of the
line has a log of its own: switch it off, for it tells when calls were made."""
    yield _table(("what", "why"), ((f"`{name}`", _why(f"log field {name}", why)) for name, why in fields.items()))


def _settings(settings: type[BaseModel]) -> Iterator[str]:
    yield """
## What is set

Each in the environment, or in the file that the same name with `_FILE` names; until somebody changes it. A secret is
never shown and has no default."""
    told = _docstrings(settings)
    rows = (
        (
            f"`{'PORT' if name == 'port' else PREFIX + name.upper()}`",
            _why(f"setting {name}", told.get(name)),
            "yes" if one.annotation is SecretStr else "no",
        )
        for name, one in settings.model_fields.items()
    )
    yield _table(("what", "why", "secret"), rows)


def _records() -> Iterator[str]:
    yield """
## What the phone company keeps by itself

As far as it says so in public; nothing here was tried on a live account. The caller's own phone, her bill and her
network keep the call as well."""
    yield _table(("what", "why", "how long", "source"), ((one.what, one.why, one.kept, one.source) for one in RECORDS))


def _kept(entries: Iterable[Kept]) -> str:
    rows = ((f"`{one.name}`" if " " not in one.name else one.name, one.what, one.why, one.kept) for one in entries)
    return _table(("where", "what", "why", "how long"), rows)


def _told(table: Table, name: str) -> str:
    return _why(f"{table.name}, `{name}`", table.info.get(name))


def _where(table: Table) -> str:
    by = "written by calls" if table.info.get("by_calls") else "written by people, or the line's own work"
    if table.info.get("lasting") is False:
        return f"live, in no backup; {by}"
    return f"database, backup file `{_told(table, 'backup')}`; {by}"


def _clear(column: Column[object]) -> str:
    return "bytes" if isinstance(column.type, LargeBinary) else "in clear"


def _docstrings(settings: type[BaseModel]) -> dict[str, str]:
    """The string below each field: pydantic can read them too, but would at every start."""
    [body] = ast.parse(dedent(inspect.getsource(settings))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for setting, below in pairwise(body.body):
        if (
            isinstance(setting, ast.AnnAssign)
            and isinstance(setting.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[setting.target.id] = str(below.value.value)
    return found


def _why(name: str, purpose: str | None) -> str:
    if not purpose or not purpose.strip():
        raise Unexplained(f"{name}: nothing says what it is for")
    return purpose


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
