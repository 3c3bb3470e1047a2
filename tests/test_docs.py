"""The documents stay true: every setting, every command and every file that they name exists."""

import re
from pathlib import Path

import typer.main

from ivr.cli.main import app
from ivr.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
DOCS = ("README.md", "flows/README.md", "prompts/README.md", "CHANGELOG.md")


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
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    for name in DOCS:
        text = (ROOT / name).read_text("utf-8")
        named = set(re.findall(r"(?:`|/|^)ivr ([a-z]+)", text, re.M))
        assert named <= commands, f"{name}: {named - commands}"


def test_every_link_leads_to_a_file() -> None:
    for name in DOCS:
        file = ROOT / name
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text("utf-8")):
            assert (file.parent / target).exists(), f"{name}: {target}"
