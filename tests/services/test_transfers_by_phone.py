"""Warm transfers, by phone: the service behind the shortest of lines, in an exchange where advocates' phones ring."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.conferences import Room, RoomRules
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.fields import parse_form
from ivr.carrier.party import Party
from ivr.carrier.phones import Answers, Fails, Keys, NeverAnswers, Phone, busy, voicemail
from ivr.carrier.rest import PlivoRest
from ivr.carrier.rest_api import hangs, refuses
from ivr.carrier.transport import AsgiTransport, Message
from ivr.kit.clock import VirtualClock
from ivr.oncall.people import Person
from ivr.services.offering import Connecting, DialNow, ForCaller, ForLeg, Hold, Meet, NobodyCan, Whisper
from ivr.services.transfers import Transfers
from ivr.store import live
from tests.founded import UNHURRIED, unhurried_database
from tests.services.test_transfers import ANA, BEGAN, BO, CY, EVE, Duty, wish
from tests.store.databases import database_of

URL = "https://line.example.org"
BACK = f"<Redirect>{URL}/met</Redirect>"
TAKES = Answers(after=4, keys=(Keys("1", at=1),))


class Here:
    def offered(self, offer: str) -> str:
        return f"{URL}/offered/{offer}"

    def offer_over(self, offer: str) -> str:
        return f"{URL}/over/{offer}"


@dataclass
class Desk:
    """What the line would say, in as few words as can be."""

    transfers: Transfers = field(init=False)
    wish_of: dict[str, int] = field(default_factory=dict)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # Any: ASGI's callables
        fields = parse_form((await receive())["body"]) or {}
        _, what, *offer = scope["path"].split("/")
        document = await self._answer(what, bytes.fromhex(offer[0]) if offer else b"", fields)
        headers = [(b"content-type", b"application/xml")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": f"<Response>{document}</Response>".encode()})

    async def _answer(self, what: str, offer: bytes, fields: dict[str, str]) -> str:
        leg = fields["CallUUID"]
        mine = wish(self.wish_of.setdefault(leg, len(self.wish_of) + 1)) if not offer else wish()
        match what:
            case "answer" | "hold":
                return _caller(await self.transfers.ask(mine))
            case "hangup":
                await self.transfers.gone([mine.caller])
            case "met":
                await self.transfers.leave(mine.id)
                return "<Speak>You are back</Speak>"
            case "offered":
                return _leg(await self.transfers.answered(offer, leg), offer)
            case "keys" if fields["Digits"] == "1":
                return _leg(await self.transfers.take(offer, leg), offer)
            case "keys":
                await self.transfers.passed(offer, leg)
            case "connecting":
                return _leg(await self.transfers.take(offer, leg), offer)
            case "over":
                await self.transfers.leg_over(offer, leg, is_failing=fields["CallStatus"] == "failed")
        return ""


def _caller(answer: ForCaller) -> str:
    match answer:
        case Hold():
            piece = '<GetDigits timeout="1" numDigits="1" finishOnKey="none"><Wait length="5"/></GetDigits>'
            return f"{piece}<Redirect>{URL}/hold</Redirect>"
        case Meet(room):
            room = f'<Conference endConferenceOnExit="true" action="{URL}/met">{room}</Conference>'
            return room + BACK
        case NobodyCan():
            return "<Speak>Nobody can</Speak>"
        case DialNow(people):
            numbers = "".join(f"<Number>{one.phone}</Number>" for one in people)
            return f'<Dial action="{URL}/met" callerId="+12125550199" callerName="Line" timeout="20">{numbers}</Dial>'


def _leg(answer: ForLeg, offer: bytes) -> str:
    match answer:
        case Whisper():
            keys = f'<GetDigits action="{URL}/keys/{offer.hex()}" numDigits="1" timeout="10">'
            return f"{keys}<Speak>A call for you</Speak></GetDigits><Hangup/>"
        case Connecting():
            return f"<Wait length='2'/><Redirect>{URL}/connecting/{offer.hex()}</Redirect>"
        case Meet(room):
            return f"<Conference>{room}</Conference><Speak>She has left</Speak>"
        case _:
            return "<Speak>It is taken</Speak>"


@dataclass
class Scene:
    exchange: Exchange
    duty: Duty
    people: tuple[Person, ...]

    def leg(self, person: Person) -> Party:
        return self.exchange.leg(person.phone)

    def room(self) -> Room:
        [room] = self.exchange.conferences.values()
        return room


def play(folder: Path, story: Callable[[Scene], Awaitable[None]], phones: dict[Person, Phone], **settings: Any) -> None:
    async def main(url: str) -> None:
        database = unhurried_database(url)
        await database.furnish(live.create)
        clock, duty = VirtualClock(BEGAN), Duty(*phones)
        desk = Desk()
        exchange = Exchange(
            Number("+12125550199", f"{URL}/answer", f"{URL}/hangup"),
            clock=clock,
            token="secret",
            transport=AsgiTransport(desk),
            settled=lambda: transfers.close(),
            **settings,
        )
        rest = PlivoRest(
            api_url="https://api.plivo.example",
            auth_id="MALOOPBACKLOOPBACK00",
            token="secret",
            number="+12125550199",
            name="Line",
            transport=exchange.client_transport(),
            limits=UNHURRIED,
        )
        desk.transfers = transfers = Transfers(
            database, duty, rest, clock, ("en", "es"), Here(), live_seconds=UNHURRIED.live
        )
        for person, phone in phones.items():
            exchange.phone(person.phone, phone)
        try:
            await story(Scene(exchange, duty, tuple(phones)))
        finally:
            await exchange.close()
            await transfers.close()
            await rest.aclose()
            await database.close()

    with database_of("sqlite", folder) as url:
        asyncio.run(main(url))


def test_a_caller_and_whoever_takes_her_call_meet_and_the_others_stop_ringing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = await scene.exchange.call()
        await scene.exchange.until(lambda: scene.exchange.conferences and len(scene.room().members) == 2)
        bo, ana, cy = scene.leg(BO), scene.leg(ANA), scene.leg(CY)
        assert (ana.state, bo.state, cy.state) == ("over", "conference", "over")
        assert (ana.status, ana.answered_at) == ("cancel", None)
        assert cy.answered_at is None
        assert scene.room().alone(rosa) <= 2
        await scene.exchange.run(600)
        await rosa.hang_up()
        await scene.exchange.quiet()
        assert scene.room().together(rosa, bo) == pytest.approx(600)
        assert (bo.words[-1], scene.room().alone(bo)) == ("She has left", 0)
        assert {leg.is_over for leg in scene.exchange.legs} == {True}

    play(tmp_path, story, {ANA: NeverAnswers(), BO: TAKES, CY: Answers(after=9)})


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (RoomRules(), ("You are back",)),
        (RoomRules(ends="any"), ("You are back",)),
        (RoomRules(ends="never"), ("You are back",)),
        (RoomRules(ends="any", sent_out="hangup"), ()),
    ],
)
def test_what_a_caller_hears_when_whoever_took_her_call_drops_out(
    tmp_path: Path, rules: RoomRules, words: tuple[str, ...]
) -> None:
    async def story(scene: Scene) -> None:
        rosa = await scene.exchange.call()
        await scene.exchange.run(60)
        assert scene.room().together(rosa, scene.leg(ANA)) > 0
        assert rosa.words == words
        assert rosa.is_over

    play(tmp_path, story, {ANA: replace(TAKES, hangs_up=30)}, rules=rules)


@pytest.mark.parametrize("at_once", [False, True])
def test_of_two_who_press_1_at_the_same_moment_one_has_the_call(tmp_path: Path, at_once: bool) -> None:
    async def story(scene: Scene) -> None:
        await scene.exchange.call()
        await scene.exchange.run(30)
        assert len(scene.room().members) == 2
        ends = sorted(scene.leg(person).state for person in scene.people)
        assert ends == ["conference", "over"]

    play(tmp_path, story, {ANA: TAKES, BO: TAKES}, at_once=at_once)


def test_voicemail_a_busy_line_and_a_dead_number_cost_the_caller_time_but_not_the_call(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = await scene.exchange.call()
        await scene.exchange.run(50)
        assert scene.room().pairs() == {frozenset({rosa.number, EVE.phone})}
        assert scene.duty.failing[CY.id]
        assert scene.leg(ANA).words == ("A call for you",)

    play(tmp_path, story, {ANA: voicemail(after=15), BO: busy(), CY: Fails(), EVE: TAKES})


def test_when_nobody_can_the_caller_is_told_in_the_promised_time(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = await scene.exchange.call()
        await scene.exchange.quiet()
        assert rosa.words == ("Nobody can",)
        assert rosa.ended_at is not None
        assert (rosa.ended_at - BEGAN).total_seconds() <= 50 + 6 + 1
        assert scene.exchange.conferences == {}

    play(tmp_path, story, {ANA: NeverAnswers(), BO: busy(), EVE: NeverAnswers()})


def test_where_rest_refuses_she_is_dialled_through(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.exchange.rest.fails(refuses(503))
        rosa = await scene.exchange.call()
        await scene.exchange.run(60)
        assert [talk.other for talk in rosa.talks] == []
        assert (rosa.state, scene.leg(BO).state, scene.leg(ANA).state) == ("talking", "talking", "over")

    play(tmp_path, story, {ANA: NeverAnswers(), BO: TAKES})


def test_a_request_that_hangs_while_the_phone_rings_is_not_made_again_and_the_call_is_taken(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.exchange.rest.fails(hangs(is_done=True, only="POST"))
        rosa = await scene.exchange.call()
        await scene.exchange.run(30)
        assert [leg.number for leg in scene.exchange.legs] == [rosa.number, ANA.phone]
        assert scene.room().pairs() == {frozenset({rosa.number, ANA.phone})}

    play(tmp_path, story, {ANA: TAKES})


def test_where_rest_breaks_down_later_whoever_has_passed_is_not_dialled(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = await scene.exchange.call()
        scene.exchange.rest.fails(refuses(503, only="POST"))
        await scene.exchange.run(60)
        assert [leg.number for leg in scene.exchange.legs] == [rosa.number, ANA.phone, EVE.phone]
        assert (rosa.state, scene.leg(EVE).state) == ("talking", "talking")

    play(tmp_path, story, {ANA: Answers(after=4, keys=(Keys("2", at=1),)), EVE: TAKES})


def test_a_phone_that_was_refused_for_no_fault_of_its_own_is_still_to_be_rung(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.exchange.rest.fails(refuses(429), number=BO.phone)
        rosa = await scene.exchange.call()
        scene.exchange.rest.recovers(number=BO.phone)
        await scene.exchange.run(50)
        assert [leg.number for leg in scene.exchange.legs] == [rosa.number, ANA.phone, BO.phone]
        assert scene.room().pairs() == {frozenset({rosa.number, BO.phone})}

    play(tmp_path, story, {ANA: NeverAnswers(), BO: TAKES})


def test_where_every_number_is_refused_the_phone_company_is_asked_to_dial_them(tmp_path: Path) -> None:
    """An account that may not show this number is refused each time, as a bad number is."""

    async def story(scene: Scene) -> None:
        scene.exchange.rest.fails(refuses(400, only="POST"))
        rosa = await scene.exchange.call()
        await scene.exchange.run(30)
        assert rosa.state == "talking"
        assert {leg.number for leg in scene.exchange.legs} >= {ANA.phone, BO.phone}

    play(tmp_path, story, {ANA: NeverAnswers(), BO: TAKES})
