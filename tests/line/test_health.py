"""Health at the door: what strangers read says whether calls can be taken, costs nothing and tells of nobody; the rest
is for whoever shows the token."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection
from starlette.routing import Router

from ivr.app import Parts, Rings, WorldOf, build
from ivr.carrier.breaker import REFUSALS, Breaker
from ivr.kit.clock import VirtualClock
from ivr.line.health import Ready
from ivr.services.readiness import DATA_RESERVE, DATA_ROOM, RUN_RESERVE, RUN_ROOM, STALE_AFTER, Readiness, free_bytes
from ivr.services.rota import LiveRota, standing
from ivr.store.database import Database
from ivr.vault.host import HostKey
from tests.promises.faults import Away
from tests.promises.house import ON_DUTY, House, house, initialised, logs_captured
from tests.promises.requests import Got, Request, send
from tests.store.databases import KINDS, database_of

TOKEN = "a-token-of-a-monitor"
PLENTY = 1024**3

T = TypeVar("T")


def with_token(parts: Parts, clock: VirtualClock, world_of: WorldOf) -> Router:
    return build(replace(parts, health_token=TOKEN), clock, world_of)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blank")
    asyncio.run(initialised(folder))
    return folder


async def asked(of: House, path: bytes = b"/readyz", shown: str | None = None) -> Got:
    headers = () if shown is None else ((b"authorization", shown.encode()),)
    return await send(of.app, Request(path=path, method="GET", headers=headers, chunks=(b"",)))


async def until(of: House, status: int) -> dict[str, Any]:
    """Until the line's own look has come to this; what it says then."""
    async with asyncio.timeout(60):
        while (got := await asked(of)).status != status:  # noqa: ASYNC110 a chore tells nobody when it is done
            await asyncio.sleep(0)
    found: dict[str, Any] = json.loads(got.body)
    return found


def test_before_anybody_has_looked_the_line_is_alive_and_not_ready(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            assert (await asked(of, b"/healthz")).status == 200
            got = await asked(of)
            assert (got.status, json.loads(got.body)) == (503, {"status": "not ready", "age": None})

    asyncio.run(main())


def test_a_line_that_serves_is_ready_and_each_check_is_told_to_whoever_shows_the_token(
    tmp_path: Path, blank: Path
) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, builder=with_token) as of:
            async with of.router.lifespan_context(of.router):
                assert set(await until(of, 200)) == {"status", "age"}
            for shown in (None, "Bearer ", "Bearer another-token", f"bearer {TOKEN}", TOKEN, "Bearer é"):
                assert set(json.loads((await asked(of, shown=shown)).body)) == {"status", "age"}, shown
            told = json.loads((await asked(of, shown=f"Bearer {TOKEN}")).body)
            assert all(told["checks"].values()), told
            assert {name for name, is_well in told["warnings"].items() if not is_well} <= {
                "carrier_takes_requests",
                "data_folder_has_reserve",
            }
            of.clock.advance(STALE_AFTER)
            assert (await asked(of)).status == 503, "nobody has looked for long"

    asyncio.run(main())


