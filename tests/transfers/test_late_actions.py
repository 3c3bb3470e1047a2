"""The action of a Dial or a conference may be called after the caller has left, whatever its CallStatus says: nothing
then rings by itself, and where the hang-up is known nothing is said."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest

from ivr.carrier.party import Party
from ivr.carrier.rest_api import refuses
from ivr.carrier.transport import Reply
from ivr.line.staff import EMPTY
from tests.promises.house import PUBLIC_URL
from tests.transfers.people import NUMBERS, OUTCOMES
from tests.transfers.town import Town, town

After = Literal["dial", "conference"]
ROUTES = ("dialled", "undialled", "talked", "again")
A_MINUTE = 70.0
"""After which the same phones may be rung for the same call."""
LOST = "bG9zdA"
"""A token that opens nothing."""


def told(folder: Path, blank: Path, story: Callable[[Town], Awaitable[None]]) -> None:
    async def main() -> None:
        async with town(folder / "line", blank) as of:
            await story(of)

    asyncio.run(main())


async def talked_by(of: Town, after: After) -> Party:
    """A caller who talks with somebody, in this way."""
    await of.on_duty("ana", "bo", "cy")
    of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
    if after == "dial":
        of.exchange.rest.fails(refuses(503))
    rosa = await of.calls()
    await of.exchange.until(
        lambda: rosa.state == "talking" or any(len(room.members) == 2 for room in of.exchange.conferences.values())
    )
    await of.exchange.run(A_MINUTE)
    of.exchange.rest.recovers()
    return rosa


def token_of(rosa: Party) -> str:
    """The one that the last document of a turn names."""
    bodies = [one.reply.body for one in rosa.exchange if one.reply is not None]
    for body in reversed(bodies):
        for address in (b"/voice/talked/", b"/voice/dialled/"):
            if address in body:
                return body.partition(address)[2].partition(b"#")[0].decode()
    raise LookupError("no document has a token")


async def late(of: Town, rosa: Party, path: str, status: str, **fields: str) -> Reply:
    given = dict(rosa.leg.fields("Redirect", DialStatus="completed", ConferenceAction="exit", Digits="1", **fields))
    return await rosa.webhooks.post(f"{PUBLIC_URL}/{path}", tuple((given | {"CallStatus": status}).items()))


def asked_for(of: Town) -> int:
    """How many phones the line has asked the phone company to ring."""
    return sum(asked.method == "POST" and asked.path.endswith("/Call/") for asked in of.exchange.rest.requests)


@pytest.mark.parametrize("is_known", [True, False], ids=["hang-up known", "hang-up not told"])
@pytest.mark.parametrize("after", ["dial", "conference"])
def test_an_action_after_the_caller_left_rings_nobody_and_says_nothing_where_that_is_known(
    after: After, is_known: bool, tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        rosa = await talked_by(of, after)
        token = token_of(rosa)
        if not is_known:
            of.ear.loses = lambda url, _fields: "/voice/hangup" in url
        await rosa.hang_up()
        await of.exchange.run(1)
        before = asked_for(of)
        for route in ROUTES:
            for status in ("completed", "in-progress"):
                for given in (token, LOST):
                    reply = await late(of, rosa, f"voice/{route}/{given}", status)
                    await of.exchange.run(0)
                    what = f"{route} {status} {'lost' if given == LOST else 'good'}"
                    assert asked_for(of) == before, what
                    assert reply.status == 200
                    assert (reply.body == EMPTY) == (is_known or status == "completed"), what

    told(tmp_path, blank, story)


def test_mutant_a_route_that_rings_is_seen(tmp_path: Path, blank: Path) -> None:
    """As the same request does where the line takes it for the end of a piece that a caller has just heard."""

    async def story(of: Town) -> None:
        rosa = await talked_by(of, "conference")
        of.ear.loses = lambda url, _fields: "/voice/hangup" in url
        await rosa.hang_up()
        await of.exchange.run(1)
        before = asked_for(of)
        await late(of, rosa, f"voice/silence/{LOST}", "in-progress")
        await of.exchange.run(0)
        assert asked_for(of) > before

    told(tmp_path, blank, story)


@pytest.mark.parametrize("path", ["voice/silence/", "voice/keys/"])
def test_what_is_asked_of_a_call_whose_hang_up_is_known_rings_nobody(path: str, tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        rosa = await talked_by(of, "conference")
        token = token_of(rosa)
        await rosa.hang_up()
        await of.exchange.run(1)
        before = asked_for(of)
        for given in (token, LOST):
            assert (await late(of, rosa, path + given, "in-progress")).status == 200
            await of.exchange.run(0)
        assert asked_for(of) == before

    told(tmp_path, blank, story)


@pytest.mark.parametrize("status", ["completed", "in-progress"])
@pytest.mark.parametrize("given", ["good", LOST])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_leg_that_is_over_hears_nothing_and_rings_nobody(
    status: str, given: str, is_known: bool, tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        await talked_by(of, "conference")
        ana = of.exchange.leg(NUMBERS["ana"])
        body = next(one.reply.body for one in ana.exchange if one.reply and b"<Conference" in one.reply.body)
        token = body.partition(b"/staff/talked/")[2].partition(b"#")[0].decode() if given == "good" else given
        if not is_known:
            of.ear.loses = lambda url, _fields: "/staff/over" in url
        await ana.hang_up()
        await of.exchange.run(1)
        before = asked_for(of)
        reply = await late(of, ana, f"staff/talked/{token}", status)
        await of.exchange.run(0)
        assert asked_for(of) == before
        assert (reply.body == EMPTY) == (is_known or status == "completed")

    told(tmp_path, blank, story)


def test_a_caller_who_is_still_there_and_whose_place_is_lost_is_rung_for_after_a_sentence(
    tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        rosa = await talked_by(of, "conference")
        token = token_of(rosa)
        before = asked_for(of)
        reply = await late(of, rosa, f"voice/talked/{LOST}", "in-progress")
        assert asked_for(of) == before
        assert b"<GetDigits" in reply.body, "she hears so first, and can press a key"
        following = reply.body.partition(b"/voice/silence/")[2].partition(b"#")[0].decode()
        assert following != token
        await late(of, rosa, f"voice/silence/{following}", "in-progress")
        await of.exchange.run(0)
        assert asked_for(of) > before

    told(tmp_path, blank, story)
