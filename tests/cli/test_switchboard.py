"""A caller and other people's phones at one terminal: what is shown, what can be done, and when time goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from ivr.carrier.phones import NeverAnswers
from ivr.channels.terminal import AtPhone, NotAKey, decode_phone, words
from ivr.cli.phone import Scripted
from ivr.cli.switchboard import Switchboard
from tests.carrier.scripted import HOST, Pages
from tests.carrier.switchboard import ANA, BEA, ROSA, Board, played, room


def question(action: str, words: str) -> str:
    waits = 'inputType="dtmf" numDigits="1" executionTimeout="5"'
    return f'<GetInput action="{HOST}/{action}" {waits}><Speak>{words}</Speak></GetInput>'


AGAIN = f"{question('chosen', 'Menu')}<Redirect>{HOST}/again</Redirect>"
OFFER = f"{question('taken', 'A call')}<Hangup/>"
PAGES: Pages = {"/answer": AGAIN, "/again": AGAIN, "/chosen": room(), "/offer": OFFER, "/taken": room()}
PATIENCE = 500
"""So many ticks somebody thinks who waits for nothing."""


@dataclass
class Person:
    """Types each line once she has seen something; and thinks meanwhile."""

    acts: list[tuple[str, str]]
    shown: list[str] = field(default_factory=list)
    read: int = 0
    ticks: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, line: str) -> None:
        self.shown.append(line)
        self.news.set()

    async def pause(self, seconds: float) -> None:
        assert seconds > 0
        self.ticks += 1
        self.news.set()
        await asyncio.sleep(0)

    async def line(self) -> str | None:
        if not self.acts:
            return None
        seen, typed = self.acts.pop(0)
        until = self.ticks + PATIENCE
        while not (any(seen in line for line in self.shown[self.read :]) if seen else self.ticks >= until):
            self.news.clear()
            await self.news.wait()
        self.read = len(self.shown)
        return typed


def terminal(person: Person, then: Callable[[Board], Awaitable[object]], pages: Pages = PAGES) -> Board:
    """A call from the terminal, in which `then` happens once it has begun."""

    async def scene(board: Board) -> None:
        board.exchange.phones.otherwise = NeverAnswers()
        caller = await board.exchange.call(ROSA)
        await then(board)
        await Switchboard(board.exchange, caller, person.show, hurries=False, pause=person.pause).talk(person)

    return played(scene, pages)


async def nothing(_: Board) -> None:
    pass


async def rings(board: Board) -> None:
    await board.order(ANA)


def test_nobody_is_hurried_at_a_question() -> None:
    person = Person([("", "/bye")])
    board = terminal(person, nothing)
    assert board.passed < 1
    assert person.shown == ["  Menu", "  [you hang up]", "  [the call is over: normal clearing]"]


def test_while_a_phone_rings_time_passes_by_itself_and_then_stands_still_again() -> None:
    person = Person([("rings no more: no answer", ""), ("", "/bye")])
    board = terminal(person, rings)
    assert f"  [phone 1, {ANA}, rings: it shows Line +12125550199. /phone 1 answers]" in person.shown
    assert 20 <= board.passed < 33


def test_whoever_sits_at_the_terminal_acts_at_every_phone_and_hears_which_words_are_whose() -> None:
    person = Person(
        [
            ("phone 1", "/phone 1 answers"),
            ("phone 1 hears: A call", "/1 presses 1"),
            ("", "1"),
            ("[you and phone 1 are together, and talk]", "/hang up"),
            ("[you hang up]", "1"),
            ("You have hung up", "/phone 1 hangs up"),
        ]
    )
    board = terminal(person, rings)
    assert "      phone 1 hears: A call" in person.shown
    assert {stay.party.number for stay in board.exchange.conferences["room"].stays} == {ROSA, ANA}
    assert person.shown[-1] == "  [phone 1 is on no call any more: normal clearing]"


def test_what_cannot_be_done_at_a_phone_is_told_and_nothing_ends() -> None:
    person = Person(
        [
            ("phone 1", "/phone 2 answers"),
            ("No phone 2 has rung", "/phone 1 presses 1"),
            ("nobody is on a call", "/phone 1 dances"),
            ("At a phone: /phone 1 answers", "/1 answers"),
            ("A call", "/1 answers"),
            ("does not ring", "/1 hangs up"),
            ("phone 1 is on no call", "/1 hangs up"),
            ("Phone 1 is on no call", "/help"),
            ("/phone 1 answers      /phone 1 presses 1", "/bye"),
        ]
    )
    terminal(person, rings)
    assert person.acts == []


def test_all_who_are_left_hang_up_at_the_end() -> None:
    async def both(board: Board) -> None:
        await board.order(ANA)
        await board.order(BEA)

    person = Person([("phone 2", "/phone 2 answers"), ("phone 2 hears", "/bye")])
    board = terminal(person, both)
    assert [leg.is_over for leg in board.exchange.legs] == [True] * 3
    assert person.shown[-2:] == [
        "  [phone 1 rings no more: originator cancel]",
        "  [phone 2 is on no call any more: normal clearing]",
    ]


def test_for_a_script_time_moves_with_its_words_alone() -> None:
    shown: list[str] = []

    async def scene(board: Board) -> None:
        caller = await board.exchange.call(ROSA)
        script = Scripted(words("/silence /silence"), shown.append)

        async def never(_: float) -> None:
            await asyncio.Event().wait()

        await Switchboard(board.exchange, caller, shown.append, hurries=True, pause=never).talk(script)

    assert played(scene, PAGES).passed == pytest.approx(2 * 5.4)
    assert shown[:5] == ["  Menu", "> /silence", "  Menu", "> /silence", "  Menu"]


@pytest.mark.parametrize(
    ("line", "act"),
    [
        ("/phone 1 answers", AtPhone(1, "answers")),
        (" /Phone 12 Presses 1#* ", AtPhone(12, "presses", "1#*")),
        ("/2 hangs  up", AtPhone(2, "hangs up")),
        ("/hang up", None),
        ("1", None),
    ],
)
def test_what_is_typed_for_a_phone(line: str, act: AtPhone | None) -> None:
    assert decode_phone(line) == act


@pytest.mark.parametrize("line", ["/phone", "/phone 1", "/1 pressed 1", "/phone 1 presses x", "/phone one answers"])
def test_what_is_meant_for_a_phone_and_is_wrong_is_told(line: str) -> None:
    with pytest.raises(NotAKey, match="/phone 1 answers"):
        decode_phone(line)


def test_the_words_of_a_script() -> None:
    assert words("1 0 /phone 1 answers /2 presses 1# /silence /phone 1 hangs up /hang up 2#") == [
        *("1", "0", "/phone 1 answers", "/2 presses 1#", "/silence", "/phone 1 hangs up", "/hang up", "2#"),
    ]
