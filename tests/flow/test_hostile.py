"""Files as large as may be, made to take long: each is refused in little time, with a bounded number of diagnostics."""

import gc
import time
from collections.abc import Callable

import pytest

from ivr.flow.source import MAX_BYTES
from tests.flow.broken import sound
from tests.flow.test_breakages import diagnosed

CPU_SECONDS = 3.0
"""Three times what is promised: the machine may be busy."""

MOST_DIAGNOSTICS = 250

FLOW, FORM = "flows/hotline.yaml", "flows/forms/incident.yaml"
TALKS, ENGLISH = "flows/hotline.talks.yaml", "prompts/en.yaml"

GROWING: dict[str, tuple[str, str, Callable[[int], str]]] = {
    "names of no sentence": (ENGLISH, "line:\n", lambda n: f"  sav{n}: x\n"),
    "the same name": (ENGLISH, "line:\n", lambda n: "  saved: x\n"),
    "wordings of no prompt": (ENGLISH, "", lambda n: f"  optio{n}: x\n"),
    "wordings with gaps": (ENGLISH, "", lambda n: f'  text_{n}: "{{a}} press {{b}}"\n'),
    "words": (ENGLISH, "words: {", lambda n: f" word{n}: x,\n"),
    "texts that nobody says": (ENGLISH, "prompts:\n", lambda n: f"  main.repor{n}: x\n"),
    "gaps that nobody fills": (ENGLISH, "prompts:\n", lambda n: f'  text_{n}: "{{a}}{{b}}"\n'),
    "steps with no verb": (FLOW, "", lambda n: f"  step_{n}: {{ sya: x }}\n"),
    "menus that lead nowhere": (FLOW, "", lambda n: f"  step_{n}: {{ menu: {{ 1: to_{n}, 2: into_{n} }} }}\n"),
    "a chain of sentences": (FLOW, "", lambda n: f"  step_{n}: {{ say: safety, next: step_{n + 1} }}\n"),
    "islands": (FLOW, "", lambda n: f"  step_{n}: {{ exit: goodbye }}\n"),
    "capitals": (FLOW, "", lambda n: f"  Step_{n}: {{ exit: goodbye }}\n"),
    "fields": (FLOW, "", lambda n: f"zone{n}: x\n"),
    "anchors": (FLOW, "", lambda n: f"a{n}: &a{n} b\n"),
    "aliases": (FLOW, "", lambda n: f"a{n}: *a\n"),
    "questions": (FORM, "", lambda n: f"  question_{n}: {{ one: {{ 1: yes }} }}\n"),
    "questions without codes": (FORM, "", lambda n: f"  question_{n}: {{ noe: {{ 1: yes }} }}\n"),
    "talks": (TALKS, "", lambda n: "- talk: x\n"),
}
"""What is repeated until a file is full: in which file, after which line (empty: at the end), and the lines."""


@pytest.mark.parametrize("name", GROWING)
def test_a_file_made_to_take_long_is_refused_in_time(name: str) -> None:
    path, after, line = GROWING[name]
    text = sound()[path].decode()
    begins, mark, ends = text.partition(after) if after else (text, "", "")
    lines: list[str] = []
    size = len(text.encode())
    while (size := size + len(line(len(lines)))) < MAX_BYTES:
        lines.append(line(len(lines)))
    refused_in_time({path: f"{begins}{mark}{''.join(lines)}{ends}".encode()})


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        pytest.param(FLOW, "next: safety", f"next: {'a' * 150_000}", id="a name"),
        pytest.param(FLOW, "[en, es]", f"[{', '.join(['en'] * 40_000)}]", id="a language"),
        pytest.param(FLOW, "{ backup: 25s } ]", f"{'{ backup: 25s }, ' * 9_000}]", id="rings"),
        pytest.param(FLOW, "3: leave }", f"{', '.join(f'{n}: leave' for n in range(3, 12_000))} }}", id="options"),
        pytest.param(FLOW, "flow: hotline", f"flow: {'[' * 150_000}", id="brackets"),
        pytest.param(FLOW, "flow: hotline", f"flow: {'{a: ' * 40_000}", id="braces"),
        pytest.param(FORM, "pass_on]", f"pass_on{', count_only' * 12_000}]", id="uses"),
        pytest.param(
            FORM, "2: robbed", f"2: {{ x: {{ {', '.join(f'{n}: y{n}' for n in range(12_000))} }} }}", id="codes"
        ),
        pytest.param(ENGLISH, "greeting: Hello.", f'greeting: "{"{x}" * 50_000}"', id="gaps"),
    ],
)
def test_a_value_made_to_take_long_is_refused_in_time(path: str, old: str, new: str) -> None:
    text = sound()[path].decode()
    assert old in text
    refused_in_time({path: text.replace(old, new, 1).encode()})


def refused_in_time(changed: dict[str, bytes]) -> None:
    assert all(len(content) <= MAX_BYTES for content in changed.values()), "it is not refused for its size"
    files = {**sound(), **changed}
    gc.freeze()  # to look through what other tests keep is none of the checker's work
    try:
        began = time.process_time()
        found = diagnosed(files)
        assert time.process_time() - began < CPU_SECONDS
    finally:
        gc.unfreeze()
    assert 1 <= len(found) <= MOST_DIAGNOSTICS
    for diagnostic in found:
        assert len(diagnostic.message) + len(diagnostic.cure) < 500
