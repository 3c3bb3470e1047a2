"""The documents stay true: every setting, every command and every file that they name exists."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer.main

from ivr.cli.inventory import document
from ivr.cli.main import app
from ivr.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
DOCS = (
    "README.md",
    "THREATMODEL.md",
    "CHANGELOG.md",
    "flows/README.md",
    "prompts/README.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
)


def test_every_setting_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in Settings.model_fields:
        shown = "PORT" if name == "port" else PREFIX + name.upper()
        assert f"`{shown}`" in readme, shown


def test_every_setting_that_the_documents_name_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"IVR_TEST_DATABASE_URL"}
    for name in (*DOCS, ".env.example", "docker-compose.yml"):
        named = set(re.findall(r"\bIVR_[A-Z_]+[A-Z]\b", (ROOT / name).read_text("utf-8")))
        assert {word.removesuffix("_FILE") for word in named} - {"IVR_NAME"} <= known, name


def test_every_command_that_the_documents_name_exists() -> None:
    commands: Mapping[str, object] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in DOCS:
        named = list(re.findall(r"(?:`|/|^)ivr ([a-z]+)(?: ([a-z]+)\b)?", (ROOT / name).read_text("utf-8"), re.M))
        assert {first for first, _ in named} <= commands.keys(), name
        for first, second in named:
            below = getattr(commands[first], "commands", None)
            assert below is None or not second or second in below, f"{name}: ivr {first} {second}"


def broken(name: str, text: str) -> Iterator[str]:
    """The links of a document that lead to no file, or to no heading of it."""
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = (ROOT / name).parent / target if target else ROOT / name
        if not file.exists():
            yield target
        elif heading and heading not in headings(file.read_text("utf-8")):
            yield f"{target}#{heading}"


def headings(text: str) -> set[str]:
    """Headings as they are linked to."""
    found = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_link_leads_to_a_file() -> None:
    assert [f"{name}: {link}" for name in DOCS for link in broken(name, (ROOT / name).read_text("utf-8"))] == []


def test_mutant_a_link_that_leads_nowhere_is_seen() -> None:
    text = "[a](LICENSE) [b](gone.md) [c](https://example.org) [d](README.md#develop) [e](#nowhere) [f](docs)"
    assert list(broken("README.md", text)) == ["gone.md", "#nowhere"]


def test_every_promise_is_linked_from_the_threat_model() -> None:
    text = (ROOT / "THREATMODEL.md").read_text("utf-8")
    promises = [path.name for path in sorted((ROOT / "tests" / "promises").glob("test_[a-z][0-9]_*.py"))]
    assert [name for name in promises if f"](tests/promises/{name})" not in text] == []


def test_the_data_inventory_is_what_the_code_says() -> None:
    written = (ROOT / "docs" / "data-inventory.md").read_text("utf-8")
    assert written == document(), "it is out of date: ivr inventory > docs/data-inventory.md"
