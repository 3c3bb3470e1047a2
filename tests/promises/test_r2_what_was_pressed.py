"""R2: what a caller pressed is what is kept, whatever happens in between; what was not kept is never called saved."""

import asyncio
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from ivr.carrier.loopback import PhoneCall
from ivr.carrier.transport import AsgiTransport, Reply, Transport
from ivr.engine.asks import Answer, Ask
from ivr.engine.call import Call
from ivr.flow.phrases import phrase
from ivr.kit.clock import VirtualClock
from ivr.services.content import load
from ivr.services.turns import World
from ivr.store.database import Database, StoreUnavailable
from ivr.vault.tokens import MAX_TOKEN
from tests.promises.evidence import TOKEN, Evidence
from tests.promises.faults import Broken, Gone
from tests.promises.house import BEGINNING, ON_DUTY, PUBLIC_URL, House, house
from tests.promises.requests import request_of, send
from tests.shipped import ROOT, flow

TO_SAVED = ("1", "1", "1", "4", "#", "1", "1")
"""English, report, violence with a weapon, no more, today, right: and it is saved."""
SKIP_ALL = ("#",) * 9
"""Past every question after when, as long as none is answered."""

T = TypeVar("T")


def told(language: str, prompt: str) -> str:
    """The words of a prompt of the line's own."""
    return flow().catalogues[language].says(phrase(prompt))


SAVED = tuple(told(language, "line.saved") for language in ("en", "es"))


async def presses(call: PhoneCall, *keys: str) -> str:
    """What she hears after the last of these keys."""
    for one in keys:
        await call.press(one)
    return heard(call)


def heard(call: PhoneCall) -> str:
    return " ".join(getattr(sound, "text", "") for sound in call.heard)


async def finishes(call: PhoneCall, consent: str = "1") -> str:
    """From anywhere behind the first save to the receipt."""
    for _ in range(20):
        if told("en", "line.consent") in heard(call):
            break
        await presses(call, "1" if heard(call).startswith("You said") else "#")
    return await presses(call, consent)


def receipt_in(text: str) -> str:
    found = re.search(r"((?:\d ){3}\d, (?:\d ){3}\d, (?:\d ){3}\d)", text)
    return found[1] if found else ""


async def answers(of: House) -> list[dict[str, tuple[str, ...]]]:
    return [dict(report.answers or ()) for report in await of.reports()]


def test_a_report_made_again_in_the_same_call_is_a_second_report(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            await presses(rosa, *TO_SAVED)
            first = receipt_in(await finishes(rosa))
            await presses(rosa, "#", "2", "1", "2", "1", "#", "2", "1")
            second = receipt_in(await finishes(rosa, "2"))
            assert first
            assert second
            assert first != second
            kept = {report.listed.consent: dict(report.answers or ()) for report in await of.reports()}
            assert kept == {
                "count_only": {"what": ("weapon",), "when": ("today",)},
                "warn_others": {"what": ("taken",), "when": ("this_week",)},
            }

    asyncio.run(main())


def test_a_finished_report_stays_as_it_is_when_every_webhook_of_its_call_comes_again_backwards(
    tmp_path: Path, blank: Path
) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of, house(tmp_path / "line", clock=of.clock) as other:
            rosa = await of.line().call()
            await presses(rosa, *TO_SAVED, "*", "3", "2")
            await finishes(rosa, "3")
            await rosa.hang_up()
            before = await of.rows()
            kept = [(report.listed, report.answers) for report in await of.reports()]
            count = len(rosa.exchange)
            for number in reversed(range(count)):
                first = rosa.exchange[number].reply
                assert await rosa.redeliver(number, fresh_nonce=True) == first
            replayed = rosa.exchange[:count]
            at_once = [
                AsgiTransport(worker.app).post(one.url, headers=dict(one.headers), body=one.body)
                for one in replayed
                for worker in (of, other)
            ]
            await asyncio.gather(*at_once)
            assert await of.rows() == before
            assert [(report.listed, report.answers) for report in await of.reports()] == kept

    asyncio.run(main())


def test_a_request_that_is_done_stays_so_when_every_webhook_of_its_call_comes_again(
    tmp_path: Path, blank: Path
) -> None:
    """Else somebody would be called a second time."""

    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, on_duty=()) as of:
            rosa = await of.line().call()
            await presses(rosa, "1", "0", "2", "2125550123#", "1", "3", "2", "2")
            assert told("en", "main.report") in await presses(rosa, "1")
            [asked] = await of.reports()
            assert (asked.listed.consent, asked.listed.nights_left) == ("request", 3)
            await presses(rosa, "9")
            await of.kept.archive.done(asked.listed.id, await of.kept.session())
            before = await of.rows()
            for number in reversed(range(len(rosa.exchange))):
                assert await rosa.redeliver(number, fresh_nonce=True) == rosa.exchange[number].reply
            assert await of.rows() == before
            assert [one.answers for one in await of.reports()] == [None]

    asyncio.run(main())


