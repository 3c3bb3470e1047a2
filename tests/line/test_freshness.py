"""The age of webhooks: what is old begins nothing, and somebody who was only slow goes on after a sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.documents import GetDigits, Redirect
from ivr.engine.asks import Answer, Ask, Ring
from ivr.engine.call import Call
from ivr.line.freshness import FRESH_FOR, STAMP_SIZE, age_of, age_since, is_fresh, stamped
from ivr.services import pins, rota
from ivr.services.transfers import LONGEST_TALK
from ivr.services.turns import World
from ivr.store.live import STAYS, SWEPT_EVERY
from ivr.vault.tokens import LIVES
from tests.engine.caller import NOON
from tests.promises.faults import Broken
from tests.promises.house import PUBLIC_URL, House, house, initialised
from tests.promises.passing import Fickle, Leg
from tests.promises.requests import Request
from tests.promises.warm import ALWAYS, PEOPLE
from tests.shipped import text

MINUTE = timedelta(minutes=1)
OLD = FRESH_FOR + 2 * MINUTE
SORRY = text("en", "line.trouble")


def test_a_row_lives_longer_than_what_it_makes_count_once_is_fresh() -> None:
    """A stamp is up to a minute too old, an age up to a minute too young, and rows go a sweep early."""
    assert FRESH_FOR + 2 * MINUTE < STAYS - SWEPT_EVERY


@pytest.mark.parametrize("age", [timedelta(), MINUTE, FRESH_FOR, OLD, LONGEST_TALK, LIVES])
def test_an_age_is_known_to_the_minute_for_as_long_as_a_token_opens(age: timedelta) -> None:
    for seconds in range(0, 60, 7):
        sealed_at = NOON + timedelta(seconds=seconds)
        found = age_of(stamped(b"a call", sealed_at), sealed_at + age)
        assert found == age // MINUTE
        assert is_fresh(found) == (age <= FRESH_FOR)
        assert age_since(sealed_at, sealed_at + age) == found


def test_a_stamp_is_the_same_for_a_minute_and_stands_before_the_call() -> None:
    first = stamped(b"a call", NOON)
    assert first == stamped(b"a call", NOON + timedelta(seconds=59))
    assert first != stamped(b"a call", NOON + MINUTE)
    assert first[STAMP_SIZE:] == b"a call"


def test_a_host_whose_clock_is_a_minute_ahead_is_believed_and_no_other_future() -> None:
    assert is_fresh(age_of(stamped(b"", NOON + MINUTE), NOON))
    for ahead in (2 * MINUTE, timedelta(hours=2), timedelta(days=3)):
        assert not is_fresh(age_of(stamped(b"", NOON + ahead), NOON))


def heard(leg: Leg) -> str:
    return " ".join(str(element) for element in leg.document)


Story = Callable[[House, Leg], Awaitable[None]]


def told(folder: Path, story: Story, **parts: Any) -> None:
    """A story on a line on whose rota are Ana, Bo and Eve. The leg is a template. `parts`: as house takes them."""

    async def unseen(_request: Request) -> None:
        """Nobody looks."""

    async def main() -> None:
        await initialised(folder)
        async with house(folder, rest=Fickle(works=True), **parts) as of:
            for name, (phone, languages, tier) in PEOPLE.items():
                await rota.add_person(
                    of.database, of.kept.host, name=name, phone=phone, languages=languages, tier=tier, zone="UTC"
                )
            await rota.add_shifts(of.database, [(name, ALWAYS) for name in PEOPLE])
            rosa = await of.line().call()
            await rosa.press("9")
            first = rosa.exchange[1]
            await story(of, Leg(of, unseen, dict(first.headers), dict(first.fields)))

    asyncio.run(main())


def rung(of: House) -> int:
    assert isinstance(of.parts.rest, Fickle)
    return len(of.parts.rest.placed)


def test_a_caller_whose_key_comes_late_is_asked_to_stay_and_rung_for_then(tmp_path: Path) -> None:
    async def story(of: House, template: Leg) -> None:
        rosa = template.another("rosa")
        await rosa.post(f"{PUBLIC_URL}/voice/answer")
        await rosa.press("1")
        of.clock.advance(OLD)
        await rosa.press("0")
        assert SORRY in heard(rosa)
        assert rung(of) == 0
        await rosa.silence()
        assert text("en", "line.transfer").partition("{")[0] in heard(rosa)
        assert rung(of) == 2

    told(tmp_path, story)


def test_a_key_that_asks_for_nothing_is_taken_however_late_it_is(tmp_path: Path) -> None:
    async def story(of: House, template: Leg) -> None:
        rosa = template.another("rosa")
        await rosa.post(f"{PUBLIC_URL}/voice/answer")
        of.clock.advance(OLD)
        await rosa.press("1")
        assert text("en", "safety").partition("{")[0] in heard(rosa)

    told(tmp_path, story)


def test_a_report_is_saved_however_late_its_key_is(tmp_path: Path) -> None:
    async def story(of: House, template: Leg) -> None:
        rosa = template.another("rosa")
        await rosa.post(f"{PUBLIC_URL}/voice/answer")
        for key in ("1", "1", "1", "4", "#", "1"):
            await rosa.press(key)
        of.clock.advance(OLD)
        await rosa.press("1")
        assert text("en", "line.saved") in heard(rosa)
        assert len(await of.reports()) == 1

    told(tmp_path, story)


def test_a_shift_is_changed_by_a_late_key_only_after_another_webhook(tmp_path: Path) -> None:
    async def story(of: House, template: Leg) -> None:
        pin = await pins.new_pin(of.database, of.kept.host, "ana")
        ana = template.another("ana")
        await ana.post(f"{PUBLIC_URL}/staff/line")
        await ana.press(f"{pin}#")
        assert text("en", "line.on_call") in heard(ana)
        of.clock.advance(OLD)
        await ana.press("2")
        assert SORRY in heard(ana)
        assert isinstance(ana.document[0], GetDigits)
        assert not (await of.rows())["switches"]
        await ana.silence()
        assert (await of.rows())["switches"]

    told(tmp_path, story)


def test_a_call_whose_place_is_lost_is_rung_for_at_once_only_while_it_is_young(tmp_path: Path) -> None:
    async def story(of: House, template: Leg) -> None:
        lost = f"{PUBLIC_URL}/voice/keys/lost"
        young, old, unknown = (template.another(name) for name in ("young", "old", "unknown"))
        await young.post(lost, Digits="1")
        assert SORRY in heard(young)
        assert rung(of) == 2
        of.clock.advance(OLD)
        for leg, began in ((old, old.fields["SessionStart"]), (unknown, "")):
            await leg.post(lost, Digits="1", SessionStart=began)
            assert heard(leg).count(SORRY) == 1, "once in each language"
            assert rung(of) == 2
            assert isinstance(leg.document[-1], Redirect)
        await old.silence()
        assert rung(of) > 2

    told(tmp_path, story)


def test_whoever_took_a_call_and_left_before_they_met_ends_nothing_by_a_message_that_comes_again(
    tmp_path: Path,
) -> None:
    async def story(of: House, template: Leg) -> None:
        assert isinstance(of.parts.rest, Fickle)
        rosa = template.another("rosa")
        await rosa.post(f"{PUBLIC_URL}/voice/answer")
        await rosa.press("1")
        await rosa.press("0")
        order = of.parts.rest.placed[0]
        ana = template.another("ana", To=order.to.lstrip("+"), Direction="outbound")
        whisper = await ana.post(order.answer_url)
        await ana.press("1")
        await ana.post(order.hangup_url, Event="Hangup", CallStatus="completed")
        ana.document = whisper
        await ana.press("1")
        await rosa.silence()
        assert text("en", "line.holding").partition("{")[0] in heard(rosa)

    told(tmp_path, story)


def test_a_call_in_progress_that_fails_is_rung_for_at_once(tmp_path: Path) -> None:
    """Its token says that the webhook is new, however long the call lasts already."""
    failing = [Broken("the first time")]

    @dataclass
    class Once:
        inner: World

        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            if isinstance(ask, Ring) and failing:
                raise failing.pop()
            return await self.inner.answer(ask, call, leg)

    async def story(of: House, template: Leg) -> None:
        rosa = template.another("rosa")
        await rosa.post(f"{PUBLIC_URL}/voice/answer")
        await rosa.press("1")
        of.clock.advance(OLD)
        await rosa.silence()
        of.clock.advance(MINUTE)
        await rosa.press("0")
        assert SORRY in heard(rosa)
        assert not failing
        assert rung(of) == 2

    told(tmp_path, story, world_of=Once)
