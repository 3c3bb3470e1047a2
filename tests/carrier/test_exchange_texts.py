"""Texts of the exchange: what somebody writes, what the line sends, and what the carrier keeps for itself."""

import json
from datetime import timedelta

import pytest

from ivr.carrier import text_behaviours as b
from ivr.carrier.documents import Refused
from ivr.carrier.messages import MOST_UCS2, units
from ivr.carrier.rest import MOST_CHARACTERS, Sending
from ivr.carrier.rest_api import Fault, NotImitated, garbage, hangs, refuses, unreachable
from ivr.carrier.signature import MAIN_SIGNATURE, SIGNATURE, Verifier
from ivr.carrier.texting import OWN_WORDS, PhoneText, TextRules, Unsent
from ivr.carrier.transport import Unreachable
from tests.carrier.scripted import BEGINNING, HOST, TOKEN, Said
from tests.carrier.shows import shows
from tests.carrier.switchboard import ACCOUNT, ANA, LINE, ROSA, Board, played

MESSAGE = f"/v1/Account/{ACCOUNT}/Message/"
WANTED = {"src": LINE, "dst": ROSA, "text": "1 for violence", "log": "false"}
TAKEN = {"/text": ""}


def told_at(board: Board) -> list[float]:
    """Seconds from the beginning at which a text was posted to the line."""
    return [(delivery.at - BEGINNING).total_seconds() for delivery in board.exchange.deliveries]


# ---- to the line ----


@shows(b.TEXT_FIELDS)
def test_a_text_is_posted_with_what_plivo_says_of_it() -> None:
    async def scene(board: Board) -> None:
        written = await board.exchange.text(ROSA, "Sí, 1", extra={"CarrierFeesRate": "0.001", "Units": "2"})
        assert board.told("/text") == [
            {
                "From": "12125550100",
                "To": "12125550199",
                "Text": "Sí, 1",
                "Type": "sms",
                "MessageUUID": written,
                "Units": "2",
                "TotalRate": "0.0055",
                "TotalAmount": "0.0055",
                "MessageIntent": "",
                "PowerpackUUID": "",
                "CarrierFeesRate": "0.001",
            }
        ]
        assert await board.exchange.text(ROSA, "2", message_id="97ceeb52-58b6-11e1-86da-77300b68f8bb") != written
        await board.exchange.quiet()
        assert board.passed == 0

    played(scene, TAKEN)


@shows(b.PICTURES)
def test_a_text_with_pictures_has_its_words_elsewhere() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "1", pictures=("https://media.example.org/1", "https://media.example.org/2"))
        [told] = board.told("/text")
        assert "Text" not in told
        assert (told["Type"], told["Body"], told["MediaCount"]) == ("mms", "1", "2")
        assert (told["Media0"], told["Media1"]) == ("https://media.example.org/1", "https://media.example.org/2")

    played(scene, TAKEN)


@shows(b.TEXT_SIGNED)
def test_only_the_main_account_s_signature_fits() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "1")
        [delivery] = board.exchange.deliveries
        headers = dict(delivery.sent.headers)

        def fits(*without: str) -> bool:
            told = [(name.lower().encode(), value.encode()) for name, value in headers.items() if name not in without]
            fields = delivery.sent.fields
            return Verifier([TOKEN], HOST).accepts("POST", path=b"/text", query=b"", headers=told, fields=fields)

        assert fits()
        assert fits(SIGNATURE)
        assert not fits(MAIN_SIGNATURE)

    played(scene, TAKEN)


@shows(b.TEXT_RETRIED, b.TEXT_TIMEOUT, b.TEXT_SAME_ID)
@pytest.mark.parametrize(
    ("answers", "at"),
    [
        ([503, ""], [0, 60]),
        ([Unreachable("rt"), ""], [0, 68]),
        ([Unreachable("ct"), 404, ""], [0, 68, 188]),
        ([500, 302, 500, ""], [0, 60, 180, 420]),
        ([500], [0, 60, 180, 420]),
        ([Unreachable("rt")], [0, 68, 196, 444]),
        ([""], [0]),
    ],
)
def test_a_text_that_is_not_taken_comes_again_and_four_times_at_most(answers: list[Said], at: list[float]) -> None:
    async def scene(board: Board) -> None:
        written = await board.exchange.text(ROSA, "1")
        await board.exchange.quiet()
        assert told_at(board) == at
        assert {delivery.message_id for delivery in board.exchange.deliveries} == {written}
        assert len({(delivery.sent.body, delivery.sent.headers) for delivery in board.exchange.deliveries}) == 1

    played(scene, {"/text": answers})


@shows(b.TEXT_UNORDERED)
def test_a_text_may_come_late_twice_and_after_a_later_one() -> None:
    async def scene(board: Board) -> None:
        first = await board.exchange.text(ROSA, "first", after=30)
        second = await board.exchange.text(ROSA, "second")
        await board.exchange.deliver_again(second)
        await board.exchange.deliver_again(first, after=5)
        await board.exchange.quiet()
        assert [fields["Text"] for fields in board.told("/text")] == ["second", "second", "first", "first"]
        assert told_at(board) == [0, 0, 5, 30]
        with pytest.raises(KeyError):
            await board.exchange.deliver_again("nobody wrote it")

    played(scene, TAKEN)