def test_a_store_that_fails_is_told_as_not_saved_in_both_languages(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, database_of=Gone) as of:
            for language, key in (("en", "1"), ("es", "2")):
                rosa = await of.line(seed=language).call()
                said = await presses(rosa, key, *TO_SAVED[1:])
                failed = flow().catalogues[language].prompts["line.not_saved"].many.text.split(".")[0]
                assert failed in said
                everything = b"".join(one.reply.body for one in rosa.exchange if one.reply)
                assert not any(saved.encode() in everything for saved in SAVED)

    asyncio.run(main())


def test_where_no_store_takes_it_she_is_told_that_it_is_not_saved_and_the_next_try_is(
    tmp_path: Path, blank: Path
) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, database_of=partial(Database, wait_seconds=0.1)) as of:
            rosa = await of.line().call()
            await presses(rosa, *TO_SAVED[:-1])
            held = [sqlite3.connect(of.folder / name, isolation_level=None) for name in ("porchlight.db", "spool.db")]
            for store in held:
                store.execute("BEGIN IMMEDIATE")
            said = await presses(rosa, TO_SAVED[-1])
            assert not any(saved in said for saved in SAVED)
            for store in held:
                store.close()
            assert SAVED[0] in await presses(rosa, "1")
            assert len(await of.reports()) == 1

    asyncio.run(main())


