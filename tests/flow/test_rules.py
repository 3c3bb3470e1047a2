"""The documentation of a rule is its module's docstring: always in the same form, and its example is true."""

import re
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from types import ModuleType

import pytest

from ivr.cli.explain import codes
from ivr.flow import rules
from ivr.flow.diagnostics import Diagnostic
from tests.flow.broken import loaded, sound

_FORM = re.compile(
    r"(?P<headline>\S[^\n]*\.)\n\nWhy: (?P<why>.+?)\n\n"
    r"Example:\n\n(?P<example>(?:    [^\n]*\n|\n)+)\nCure: (?P<cure>.+)",
    re.DOTALL,
)

STEPS = {
    "branch-same-both-ways": ("  clock: { branch: { time: 22:00-06:00 }, yes: night, no: main }\n", "clock"),
    "bad-time": ("  clock: { branch: { time: 22:00-06:00 }, yes: night, no: main }\n", "clock"),
    "dead-end": ("  safety: { say: safety, next: clock }\n", "safety"),
    "duplicate-key": ("  leave: { exit: goodbye }\n", "leave"),
    "no-shortcuts": ("  report: { form: incident, next: after_report }\n", "report"),
    "unknown-field": ("  safety: { say: safety, next: clock }\n", "safety"),
    "unknown-step": ("  main:\n    menu: { 1: report, 2: person, 3: leave }\n", "main"),
    "keys-with-gaps": ("  main:\n    menu: { 1: report, 2: person, 3: leave }\n", "main"),
    "unknown-verb": ("  safety: { say: safety, next: clock }\n", "safety"),
    "unknown-form": ("  report: { form: incident, next: after_report }\n", "report"),
}
"""Rules whose example is a step or two: which lines of the sound flow it takes the place of, and the step's name."""


def module(code: str) -> ModuleType:
    return import_module(f"{rules.__name__}.{code.replace('-', '_')}")


def documentation(code: str) -> re.Match[str]:
    text = getdoc(module(code)) or ""
    match = _FORM.fullmatch(text)
    assert match is not None, f"{code}: a headline, Why, an indented Example and Cure\n{text}"
    return match


@pytest.mark.parametrize("code", codes())
def test_a_rule_tells_what_why_an_example_and_the_cure(code: str) -> None:
    told = documentation(code)
    assert len(told["headline"]) <= 120
    for part in ("why", "cure"):
        assert told[part].rstrip().endswith((".", "`", ")")), part
        assert told[part][0].isupper() or told[part][0] in "`“", part


@pytest.mark.parametrize("code", codes())
def test_a_rule_lives_in_the_module_of_its_code(code: str) -> None:
    """A diagnostic says only codes that `ivr explain` knows, and each module says its own."""
    source = Path(str(module(code).__file__)).read_text("utf-8")
    said = set(re.findall(r'Diagnostic\([^"]*?"([a-z-]+)",', source))
    assert said == {code}


def test_no_diagnostic_has_a_code_that_nobody_explains() -> None:
    ours = Path(str(rules.__file__)).parent.parent
    said = {
        code
        for path in ours.rglob("*.py")
        for code in re.findall(r'(?:Diagnostic\([^"]*?|refuse\(\s*)"([a-z]+(?:-[a-z]+)+)",', path.read_text("utf-8"))
    }
    assert len(said) > 20
    assert said <= set(codes())


@pytest.mark.parametrize("code", STEPS)
def test_the_example_of_a_rule_is_refused_by_it(code: str, tmp_path: Path) -> None:
    instead, step = STEPS[code]
    example = re.sub(r"^    ", "", documentation(code)["example"], flags=re.MULTILINE).strip("\n").splitlines()
    if example[0] == "steps:":
        example = [line[2:] for line in example[1:]]
    example[0] = re.sub(r"^[a-z_]+:", f"{step}:", example[0])
    files = dict(sound())
    flow = files["flows/hotline.yaml"].decode()
    assert instead in flow
    files["flows/hotline.yaml"] = flow.replace(instead, "".join(f"  {line}\n" for line in example)).encode()
    found: tuple[Diagnostic, ...] = loaded(files, tmp_path).diagnostics
    assert code in {diagnostic.code for diagnostic in found}
