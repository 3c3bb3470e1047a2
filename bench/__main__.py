"""`python -m bench`: every figure, one table; exit 1 when a promise is missed. `--write-readme` keeps the table."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import crowd, door, lookups, saves, starting, table, turns
from bench.process import ROOT
from bench.stage import FULL, Figure, Stage, set_up

FIGURES: tuple[Callable[[Stage], list[Figure]], ...] = (
    turns.measure,
    crowd.measure,
    lookups.measure,
    saves.measure,
    starting.measure,
    door.measure,
)
README = ROOT / "README.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    wanted = parser.parse_args()
    with TemporaryDirectory() as folder:
        stage = set_up(Path(folder), FULL)
        figures = [figure for measure in FIGURES for figure in measure(stage)]
    told = table.rendered(figures, stage.cores)
    print(told)
    if wanted.write_readme:
        table.write(README, told)
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
