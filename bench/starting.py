"""Figures: how soon a line that is started answers, and how soon an author hears whether her flow is sound."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from bench import traffic
from bench.load import bodies
from bench.process import ROOT, free_port
from bench.stage import Figure, Stage, genuine

ANSWERS_SECONDS = 2
CHECK_SECONDS = 0.5
THOUSAND_SECONDS = 1
THOUSAND = 1_000

CHECK = """
import sys, time
from ivr.cli.checking import check
from ivr.cli.diagnostics import Format
began = time.process_time()
check(Format.full)
print(time.process_time() - began, file=sys.stderr)
"""


def measure(stage: Stage) -> list[Figure]:
    shipped = stage.settings(free_port())
    thousand = shipped | _a_thousand_steps(stage.folder / "thousand")
    return [
        _cold_start(stage),
        _checked("the flow that ships", _cpu(shipped, stage.size.starts), most=CHECK_SECONDS),
        _checked(f"a flow with {THOUSAND:,} more steps", _cpu(thousand, stage.size.starts), most=THOUSAND_SECONDS),
    ]


def _cold_start(stage: Stage) -> Figure:
    """From starting the process to the whole reply to a webhook."""
    found = []
    for _ in range(stage.size.starts):
        [[answer]] = uvloop.run(traffic.calls(stage.site, 1, turns=1))
        with stage.line() as line:
            uvloop.run(bodies(line.port, [genuine(answer)]))
            found.append(time.monotonic() - line.started_at)
    seconds = min(found)
    return Figure(
        f"From starting `ivr serve` to the first webhook answered, the fastest of {len(found)} starts",
        f"{seconds:.2f} s",
        f"under {ANSWERS_SECONDS} s",
        seconds < ANSWERS_SECONDS,
    )


def _checked(what: str, seconds: float, *, most: float) -> Figure:
    return Figure(f"`ivr check` of {what}, CPU after start-up", f"{seconds:.2f} s", f"under {most:g} s", seconds < most)


def _cpu(settings: Mapping[str, str], times: int) -> float:
    """Seconds of CPU from when everything is imported: the least, for all above it is the machine's own business."""
    command = [sys.executable, "-c", CHECK]
    found = [
        subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=True)
        for _ in range(times)
    ]
    return min(float(done.stderr) for done in found)


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
