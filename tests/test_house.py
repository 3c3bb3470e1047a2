"""The house rules: sizes, floors, style and types, and what must never stand in the repository."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULE_LINES = 400
FUNCTION_LINES = 60


def sources() -> list[Path]:
    return sorted(path for package in ("ivr", "bench") for path in (ROOT / package).rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text("utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        return [path for path in ROOT.rglob("*") if path.is_file() and not set(path.parts) & {".venv", "var"}]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_module_is_longer_than_it_may_be() -> None:
    long = {
        str(path): lines for path in sources() if (lines := len(path.read_text("utf-8").splitlines())) > MODULE_LINES
    }
    assert not long


def test_no_function_is_longer_than_it_may_be() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path in sources()
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert not long


def test_every_module_opens_with_what_it_is() -> None:
    silent = [str(path) for path in sources() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert [path for path in silent if not path.endswith("versions/__init__.py")] == []


TIMED = {"timeout", "wait_for", "wait"}
"""Functions of asyncio that end work by the machine's own clock."""
FIXED = {("patience.py", "CLOSE_SECONDS")}
"""A constant time limit that no call waits for: it ends a process that shuts down."""


def fixed_limits(path: Path) -> Iterator[str]:
    """Time limits of a module that nobody can hand in."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TIMED):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "asyncio"):
            continue
        given = [*node.args, *(word.value for word in node.keywords if word.arg == "timeout")]
        for value in given:
            is_fixed = isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.isupper())
            if is_fixed and (path.name, ast.unparse(value)) not in FIXED:
                yield f"{path.name}:{node.lineno} {ast.unparse(value)}"


def test_every_time_limit_of_a_turn_can_be_handed_in() -> None:
    """Where a constant ends what happens in virtual time, a test is about how fast the machine is."""
    floors = [ROOT / "ivr" / name for name in ("line", "services", "store", "carrier", "vault")]
    assert [found for floor in floors for path in sorted(floor.rglob("*.py")) for found in fixed_limits(path)] == []


def test_a_fixed_time_limit_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "turn.py"
    module.write_text("async with asyncio.timeout(0.5): ...\nasyncio.wait({one}, timeout=LOOK_SECONDS)\n")
    assert sorted(fixed_limits(module)) == ["turn.py:1 0.5", "turn.py:2 LOOK_SECONDS"]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "."], id="style"),
        pytest.param(["ruff", "format", "--check", "."], id="format"),
        pytest.param(["lint-imports"], id="floors"),
        pytest.param(["mypy"], id="types"),
    ],
)
def test_the_tools_have_nothing_to_say(command: list[str]) -> None:
    tool = Path(sys.executable).parent / command[0]
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_names_a_path_of_a_machine_or_a_host_that_packages_come_from() -> None:
    hosts = "|".join(("pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "deb" + r"\.debian"))
    folders = "|".join(("/" + "work/", "/" + "farm/", "/" + "root/", "/" + "home/[a-z]"))
    forbidden = re.compile(rf"(?<![\w./-])(?:{folders})|{hosts}")
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.name}: {match[0]}" for match in forbidden.finditer(text)]
    assert not found


def test_the_words_that_judge_stand_in_no_prompt() -> None:
    judged = re.compile(r"\b(victims?|víctimas?|prostitut\w*|whores?|hookers?)\b", re.I)
    for path in sorted((ROOT / "prompts").glob("*.yaml")):
        assert not judged.findall(path.read_text("utf-8")), path.name