def test_where_a_number_has_no_message_url_nobody_hears_of_a_text() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "1")
        assert board.exchange.deliveries == ()

    played(scene, TAKEN, texts=None)


# ---- what the carrier keeps for itself ----


@shows(b.RESERVED, b.RESERVED_DELIVERED)
@pytest.mark.parametrize(
    ("words", "intent"),
    [
        *(("STOP", "optout"), ("stop", "optout"), ("Unsubscribe \n", "optout"), ("QUIT", "optout"), ("END", "optout")),
        *(("HELP", "help"), ("info", "help"), ("START", "optin"), ("yes", "optin"), ("GO", "optin")),
        *(("Stop it!", ""), ("please stop", ""), ("1", ""), ("", "")),
    ],
)
def test_its_words_are_named_and_whether_they_come_to_us_is_a_rule(words: str, intent: str) -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, words)
        assert [(fields["Text"], fields["MessageIntent"]) for fields in board.told("/text")] == [(words, intent)]

    async def kept(board: Board) -> None:
        await board.exchange.text(ROSA, words)
        assert [fields["Text"] for fields in board.told("/text")] == ([] if intent else [words])

    played(scene, TAKEN)
    played(kept, TAKEN, text_rules=TextRules(reserved_are_delivered=False))


@shows(b.OPTED_OUT, b.RESERVED_ANSWERED)
def test_whoever_wrote_stop_gets_nothing_until_she_writes_start() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "STOP")
        assert await board.rest.text(ROSA, "one") is Sending.SENT
        assert await board.rest.text(ANA, "another") is Sending.SENT
        assert board.exchange.inbox(ROSA) == ()
        assert board.exchange.inbox(ANA) == ("another",)
        assert board.exchange.unsent == (Unsent(ROSA, "one", BEGINNING, "200"),)
        await board.exchange.text(ROSA, "START")
        assert await board.rest.text(ROSA, "two") is Sending.SENT
        assert board.exchange.inbox(ROSA) == ("two",)
        own = [text.words for text in board.exchange.texts if text.by == "carrier"]
        assert own == [OWN_WORDS["optout"], OWN_WORDS["optin"]]

    played(scene, TAKEN, text_rules=TextRules(acknowledges=False))


@shows(b.ACKNOWLEDGED)
@pytest.mark.parametrize(("after", "sent"), [(0, ("bye",)), (300, ("bye",)), (301, ())])
def test_one_text_within_five_minutes_still_reaches_her(after: int, sent: tuple[str, ...]) -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "STOP")
        await board.exchange.run(after)
        await board.rest.text(ROSA, "bye")
        await board.rest.text(ROSA, "are you there?")
        assert board.exchange.inbox(ROSA) == sent

    played(scene, TAKEN)


def test_help_is_answered_by_the_carrier_and_start_only_where_it_undoes_something() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "help")
        await board.exchange.text(ROSA, "START")
        assert [(text.words, text.by) for text in board.exchange.texts] == [(OWN_WORDS["help"], "carrier")]

    played(scene, TAKEN)


# ---- to a phone ----


@shows(b.TEXT_REQUESTED, b.TEXT_LOG)
def test_a_text_is_taken_with_202_and_the_record_says_whether_it_was_logged() -> None:
    async def scene(board: Board) -> None:
        for log in ({"log": "false"}, {"log": False}, {"log": "true"}, {}):
            answer = await board.ask("POST", MESSAGE, json={**WANTED, "log": None} | log if log else _without("log"))
            assert answer.status_code == 202
            said = answer.json()
            assert said["message"] == "message(s) queued"
            assert len(said["message_uuid"]) == 1
            assert said["api_id"]
        assert [text.log for text in board.exchange.texts] == [False, False, True, True]
        await board.exchange.run(1)
        assert await board.rest.text(ANA, "2 for robbery") is Sending.SENT
        at = BEGINNING + timedelta(seconds=1)
        assert board.exchange.texts[-1] == PhoneText(ANA, LINE, "2 for robbery", log=False, at=at)

    played(scene, TAKEN)


def _without(*names: str) -> dict[str, str]:
    return {name: value for name, value in WANTED.items() if name not in names}


@shows(b.TEXT_REFUSED, b.TEXT_LENGTH)
@pytest.mark.parametrize(
    "body",
    [
        *(json.dumps(_without(name)) for name in ("src", "dst", "text")),
        json.dumps(WANTED | {"text": ""}),
        json.dumps(WANTED | {"dst": "911"}),
        json.dumps(WANTED | {"dst": "rosa"}),
        json.dumps(WANTED | {"dst": LINE}),
        json.dumps(WANTED | {"src": ANA}),
        json.dumps(WANTED | {"log": "no"}),
        json.dumps(WANTED | {"text": "x" * (MOST_CHARACTERS + 1)}),
        json.dumps(WANTED | {"text": "í" * (MOST_UCS2 + 1)}),
        "[]",
        "",
        "{",
    ],
)
def test_what_is_no_text_is_refused(body: str) -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask("POST", MESSAGE, content=body)).status_code == 400
        assert board.exchange.texts == ()

    played(scene, TAKEN)


