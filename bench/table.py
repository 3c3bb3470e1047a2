"""The figures as a table: for the terminal, and for the README between its two marks."""

import platform
from collections.abc import Sequence
from pathlib import Path

from bench.process import Cores
from bench.stage import Figure

BEGIN, END = "<!-- figures of make bench -->", "<!-- end of figures -->"


def rendered(figures: Sequence[Figure], cores: Cores) -> str:
    """Markdown, which is plain enough to be read as it is."""
    rows = [f"| {one.what} | {one.measured} | {one.promised}{'' if one.kept else ' **MISSED**'} |" for one in figures]
    return "\n".join(
        [
            f"One run on {cores.count} cores ({platform.machine()}, Python {platform.python_version()}): "
            "each server on one core, the load on another.",
            "Compare the ratios, not the machine.",
            "",
            "| what | measured | promised |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


def write(readme: Path, table: str) -> None:
    """Put the table in place of the one that stands between the marks. Raises ValueError where they are missing."""
    text = readme.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name} has no {BEGIN} with {END} behind it: put both where the table belongs")
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