def test_saved_is_spoken_only_when_somebody_else_can_see_the_row(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            for keys in TO_SAVED:
                said = await presses(rosa, keys)
                with sqlite3.connect(of.folder / "porchlight.db") as looking:
                    count = looking.execute("SELECT count(*) FROM reports").fetchone()[0]
                looking.close()
                assert (SAVED[0] in said) == (count == 1)

    asyncio.run(main())


EVERY_CODE = tuple(key for group in "1234" for finer in "1234" for key in (group, finer))
LONGEST = (
    *("1", "1", *EVERY_CODE, "#", "4", "1"),
    *("4", "2", "3", "1", "2", "4", "4", "3", "4", "4", "3", "4"),
    *("99999999#", "1", "999999999999999#", "1", "3"),
)


def test_the_longest_report_fits_into_its_token_and_its_body(tmp_path: Path, blank: Path, evidence: Evidence) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            longest = 0
            await presses(rosa, *LONGEST)
            assert "something went wrong" not in heard(rosa)
            await finishes(rosa, "3")
            for exchange in rosa.exchange:
                assert exchange.reply is not None
                longest = max([longest, *map(len, TOKEN.findall(exchange.reply.body))])
            assert 0 < longest < MAX_TOKEN
            (report,) = await answers(of)
            assert set(report) == {question.name for question in flow().forms["bad_date"].questions}
            assert len(report["what"]) == 16

    asyncio.run(main())
    assert max(map(len, evidence.tokens)) < MAX_TOKEN


# ---- what goes, or went, otherwise ----


def test_digits_that_wait_to_be_confirmed_are_still_there_after_nobody_was_free(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, on_duty=()) as of:
            rosa = await of.line().call()
            await presses(rosa, *TO_SAVED, *("#",) * 8, "1", "#", "4820953#")
            assert "4 8 2" in heard(rosa)
            assert told("en", "nobody_free") in await presses(rosa, "0")
            await presses(rosa, "1")
            assert "4 8 2" in heard(rosa) or told("en", "bad_date.plate") in heard(rosa)

    asyncio.run(main())


@asynccontextmanager
async def breaking_once(folder: Path, blank: Path) -> AsyncIterator[tuple[House, list[str]]]:
    """A line whose world breaks at the next ask after a name is put into the list."""
    broken: list[str] = []

    class Once:
        def __init__(self, inner: World) -> None:
            self.inner = inner

        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            if broken:
                raise Broken(broken.pop())
            return await self.inner.answer(ask, call, leg)

    async with house(folder, blank=blank, world_of=Once) as of:
        yield of, broken


def test_a_report_made_after_an_apology_is_a_report_of_its_own(tmp_path: Path, blank: Path) -> None:
    """A fault leads back to the beginning; what she tells then must not be taken for what she told before."""

    async def main() -> None:
        async with breaking_once(tmp_path / "line", blank) as (of, broken):
            rosa = await of.line().call()
            await presses(rosa, *TO_SAVED)
            first = receipt_in(await finishes(rosa))
            broken.append("a ring")
            assert "something went wrong" in await presses(rosa, "#", "1")
            await presses(rosa, "1", "2", "1", "#", "2", "1")
            second = receipt_in(await finishes(rosa, "2"))
            told_twice = [report["what"] for report in await answers(of)]
            assert sorted(told_twice) == [("taken",), ("weapon",)]
            assert first != second

    asyncio.run(main())


def test_a_call_goes_on_with_the_flow_it_began_with_or_is_told_so(tmp_path: Path, blank: Path) -> None:
    """A restart with an edited form must not read the codes of a call in progress as other codes."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    form = tmp_path / "flows" / "forms" / "bad_date.yaml"
    before = form.read_text("utf-8")
    form.write_text(before.replace("1: today, 2: this_week", "1: this_week, 2: today"), "utf-8")
    assert form.read_text("utf-8") != before
    edited = load(tmp_path / "flows", ROOT / "prompts").flow
    assert edited is not None

    async def main() -> None:
        clock = VirtualClock(BEGINNING)
        async with (
            house(tmp_path / "line", blank=blank, clock=clock) as of,
            house(tmp_path / "line", clock=clock, flow=edited) as restarted,
        ):
            switched = Switched(AsgiTransport(of.app))
            rosa = await of.line(transport=switched).call()
            await presses(rosa, "1", "1", "1", "4", "#", "1")
            switched.to = AsgiTransport(restarted.app)
            said = await presses(rosa, "1")
            kept = await answers(of)
            assert "something went wrong" in said or [report["when"] for report in kept] == [("today",)]

    asyncio.run(main())


@dataclass
class Switched:
    """A transport that can be led to another worker in the middle of a call."""

    to: Transport

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        return await self.to.post(url, headers=headers, body=body)


class LateNews(Database):
    """Commits, and then loses the connection before it can say so: once it is told to."""

    loses = False

    async def write(self, work: Callable[[Connection], T]) -> T:
        written = await super().write(work)
        if self.loses:
            raise StoreUnavailable("the connection is gone")
        return written


def test_a_consent_given_after_a_failed_save_is_the_one_that_counts(tmp_path: Path, blank: Path) -> None:
    """She was told that it was not saved, thought again, and allowed less."""

    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, database_of=LateNews) as of:
            stores = (of.database, of.parts.spool)
            rosa = await of.line().call()
            await presses(rosa, *TO_SAVED)
            for store in stores:
                assert isinstance(store, LateNews)
                store.loses = True
            assert SAVED[0] not in await finishes(rosa, "3")
            for store in stores:
                store.loses = False  # type: ignore[attr-defined]  # asserted above
            await presses(rosa, "*")
            said = await presses(rosa, "1")
            (report,) = await of.reports()
            assert report.listed.consent == "count_only" or SAVED[0] not in said

    asyncio.run(main())


def test_a_key_that_has_expired_gets_an_apology_in_both_languages_a_person_and_a_way_on(
    tmp_path: Path, blank: Path
) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            await presses(rosa, "1", "1")
            of.clock.advance(timedelta(hours=12, minutes=1))
            await rosa.silence()
            assert _place(rosa) == "AwaitingKeys"
            assert all(told(language, "line.trouble") in heard(rosa) for language in ("en", "es"))
            await rosa.silence()  # nobody knows how old that webhook is: only the next one rings
            assert _place(rosa) == "AwaitingKeys"
            await rosa.silence()
            assert _place(rosa) == "Ringing"
            assert rosa.dials[-1].dial.numbers == ON_DUTY
            await rosa.dial_ends("no-answer")
            assert told("en", "nobody_free") in heard(rosa)
            await presses(rosa, *TO_SAVED[1:])
            assert SAVED[0] in heard(rosa)

    asyncio.run(main())


def test_the_way_back_after_an_apology_is_the_same_when_its_webhook_is_doubled(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            await rosa.press("1")
            last = rosa.exchange[-1]
            again = request_of(f"{PUBLIC_URL}/voice/again/start", dict(last.headers), last.body).signed()
            first, second = await send(of.app, again), await send(of.app, again)
            assert first.status == 200
            assert first == second

    asyncio.run(main())


def _place(call: PhoneCall) -> str:
    return type(call.state).__name__