@pytest.mark.parametrize("words", ["x" * MOST_CHARACTERS, "í" * MOST_UCS2])
def test_the_longest_texts_are_taken(words: str) -> None:
    async def scene(board: Board) -> None:
        assert await board.rest.text(ROSA, words) is Sending.SENT
        assert board.exchange.inbox(ROSA) == (words,)

    played(scene, TAKEN)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (WANTED | {"url": "https://line.example.org/status"}, "url"),
        (WANTED | {"type": "mms"}, "type"),
        (WANTED | {"dst": f"{ROSA}<{ANA}"}, "several numbers"),
    ],
)
def test_what_is_not_imitated_fails_the_test_loudly(body: dict[str, str], reason: str) -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask("POST", MESSAGE, json=body)).status_code == 400
        with pytest.raises(NotImitated, match=reason):
            await board.exchange.run(1)
        assert board.exchange.texts == ()

    played(scene, TAKEN)


def test_strangers_send_no_texts() -> None:
    async def scene(board: Board) -> None:
        assert (await board.ask("POST", MESSAGE, token="wrong", json=WANTED)).status_code == 401
        assert (await board.ask("GET", MESSAGE)).status_code == 405
        assert board.exchange.texts == ()

    played(scene, TAKEN)


@pytest.mark.parametrize(
    ("fault", "sending", "is_sent"),
    [
        (hangs(), Sending.UNCLEAR, False),
        (hangs(is_done=True), Sending.UNCLEAR, True),
        (unreachable(), Sending.REFUSED, False),
        (refuses(429), Sending.REFUSED, False),
        (refuses(500), Sending.REFUSED, False),
        (refuses(503, is_done=True), Sending.REFUSED, True),
        (garbage(), Sending.UNCLEAR, True),
        (garbage(is_done=False), Sending.UNCLEAR, False),
        (refuses(503, only="Message"), Sending.REFUSED, False),
        (refuses(503, only="Call"), Sending.SENT, True),
        (refuses(503, only="DELETE"), Sending.SENT, True),
    ],
)
def test_whatever_is_wrong_with_it_our_client_knows_whether_a_text_may_have_left(
    fault: Fault, sending: Sending, is_sent: bool
) -> None:
    async def scene(board: Board) -> None:
        board.exchange.rest.fails(fault)
        assert await board.rest.text(ROSA, "1 for violence") is sending
        assert len(board.exchange.texts) == is_sent
        board.exchange.rest.recovers()
        board.exchange.rest.fails(fault, number=ANA)
        assert await board.rest.text(ROSA, "again") is Sending.SENT
        assert await board.rest.text(ANA, "you too") is sending

    played(scene, TAKEN)


def test_an_interface_that_is_away_is_tried_twice_for_one_text() -> None:
    async def scene(board: Board) -> None:
        board.exchange.rest.fails(unreachable())
        await board.rest.text(ROSA, "1 for violence")
        assert [asked.status for asked in board.exchange.rest.requests] == [None, None]

    played(scene, TAKEN)


@shows(b.TEXT_XML)
def test_a_text_is_answered_in_the_answer_to_its_webhook_and_that_is_logged() -> None:
    answer = f'<Message src="{LINE}" dst="{ROSA}">1 for violence</Message>'

    async def scene(board: Board) -> None:
        await board.exchange.text(ROSA, "VOICE")
        assert board.exchange.texts == (PhoneText(ROSA, LINE, "1 for violence", log=True, at=BEGINNING),)

    played(scene, {"/text": answer})


@pytest.mark.parametrize(
    "answer",
    [
        "<Speak>hello</Speak>",
        f'<Message src="{LINE}" dst="{ROSA}" log="false">1</Message>',
        f'<Message src="{LINE}" dst="{ROSA}"></Message>',
        f'<Message src="{ANA}" dst="{ROSA}">1</Message>',
        f'<Message src="{LINE}">1</Message>',
        f'<Message src="{LINE}" dst="{ROSA}"><b>1</b></Message>',
        "words",
    ],
)
def test_an_answer_that_plivo_does_not_document_fails_the_test_loudly(answer: str) -> None:
    async def scene(board: Board) -> None:
        with pytest.raises(Refused):
            await board.exchange.text(ROSA, "VOICE")
        assert board.exchange.texts == ()

    played(scene, {"/text": answer})


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("í" * 70, 1),
        ("í" * 71, 2),
        ("😀" * 36, 2),
    ],
)
def test_a_text_is_of_so_many_parts(words: str, parts: int) -> None:
    assert units(words) == parts
