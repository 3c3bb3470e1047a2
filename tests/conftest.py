"""What holds for every test: CI permits no skip, no setting of the machine leaks in, nothing waits for an idle
machine, and the tests of one file run on one core."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from ivr.services import receipts

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

PROMISES = Path(__file__).parent / "promises"
GATHERED = {
    path.name
    for path in PROMISES.glob("test_*.py")
    if any(fixture in path.read_text("utf-8") for fixture in ("evidence: Evidence", "paths: Cover"))
}
"""Files whose tests look at what was gathered on every path of the flow."""


class Together(LoadFileScheduling):  # type: ignore[misc]  # xdist is not typed
    """A file stays on one worker, and so do all those together for which the same minute of gathering is needed."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "gathered" if Path(file).name in GATHERED else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return Together(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", action="store_true", help="print what the tests of the promises looked at")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name == "PORT" or (name.startswith("IVR_") and not name.startswith("IVR_TEST_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _nothing_gives_way() -> Iterator[None]:
    """Where every core is busy with tests, a look-up that gives way to all of them would not come in time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receipts, "give_way", lambda: None)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The sizes of PROVE=1 take as long as they take."""
    for item in items if os.environ.get("PROVE") else ():
        item.add_marker(pytest.mark.timeout(0), append=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ())) if reporter is not None else 0
    if skipped and os.environ.get("CI") == "true" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nCI permits no skip, and {skipped} were skipped.")
