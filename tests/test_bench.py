"""The bench cannot rot: every figure is taken here too, at a size that says nothing of speed."""

from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from bench import table
from bench.__main__ import FIGURES, README
from bench.load import Request, WrongReply, bodies
from bench.process import Cores
from bench.stage import TINY, Figure, Stage, set_up


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return set_up(tmp_path_factory.mktemp("bench"), TINY)


@pytest.mark.parametrize("measure", FIGURES, ids=lambda measure: measure.__module__)
def test_every_figure_is_taken(measure: Callable[[Stage], list[Figure]], stage: Stage) -> None:
    figures = measure(stage)
    assert figures
    assert all(figure.what and figure.measured and figure.promised for figure in figures)


def test_a_server_that_answers_otherwise_is_not_measured(stage: Stage) -> None:
    with stage.line() as line, pytest.raises(WrongReply):
        forged = b"POST /voice/answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        uvloop.run(bodies(line.port, [Request(forged, None)]))


def test_the_table_stands_between_its_marks_and_says_what_was_missed(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README.read_text("utf-8"), "utf-8")
    told = table.rendered([Figure("a turn", "0.1", "at least 0.4", kept=False)], Cores(0, 1, 2))
    table.write(readme, told)
    table.write(readme, told)
    text = readme.read_text("utf-8")
    assert text.count("| a turn | 0.1 | at least 0.4 **MISSED** |") == 1
    assert text.startswith(README.read_text("utf-8").partition(table.BEGIN)[0])