def test_without_a_token_in_the_settings_nobody_reads_the_checks(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of, of.router.lifespan_context(of.router):
            await until(of, 200)
            for shown in (None, "Bearer ", "Bearer"):
                assert set(json.loads((await asked(of, shown=shown)).body)) == {"status", "age"}

    asyncio.run(main())


def test_a_line_without_its_database_is_not_ready_and_says_so_once(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, database_of=Away, builder=with_token) as of:
            with logs_captured() as log:
                async with of.router.lifespan_context(of.router):
                    async with asyncio.timeout(60):
                        while b"is not ready" not in log():  # noqa: ASYNC110 a chore tells nobody
                            await asyncio.sleep(0)
                told = json.loads((await asked(of, shown=f"Bearer {TOKEN}")).body)
            assert (await asked(of)).status == 503
            assert not told["checks"]["database_writes"]
            [line] = [json.loads(line) for line in log().splitlines() if b"ready" in line]
            assert "database_writes" in line["checks"]
            assert set(line) == {"event", "level", "timestamp", "checks"}

    asyncio.run(main())


# ---- each thing that may be wrong ----


class Counting(Database):
    """A database that counts what is asked of it."""

    asked = 0

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        Counting.asked += 1
        return await super().read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        Counting.asked += 1
        return await super().write(work)


@asynccontextmanager
async def looking(folder: Path, blank: Path, **parts: Any) -> AsyncIterator[tuple[House, Readiness]]:
    """A line whose keys and rota are known, and somebody who looks when told to."""
    async with house(folder, blank=blank, **parts) as of:
        await of.kept.spool.open()
        reports = of.kept.reports()
        await reports.ready(of.clock.now().date())
        rota = LiveRota(of.database, of.kept.host, standing(ON_DUTY, ("en",), "UTC"))
        keys = Rings.of(of.keys)
        rings = (keys.seeds, keys.tokens, keys.texts)
        spool, live = of.parts.spool, of.parts.live
        yield (
            of,
            Readiness(
                of.database, live, spool, reports, rota, Breaker(), rings, of.keys, of.clock, room=lambda _: PLENTY
            ),
        )
        await reports.close()


def no_keys(of: House, _: Readiness) -> None:
    shutil.rmtree(of.keys)
    of.keys.write_text("in the way")


def no_live_rows(of: House, _: Readiness) -> None:
    for file in (of.folder / "live").iterdir():
        file.unlink()


def no_database(of: House, _: Readiness) -> None:
    (of.folder / "porchlight.db").unlink()


def run_folder_full(of: House, readiness: Readiness) -> None:
    readiness.room = lambda folder: RUN_ROOM - 1 if folder == of.keys else PLENTY


def data_disk_full(of: House, readiness: Readiness) -> None:
    readiness.room = lambda folder: PLENTY if folder == of.keys else DATA_ROOM - 1


def no_report_keys(of: House, readiness: Readiness) -> None:
    readiness.reports = of.kept.reports(host=HostKey.of(b"the secret of another line"))


@pytest.mark.parametrize(
    ("break_it", "check"),
    [
        (no_keys, "keys_can_be_written"),
        (no_live_rows, "live_rows_write"),
        (no_database, "database_writes"),
        (run_folder_full, "run_folder_has_room"),
        (data_disk_full, "data_folder_has_room"),
        (no_report_keys, "reports_can_be_sealed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_keeps_the_line_from_calls_or_reports_is_found_and_told_once(
    tmp_path: Path, blank: Path, break_it: Callable[[House, Readiness], None], check: str
) -> None:
    async def main() -> None:
        async with looking(tmp_path / "line", blank) as (of, readiness):
            with logs_captured() as log:
                await readiness.look()
                assert readiness.is_ready()
                break_it(of, readiness)
                for _ in range(3):
                    await readiness.look()
                assert not readiness.is_ready()
                assert readiness.last is not None
                assert readiness.last.failing == (check,)
                assert log().count(b"the line is not ready") == 1

    asyncio.run(main())


def test_the_line_is_ready_again_when_there_is_room_and_says_so_once(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with looking(tmp_path / "line", blank) as (of, readiness):
            with logs_captured() as log:
                run_folder_full(of, readiness)
                await readiness.look()
                readiness.room = lambda _: PLENTY
                for _ in range(2):
                    await readiness.look()
            assert readiness.is_ready()
            assert [json.loads(line)["event"] for line in log().splitlines()] == [
                "the line is not ready",
                "the line is ready again",
            ]

    asyncio.run(main())


def test_what_only_somebody_should_see_to_is_a_warning_and_no_stranger_s_business(tmp_path: Path, blank: Path) -> None:
    """Nobody on call, a phone company that refuses (it is asked only when somebody calls), months that run out."""

    async def main() -> None:
        async with looking(tmp_path / "line", blank) as (of, readiness):
            app = Ready(readiness, TOKEN)
            of.app = app
            await readiness.look()
            calm, told = await asked(of), await asked(of, shown=f"Bearer {TOKEN}")
            readiness.rota = LiveRota(of.database, of.kept.host)
            for _ in range(REFUSALS):
                readiness.breaker.refused(of.clock.now())
            readiness.room = lambda folder: RUN_RESERVE - 1 if folder == of.keys else DATA_RESERVE - 1
            of.clock.advance(timedelta(days=200))
            await readiness.look()
            assert readiness.last is not None
            assert not any(readiness.last.warnings.values())
            assert await asked(of) == calm
            assert await asked(of, shown=f"Bearer {TOKEN}") != told

    asyncio.run(main())


def test_whoever_asks_a_thousand_times_costs_the_databases_nothing(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with looking(tmp_path / "line", blank, database_of=Counting) as (of, readiness):
            of.app = Ready(readiness, "")
            await readiness.look()
            before = Counting.asked
            for _ in range(1000):
                assert (await asked(of)).status == 200
            assert Counting.asked == before
            await readiness.look()
            assert Counting.asked > before

    asyncio.run(main())


def test_a_look_leaves_nothing_behind(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with looking(tmp_path / "line", blank) as (of, readiness):
            await readiness.look()
            rows, names = await of.rows(), sorted(of.files())
            for _ in range(3):
                await readiness.look()
            assert await of.rows() == rows
            assert sorted(of.files()) == names

    asyncio.run(main())


@pytest.mark.skipif("postgresql" not in KINDS, reason="there is no PostgreSQL here")
def test_a_database_that_only_reads_is_found(tmp_path: Path, blank: Path) -> None:
    async def main(url: str) -> None:
        async with looking(tmp_path / "line", blank) as (_, readiness):
            both = Database(url), Database(f"{url}%20-c%20default_transaction_read_only%3Don")
            await both[0].migrate()
            for readiness.database, is_ready in zip(both, (True, False), strict=True):
                await readiness.look()
                assert readiness.is_ready() is is_ready
                await readiness.database.close()

    with database_of("postgresql", tmp_path) as url:
        asyncio.run(main(url))


def test_free_space_is_what_the_disk_says_and_none_where_there_is_no_folder(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
    assert free_bytes(tmp_path / "nowhere") == 0
