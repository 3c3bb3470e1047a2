"""Figures: how soon a line that is started answers, and how soon an author hears whether her flow is sound."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import uvloop

from bench import traffic
from bench.load import bodies
from bench.process import ROOT, free_port
from bench.stage import Figure, Stage, genuine

ANSWERS_SECONDS = 2
CHECK_SECONDS = 0.5
THOUSAND_SECONDS = 1
THOUSAND = 1_000


def measure(stage: Stage) -> list[Figure]:
    bare_start = _cpu(stage, stage.settings(free_port()), "--version")
    return [_cold_start(stage), _check(stage, bare_start), _thousand(stage, bare_start)]


def _cold_start(stage: Stage) -> Figure:
    """From starting the process to the whole reply to a webhook."""
    found = []
    for _ in range(stage.size.starts):
        [[answer]] = uvloop.run(traffic.calls(stage.site, 1, turns=1))
        with stage.line() as line:
            uvloop.run(bodies(line.port, [genuine(answer)]))
            found.append(time.monotonic() - line.started_at)
    seconds = median(found)
    return Figure(
        "From starting `ivr serve` to the first webhook answered",
        f"{seconds:.2f} s",
        f"under {ANSWERS_SECONDS} s",
        seconds < ANSWERS_SECONDS,
    )


def _check(stage: Stage, start: float) -> Figure:
    seconds = _cpu(stage, stage.settings(free_port()), "check") - start
    return Figure(
        "`ivr check` of the flow that ships, CPU after start-up",
        f"{seconds:.2f} s",
        f"under {CHECK_SECONDS} s",
        seconds < CHECK_SECONDS,
    )


def _thousand(stage: Stage, start: float) -> Figure:
    seconds = _cpu(stage, stage.settings(free_port()) | _a_thousand_steps(stage.folder / "thousand"), "check") - start
    return Figure(
        f"`ivr check` of a flow with {THOUSAND:,} more steps, CPU after start-up",
        f"{seconds:.2f} s",
        f"under {THOUSAND_SECONDS} s",
        seconds < THOUSAND_SECONDS,
    )


def _cpu(stage: Stage, settings: Mapping[str, str], *words: str) -> float:
    """Seconds of CPU that a command takes: the least of several, for all else is the machine's own business."""
    found = []
    for _ in range(stage.size.starts):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "ivr", *words],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def _a_thousand_steps(folder: Path) -> dict[str, str]:
    """The content that ships, with a thousand menus of four keys each between the first sentence and the main menu, and
    the settings that lead there."""
    for top in ("flows", "prompts"):
        shutil.copytree(ROOT / top, folder / top)
    steps, texts = ["  safety: { say: safety, next: step_0 }"], []
    for number in range(THOUSAND):
        others = [other % THOUSAND for other in (number + 1, number * 7, number * 13) if other % THOUSAND != number]
        targets = ["main", *dict.fromkeys(f"step_{other}" for other in others)]
        keys = ", ".join(f"{key}: {target}" for key, target in enumerate(targets, 1))
        steps.append(f"  step_{number}: {{ menu: {{ {keys} }} }}")
        texts += [f"  step_{number}.{target}: go\n" for target in targets]
    _rewrite(folder / "flows/hotline.yaml", "  safety:     { say: safety, next: main }", "\n".join(steps))
    for file in (folder / "prompts").glob("*.yaml"):
        _rewrite(file, "\nprompts:\n", "\nprompts:\n" + "".join(texts))
    return {"IVR_FLOWS_DIR": str(folder / "flows"), "IVR_PROMPTS_DIR": str(folder / "prompts")}


def _rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text, f"{file.name} has no {old!r} any more"
    file.write_text(text.replace(old, new, 1), "utf-8")
