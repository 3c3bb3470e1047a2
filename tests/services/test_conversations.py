"""Conversations by text: found again by the number alone, answered once however often and wherever a text arrives,
never mixed up, and gone in time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from ivr.carrier.rest import Sending
from ivr.channels.text import Starts, encode
from ivr.engine.asks import Answer, Ask, Busy, Duty, OnDuty, Opened, OpenReceipt, SaveReport, Withdraw
from ivr.engine.call import Call, begin
from ivr.engine.draft import Draft
from ivr.flow.line import CARRIERS, HELPING, STOPPING
from ivr.flow.segments import segments
from ivr.services.conversations import LONGEST, MOST_LOST, MOST_MARKS, Conversation, Conversations, _packed
from ivr.services.rehearsal import Memory
from ivr.services.texts import TextWorld, take_text
from ivr.store import live
from ivr.store.database import StoreUnavailable
from ivr.store.live import STAYS
from ivr.vault.conversations import MAX_PLAINTEXT
from tests.engine.test_receipts import TO_RECEIPTS, altered
from tests.promises.house import PROVE
from tests.services.texters import HOTLINE, LUZ, ROSA, Texters, texters
from tests.shipped import flow as shipped
from tests.store.databases import KINDS, database_of
from tests.vault.test_keyring import NOON

ANA = "+12125550145"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
Story = Callable[[Texters], Awaitable[None]]


def tell(story: Story, folder: Path, *, kind: str = "sqlite", **given: Any) -> None:
    async def main(url: str) -> None:
        async with texters(folder, url=url, **given) as of:
            await story(of)

    with database_of(kind, folder) as url:
        asyncio.run(main(url))


def memory(of: Texters) -> Memory:
    [world] = of.worlds
    assert isinstance(world, Memory)
    return world


# ---- a conversation ----


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_made_by_text(tmp_path: Path, kind: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1", "2 1 #", "1", "1")
        [report] = memory(of).reports.values()
        assert dict(report.answers) == {"what": ("taken",), "when": ("today",)}

    tell(story, tmp_path, kind=kind)


def test_voice_and_voz_begin_in_their_language(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        assert "report what someone did" in await of.text(LUZ, "voice")
        assert "contar" in await of.text(ROSA, "Voz.")

    tell(story, tmp_path)


def test_whoever_says_anything_else_first_is_asked_for_her_language(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(LUZ, "hello?")
        assert "English" in told
        assert "español" in told.lower()
        assert "report what someone did" in await of.text(LUZ, "1")

    tell(story, tmp_path)


def test_what_is_not_understood_is_answered_with_the_choices_again(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        first = await of.text(LUZ, "VOICE")
        again = await of.text(LUZ, "what do you want")
        assert "report what someone did" in again
        assert again != first

    tell(story, tmp_path)


def test_several_answers_in_one_text_stop_at_the_first_that_is_not_understood(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        told = await of.text(LUZ, "1 2 8 1 1 1")
        assert "theft" in told.lower() or "robbery" in told.lower()
        assert not memory(of).reports
        assert "today" in await of.text(LUZ, "1 #")

    tell(story, tmp_path)


def test_what_was_saved_on_the_way_is_told_with_the_last_question(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(LUZ, "VOICE 1 2 1 # 1 1 1")
        assert "saved" in told
        assert "What happened" not in told

    tell(story, tmp_path)


def test_menu_leads_to_the_first_menu_and_keeps_the_report(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOZ", "1", "2 1 #")
        assert "contar" in await of.text(LUZ, "MENU")
        assert "hoy" in await of.text(LUZ, "1"), "where she was"

    tell(story, tmp_path)


@pytest.mark.parametrize(("anyone", "told"), [(True, "Somebody is there"), (False, "nobody is free")])
def test_zero_tells_how_to_reach_a_person_and_whether_somebody_is_there(
    tmp_path: Path, anyone: bool, told: str
) -> None:
    @dataclass
    class Duties(Memory):
        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            return Duty(anyone) if isinstance(ask, OnDuty) else await super().answer(ask, call, leg)

    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        reply = await of.text(LUZ, "0")
        assert HOTLINE in reply
        assert told in reply
        assert ("What happened" if anyone else "ask us to call you") in reply, "and what she can do here"

    tell(story, tmp_path, world=Duties())


def test_an_emergency_number_is_no_answer_and_does_not_end_the_conversation(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        assert "cannot call 911 for you" in await of.text(ROSA, "911")
        await of.texts(LUZ, "VOICE", "1")
        told = await of.text(LUZ, "911")
        assert "cannot call 911 for you" in told
        assert "What happened" in told
        assert "When" in await of.text(LUZ, "2 1 #")

    tell(story, tmp_path)


@pytest.mark.parametrize("words", ["911!", "9-1-1", "call 911", "911 help", "(999)", "1, 911"])
def test_an_emergency_number_is_seen_however_it_is_written(tmp_path: Path, words: str) -> None:
    async def story(of: Texters) -> None:
        for before in ((), ("VOICE", "1")):
            await of.texts(LUZ, *before)
            told = await of.text(LUZ, words)
            assert "for you" in told, "she is not told goodbye, and not asked for her language only"
        assert "What happened" in told
        assert "for you" in await of.text(LUZ, f"VOICE {words}")

    tell(story, tmp_path)


def test_zero_tells_how_to_reach_a_person_also_where_the_conversation_is_over(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        of.waits(3 * HOUR)
        assert HOTLINE in await of.text(LUZ, "0")

    tell(story, tmp_path)


def test_what_follows_a_zero_in_a_text_is_no_answer(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "2")
        told = await of.text(LUZ, "0 1 1 1 1")
        assert HOTLINE in told
        assert "to ask us to call you" in told, "no report was begun with the digits of her receipt"

    tell(story, tmp_path)


def test_no_text_goes_past_a_receipt_that_she_has_not_read(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(LUZ, "VOICE 1 2 1 # 1 1" + " #" * 30)
        assert "0000 0000 0020" in told

    tell(story, tmp_path)


def test_a_receipt_that_is_written_again_while_she_waits_presses_nothing(tmp_path: Path) -> None:
    asked: list[Ask] = []

    @dataclass
    class Crowded(Memory):
        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            asked.append(ask)
            if isinstance(ask, OpenReceipt):
                return Opened(b"r" * 32, "bad_date", is_gone=False) if ask.has_waited else Busy(20)
            return await super().answer(ask, call, leg)

    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "2")
        told = await of.text(LUZ, "1234 4121 5678, 1 1")
        assert told.count("half a minute") == 1
        of.waits(MINUTE)
        assert "found" in await of.text(LUZ, "1234 4121 5678")
        assert not any(isinstance(ask, Withdraw) for ask in asked)

    tell(story, tmp_path, world=Crowded())


@pytest.mark.parametrize("word", ["STOP", "stop", "END", "QUIT", "CANCEL", "UNSUBSCRIBE"])
def test_the_carrier_s_words_that_stop_are_not_answered_and_end_the_conversation(tmp_path: Path, word: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        assert await of.text(LUZ, word) == ""
        assert "English" in await of.text(LUZ, "1"), "it begins anew"

    tell(story, tmp_path)


@pytest.mark.parametrize("word", sorted(CARRIERS - STOPPING))
def test_whoever_writes_another_word_of_the_phone_company_s_hears_of_us_too(tmp_path: Path, word: str) -> None:
    async def story(of: Texters) -> None:
        for sender, texts in ((LUZ, ("VOICE", "1")), (ROSA, ())):
            await of.texts(sender, *texts)
            told = await of.text(sender, word)
            if word in HELPING:
                assert HOTLINE in told
            else:
                assert ("not one of the answers" if texts else "English") in told
        if word not in HELPING:
            assert "When" in await of.text(LUZ, "2 1 #"), "she is where she was"

    tell(story, tmp_path)


@pytest.mark.parametrize("word", ["HELP", "AYUDA"])
@pytest.mark.parametrize("piece", ["4820", "4820 1234 567"])
def test_help_behind_a_piece_of_a_receipt_is_no_digit_of_it(tmp_path: Path, word: str, piece: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "2", piece)
        told = await of.text(LUZ, word)
        assert HOTLINE in told
        assert "report with that number" not in told
        assert "So far: 4820." in (await of.texts(LUZ, "MENU", "2", "4820"))[-1], "what she had begun is forgotten"

    tell(story, tmp_path)


def test_a_zero_behind_a_piece_of_a_receipt_is_a_digit_of_it(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "2", "4820")
        assert "482 00" in await of.text(LUZ, "0")

    tell(story, tmp_path)


def test_help_in_spanish_is_answered_in_spanish_from_the_first_text_on(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(ROSA, "¡Ayuda!")
        assert HOTLINE in told
        assert "Para hablar con una persona" in told
        assert segments(told).messages == 2, "as many as promised: no greeting before it"
        assert told == await of.text("+12125550177", "VOZ 0") == await of.text("+12125550188", "voz ayuda")
        await of.texts(LUZ, "hello?")
        assert "Para hablar con una persona" in await of.text(LUZ, "ayuda"), "she has not chosen another"
        await of.texts(LUZ, "VOICE", "1")
        assert "To talk with a person" in await of.text(LUZ, "ayuda"), "in the language of the conversation"

    tell(story, tmp_path)


GATE = (
    (b"always: { 0: person,", b"always: { 0: gate,"),
    (
        b"\n  nobody_free:\n",
        b"\n  gate: { branch: { on_call: anyone }, yes: person, no: nobody_free }\n  nobody_free:\n",
    ),
)


@pytest.mark.parametrize("word", ["HELP", "0"])
def test_zero_tells_whom_to_call_also_where_a_flow_looks_first_whether_anybody_is_there(
    tmp_path: Path, word: str
) -> None:
    async def story(of: Texters) -> None:
        for texts in ((), ("VOICE", "1"), ("MENU", "0", "2", "2125550123")):
            await of.texts(LUZ, *texts)
            assert (await of.text(LUZ, word)).count(HOTLINE) == 1

    tell(story, tmp_path, flow=altered(TO_RECEIPTS, *GATE))


def test_so_does_whoever_is_led_to_a_person_because_nothing_of_hers_is_understood(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.texts(LUZ, "VOICE", "5", "5", "5")
        assert told[-1].count(HOTLINE) == 1

    tell(story, tmp_path, flow=altered(TO_RECEIPTS, *GATE))


@pytest.mark.parametrize("words", ["VOICE 0 1", "VOICE help 1", "VOICE 0 0"])
def test_what_follows_a_cry_for_help_is_no_answer_in_such_a_flow_either(tmp_path: Path, words: str) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(LUZ, words)
        assert told.count(HOTLINE) == 1
        assert "to ask us to call you" in told

    tell(story, tmp_path, flow=altered(TO_RECEIPTS, *GATE))


@pytest.mark.parametrize("words", ["1 help", "my 2 friends need help", "MENU help"])
def test_help_is_heard_in_whatever_comes_first_and_after_a_newer_version(tmp_path: Path, words: str) -> None:
    async def story(of: Texters) -> None:
        assert HOTLINE in await of.text(ROSA, words)
        await of.texts(LUZ, "VOICE", "1", "2 1 #")
        _publish(of, _another(shipped()))
        assert HOTLINE in await of.text(LUZ, words)

    tell(story, tmp_path)


@pytest.mark.parametrize("words", ["1 help", "2 1 # help", "2 1 # please help me", "2 men help"])
def test_help_behind_answers_is_heard_and_they_count(tmp_path: Path, words: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        assert HOTLINE in await of.text(LUZ, words)

    tell(story, tmp_path)


MISREAD = {
    "a time": ("VOICE 1 1 4 #", "9 pm", "today"),
    "a sentence": ("VOICE 1", "2 men in a car", "violence or abuse"),
    "a number of two digits": ("VOICE 1 1 4 #", "10", "today"),
    "her receipt": ("VOICE", "2706 6635 1026", "report what someone did"),
    "her receipt in threes, one of which is 911": ("VOICE", "482 911 345 678", "report what someone did"),
    "a telephone's number": ("VOICE", "9175550123", "report what someone did"),
    "one in groups": ("VOICE", "+1 212-555-0123", "report what someone did"),
    "her number where she is asked what to do": ("VOICE 0", "212 555 0123", "start or finish a report"),
}


@pytest.mark.parametrize("name", MISREAD)
def test_what_is_a_piece_of_something_else_is_no_key(tmp_path: Path, name: str) -> None:
    begun, words, again = MISREAD[name]

    async def story(of: Texters) -> None:
        await of.text(LUZ, begun)
        told = await of.text(LUZ, words)
        assert told.startswith("That is not one of the answers.")
        assert again.casefold() in told.casefold()
        assert not memory(of).reports

    tell(story, tmp_path)


@pytest.mark.parametrize("again", ["{}", "{}, {}", "{} {}", "4120 1234 5678", "331055554444", "412 555 0123"])
def test_a_receipt_sent_again_changes_nothing_of_its_report(tmp_path: Path, again: str) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 1 2 1 # 1 1")
        while "receipt number" not in (told := await of.text(LUZ, "#")):
            assert "question" not in told
        code = "".join(filter(str.isdigit, told.partition("this report:")[2]))[:12]
        kept = dict(memory(of).reports)
        await of.text(LUZ, f"MENU 2, {code}")
        told = await of.text(LUZ, again.format(code, code))
        assert "to delete it" in told, "she is where she was"
        assert memory(of).reports == kept

    tell(story, tmp_path)


def test_two_machines_do_not_write_to_each_other_for_ever_and_whoever_answers_is_answered(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = [await of.text(LUZ, "I am driving. I will answer later.") for _ in range(40)]
        assert all(told[: MOST_LOST + 1])
        assert not any(told[MOST_LOST + 1 :])
        assert "What happened" in await of.text(LUZ, "1")
        assert "not one of the answers" in await of.text(LUZ, "what?")

    tell(story, tmp_path)


def test_nothing_is_deleted_by_one_text(tmp_path: Path) -> None:
    """She is asked twice, and an answer to a question that she has not read is none."""

    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 1 2 1 # 1 1")
        while "receipt number" not in (told := await of.text(LUZ, "#")):
            assert "question" not in told
        code = "".join(filter(str.isdigit, told.partition("this report:")[2]))[:12]
        assert "for good" in await of.text(LUZ, f"MENU 2 {code} 4 1 2")
        assert "Are you sure" in await of.text(LUZ, "1 2")
        assert memory(of).reports
        await of.text(LUZ, "2")
        assert not memory(of).reports

    tell(story, tmp_path)


def test_behind_a_telephone_s_number_a_single_digit_is_another_answer(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 0")
        await of.text(LUZ, "2")
        assert "safe to call" in await of.text(LUZ, "2125550123 1")

    tell(story, tmp_path, world=Memory())


def test_the_word_that_leaves_is_answered_in_its_language(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        assert "Hasta luego" in await of.text(LUZ, "ADIOS")

    tell(story, tmp_path)


@pytest.mark.parametrize("word", ["BYE", "ADIOS", "9"])
def test_leaving_forgets_what_was_said_and_reminds_her_to_delete_the_chat(tmp_path: Path, word: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1", "2 1 #")
        told = await of.text(LUZ, word)
        assert "delete" in told
        [(_, body)] = await of.rows()
        assert body is not None
        claimed = await _opened(of, LUZ)
        assert claimed is not None
        assert claimed.call is None
        assert claimed.reply == ""
        assert "English" in await of.text(LUZ, "1")

    tell(story, tmp_path)


def test_a_second_goodbye_is_a_goodbye_and_no_menu_pops_up(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        assert "delete" in await of.text(LUZ, "BYE")
        assert "delete" in await of.text(LUZ, "9")

    tell(story, tmp_path)


def test_a_text_that_comes_again_after_the_goodbye_brings_nothing_up(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE", message_id="first")
        await of.text(LUZ, "1", message_id="second")
        await of.text(LUZ, "BYE", message_id="third")
        for late in ("first", "second", "third"):
            assert await of.text(LUZ, "VOICE", message_id=late) == ""

    tell(story, tmp_path)


def test_nobody_is_answered_who_cannot_be(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        assert not (await of.deliver("", "VOICE")).is_unsent
        assert of.company.sent == []
        assert await of.rows() == []

    tell(story, tmp_path)


def test_where_the_disk_is_slow_the_rest_of_a_long_text_is_left_and_she_is_told_where_she_is() -> None:
    fresh, late = begin(shipped(), seed=bytes(16), at=NOON), iter([False, False, True])

    async def story() -> str:
        message = Starts("en", ("1", "2", "1", "#", "1", "1"))
        world, is_late = TextWorld(Memory(), HOTLINE), partial(next, late, True)
        reply = await take_text(shipped(), None, message, fresh=fresh, now=NOON, world=world, is_late=is_late)
        return encode(reply.said, reply.language, shipped())

    assert asyncio.run(story()).endswith("4 pay taken back")


def test_bye_behind_other_answers_leaves_too_and_what_was_saved_is_told(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(LUZ, "VOICE 1 2 1 # 1 1 bye")
        assert "saved" in told
        assert "delete this chat" in told
        assert "What time of day" not in told
        assert len(memory(of).reports) == 1
        assert "English" in await of.text(LUZ, "1")

    tell(story, tmp_path)


def test_a_conversation_after_a_goodbye_has_two_hours_of_its_own(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        of.waits(55 * MINUTE)
        await of.text(LUZ, "1")
        of.waits(55 * MINUTE)
        await of.text(LUZ, "BYE")
        of.waits(5 * MINUTE)
        await of.texts(LUZ, "VOICE", "1")
        of.waits(20 * MINUTE)
        assert "When" in await of.text(LUZ, "2 1 #")

    tell(story, tmp_path)


@pytest.mark.parametrize("words", ["1234 5678 9012", "123456789012", "0 1 2 3 4 5 6 7 8 9 0 1", "1234-5678-9012 #"])
def test_a_receipt_may_be_written_in_any_groups_and_be_followed_by_an_answer(tmp_path: Path, words: str) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 2")
        told = await of.text(LUZ, f"{words} 1")
        assert "We find no report" in told
        assert HOTLINE not in told

    tell(story, tmp_path)


def test_911_where_digits_are_written_is_told_too(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 2")
        assert "cannot call 911 for you" in await of.text(LUZ, "911")

    tell(story, tmp_path)


# ---- twice, at once, out of order ----


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_comes_twice_is_answered_once(tmp_path: Path, kind: str) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        assert "What happened" in await of.text(LUZ, "1", message_id="same")
        for worker in (0, 1):
            assert await of.text(LUZ, "1", message_id="same", worker=worker) == ""
        assert "When" in await of.text(LUZ, "2 1 #")

    tell(story, tmp_path, workers=2, kind=kind)


def test_a_reply_that_could_not_be_sent_is_sent_when_the_text_comes_again(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        of.company.answers = Sending.REFUSED
        assert (await of.deliver(LUZ, "1", message_id="same")).is_unsent
        of.company.answers = Sending.SENT
        of.waits(MINUTE)
        told = await of.text(LUZ, "1", message_id="same")
        assert "What happened" in told
        assert await of.text(LUZ, "1", message_id="same") == ""

    tell(story, tmp_path)


def test_a_reply_that_may_have_been_sent_is_not_sent_again(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        of.company.answers = Sending.UNCLEAR
        assert not (await of.deliver(LUZ, "VOICE", message_id="same")).is_unsent
        of.company.answers = Sending.SENT
        assert await of.text(LUZ, "VOICE", message_id="same") == ""

    tell(story, tmp_path)


def test_a_goodbye_that_could_not_be_sent_is_still_told(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        of.company.answers = Sending.REFUSED
        assert (await of.deliver(LUZ, "BYE", message_id="same")).is_unsent
        of.company.answers = Sending.SENT
        assert "delete" in await of.text(LUZ, "BYE", message_id="same")

    tell(story, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_two_texts_at_once_are_answered_one_after_the_other(tmp_path: Path, kind: str) -> None:
    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 1 2 1 # 1")

        async def brought(worker: int) -> None:
            """As often as the phone company brings it: on a slow disk the one before may take its time."""
            while (await of.deliver(LUZ, "1", worker=worker, message_id=f"at once {worker}")).is_unsent:
                pass

        await asyncio.gather(brought(0), brought(1))
        [report] = memory(of).reports.values()
        assert dict(report.answers) == {"what": ("taken",), "when": ("today",), "part_of_day": ("morning",)}

    tell(story, tmp_path, workers=2, kind=kind)


def test_a_text_waits_for_the_one_before_and_then_is_asked_for_again(tmp_path: Path) -> None:
    gate: list[asyncio.Event] = []

    @dataclass
    class Slow(Memory):
        held: list[str] = field(default_factory=list)

        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            if isinstance(ask, SaveReport):
                await gate[0].wait()
            return await super().answer(ask, call, leg)

    async def story(of: Texters) -> None:
        gate.append(asyncio.Event())
        await of.text(LUZ, "VOICE 1 2 1 # 1")
        saving = asyncio.create_task(of.deliver(LUZ, "1", message_id="slow"))
        for _ in range(50):
            await asyncio.sleep(0.01)
        assert (await of.deliver(LUZ, "2", worker=1, message_id="impatient")).is_unsent
        gate[0].set()
        assert not (await saving).is_unsent
        assert "part of town" in await of.text(LUZ, "2", worker=1, message_id="impatient")

    tell(story, tmp_path, workers=2, world=Slow())


def test_a_worker_that_died_over_a_text_does_not_stop_the_next(tmp_path: Path) -> None:
    class Dying(Conversations):
        async def _answered(self, text: Any, claimed: Any) -> Any:
            if text.message_id == "deadly":
                await asyncio.Event().wait()
            return await super()._answered(text, claimed)

    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE")
        dying = asyncio.create_task(of.deliver(LUZ, "1", message_id="deadly"))
        for _ in range(50):
            await asyncio.sleep(0.01)
        of.waits(timedelta(seconds=16))
        assert "What happened" in await of.text(LUZ, "1", worker=1)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)

    tell(story, tmp_path, workers=2, made_of=Dying)


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_was_away_too_long_takes_nothing_back_that_another_has_answered(
    tmp_path: Path, kind: str
) -> None:
    gate: list[asyncio.Event] = []

    @dataclass
    class Away(Memory):
        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            if isinstance(ask, SaveReport) and not gate[0].is_set():
                gate[0].set()
                await gate[1].wait()
            return await super().answer(ask, call, leg)

    async def story(of: Texters) -> None:
        gate.extend((asyncio.Event(), asyncio.Event()))
        await of.text(LUZ, "VOICE 1 2 1 # 1")
        away = asyncio.create_task(of.deliver(LUZ, "1", message_id="away"))
        await gate[0].wait()
        of.waits(timedelta(seconds=16))
        assert "time of day" in await of.text(LUZ, "1", worker=1, message_id="away")
        assert "part of town" in await of.text(LUZ, "2", worker=1)
        sent = len(of.company.sent)
        gate[1].set()
        assert (await away).is_unsent
        assert len(of.company.sent) == sent
        assert "time of day" not in await of.text(LUZ, "1"), "she is where she was"
        assert not (await of.deliver(LUZ, "1", worker=1, message_id="away")).is_unsent
        assert len(of.company.sent) == sent + 1, "it was answered by the other"

    tell(story, tmp_path, workers=2, world=Away(), kind=kind)


# ---- time ----


def test_a_conversation_goes_on_over_the_hour_and_its_older_name_is_gone(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        [(first, _)] = await of.rows()
        of.waits(61 * MINUTE)
        assert "When" in await of.text(LUZ, "2 1 #")
        [(second, _)] = await of.rows()
        assert first != second

    tell(story, tmp_path)


def test_two_hours_after_its_first_text_a_conversation_is_over_however_often_she_texts(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        for _ in range(3):
            of.waits(38 * MINUTE)
            assert await of.text(LUZ, "MENU 1")
        of.waits(10 * MINUTE)
        assert "English" in await of.text(LUZ, "2 1 #")

    tell(story, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_are_gone_in_time(tmp_path: Path, kind: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        await of.texts(ROSA, "VOZ", "BYE")
        of.waits(STAYS)
        await of.workers[0].sweep()
        assert len(await of.rows()) == 1, "hers who said goodbye is gone after ten minutes"
        of.waits(LONGEST - STAYS)
        await of.workers[0].sweep()
        assert await of.rows() == []

    tell(story, tmp_path, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sweep_while_a_text_is_answered_takes_no_conversation_that_begins_anew(tmp_path: Path, kind: str) -> None:
    @dataclass
    class Swept(Memory):
        sweep: Callable[[], Awaitable[None]] | None = None

        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            if self.sweep is not None:
                await self.sweep()
            return await super().answer(ask, call, leg)

    world = Swept()

    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "BYE")
        of.waits(STAYS - MINUTE / 2)
        world.sweep = of.workers[0].sweep
        assert "saved" in await of.text(LUZ, "VOICE 1 2 1 # 1 1")
        assert "English" not in await of.text(LUZ, "1"), "she is where she was"

    tell(story, tmp_path, kind=kind, world=world)


def test_the_keys_are_gone_in_time_and_with_them_what_opens(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        of.waits(2 * HOUR)
        of.workers[0].text_keys.sweep(of.clock.now())
        assert _everything_in(tmp_path / "run").strip(b"\0") == b""

    tell(story, tmp_path)


# ---- no more than there is room for ----


class Few(Conversations):
    """As on a disk with room for two."""

    def _most(self) -> int:
        return 2


@pytest.mark.parametrize("kind", KINDS)
def test_above_the_most_a_new_conversation_is_told_to_call_and_those_that_run_go_on(tmp_path: Path, kind: str) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        await of.text(ROSA, "VOZ")
        told = await of.text(ANA, "VOICE")
        assert "More people are texting us" in told
        assert "Ahora nos llegan" in told
        assert told.count(HOTLINE) == 2
        assert await of.text(ANA, "STOP") == "", "nothing may be sent after it"
        assert len(await of.rows()) == 2
        assert "When?" in await of.text(LUZ, "2 1 #")
        of.waits(HOUR)
        assert "come back to a report" in await of.text(LUZ, "MENU"), "also under the key of another hour"
        await of.text(LUZ, "BYE")
        of.waits(timedelta(minutes=10))
        await of.workers[0].sweep()
        assert "come back to a report" in await of.text(ANA, "VOICE"), "there is room again"

    tell(story, tmp_path, made_of=Few, kind=kind)


def test_the_longest_conversation_fits_into_the_one_length() -> None:
    """All that may be kept of one: what a flow may ask for, the longest reply, the marks of all its texts."""
    chance = Random(12)
    drafts = tuple(
        Draft(
            form=f"form_{n}",
            at=f"form_{n}.question",
            visit=9,
            consent="warn_others",
            answers=tuple((f"question_{m}", ("a_long_code", "another_code")) for m in range(20)),
        )
        for n in range(3)
    )
    call = msgspec.structs.replace(begin(shipped(), seed=bytes(16), at=NOON), drafts=drafts, typed="2125550143" * 3)
    words = " ".join(one.many.text for one in shipped().catalogues["es"].prompts.values()).split()
    reply = " ".join(chance.choices(words, k=400))[:1600]
    seen = tuple(chance.randbytes(16) for _ in range(MOST_MARKS))
    packed = _packed(Conversation(bytes(16), NOON, call, seen, reply, is_sent=False, lost=9))
    assert len(packed) <= MAX_PLAINTEXT * 3 // 4


# ---- nobody else's ----


def test_two_conversations_never_mix(tmp_path: Path) -> None:
    """Every interleaving that a seed gives: texts of two callers, each twice and some late, on two workers."""
    luz = ["VOICE", "1", "2 1 #", "1", "1", "2", "1 1"]
    rosa = ["VOZ", "1", "1 4 #", "2", "1", "4", "2 1"]

    async def alone(of: Texters, who: str, script: list[str]) -> list[str]:
        return [await of.text(who, words, message_id=f"{who} {place}") for place, words in enumerate(script)]

    async def story(of: Texters) -> None:
        expected = {LUZ: await alone(of, LUZ, luz), ROSA: await alone(of, ROSA, rosa)}
        for seed in range(12 * PROVE):
            of.waits(3 * HOUR)
            await of.workers[0].sweep()
            heard = await _interleaved(of, {LUZ: luz, ROSA: rosa}, seed)
            assert heard == expected, f"seed {seed}"

    tell(story, tmp_path, workers=2)


async def _interleaved(of: Texters, scripts: dict[str, list[str]], seed: int) -> dict[str, list[str]]:
    chance = Random(seed)  # for a test
    places = dict.fromkeys(scripts, 0)
    heard: dict[str, list[str]] = {who: [] for who in scripts}
    while any(places[who] < len(script) for who, script in scripts.items()):
        who = chance.choice([who for who, script in scripts.items() if places[who] < len(script)])
        place = places[who]
        places[who] += 1
        name = f"{seed} {who} {place}"
        before = len(of.company.sent)
        await of.deliver(who, scripts[who][place], worker=chance.randrange(2), message_id=name)
        if chance.random() < 0.5:
            await of.deliver(who, scripts[who][place], worker=chance.randrange(2), message_id=name)
        if place and chance.random() < 0.3:
            late = chance.randrange(place)
            await of.deliver(who, scripts[who][late], worker=chance.randrange(2), message_id=f"{seed} {who} {late}")
        sent = of.company.sent[before:]
        assert [to for to, _ in sent] == [who]
        heard[who].append(sent[0][1])
    return heard


def test_what_lies_on_disk_opens_nothing_without_the_number(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1", "2 1 #")
        assert await _opened(of, LUZ) is not None
        assert await _opened(of, ROSA) is None
        dump = _everything_in(tmp_path)
        for canary in (LUZ.encode(), LUZ[1:].encode(), b"bad_date", b"message 1"):
            assert canary not in dump

    tell(story, tmp_path)


def _everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def _opened(of: Texters, who: str) -> Any:
    async with of.workers[0]._claimed(who) as claimed:
        return claimed.found


# ---- a newer flow ----


def test_after_a_newer_version_of_the_flow_she_is_told_and_goes_on_where_she_was(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1", "2 1 #")
        _publish(of, _another(shipped()))
        told = await of.text(LUZ, "1")
        assert "changed" in told
        assert "When" in told
        await of.texts(LUZ, "1", "1")
        [report] = memory(of).reports.values()
        assert dict(report.answers) == {"what": ("taken",), "when": ("today",)}

    tell(story, tmp_path)


@pytest.mark.parametrize("word", ["HELP", "0"])
def test_whoever_needs_somebody_after_a_newer_version_hears_whom_to_call_at_once(tmp_path: Path, word: str) -> None:
    async def story(of: Texters) -> None:
        flow = shipped()
        for number, texts in enumerate((("VOICE", "1", "2 1 #"), ("VOICE", "0", "2", "2125550123"))):
            await of.texts(LUZ, *texts)
            flow = _another(flow, version=str(number) * 16)
            _publish(of, flow)
            told = await of.text(LUZ, word)
            assert "changed" in told
            assert HOTLINE in told

    tell(story, tmp_path)


def test_where_her_step_is_gone_she_begins_at_the_first_menu_again(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1", "2 1 #")
        _publish(of, _another(shipped(), without="bad_date.when"))
        told = await of.text(LUZ, "1")
        assert "changed" in told
        assert "English" in told or "report what someone did" in told

    tell(story, tmp_path)


def _another(flow: Any, *, without: str = "", version: str = "0" * 16) -> Any:
    steps = {name: step for name, step in flow.steps.items() if name != without}
    return replace(flow, version=version, steps=steps)


def _publish(of: Texters, flow: Any) -> None:
    for worker in of.workers:
        worker.flow = flow


# ---- when something is away ----


def test_when_the_live_rows_are_away_she_hears_where_to_call(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        told = await of.text(LUZ, "VOICE")
        assert HOTLINE in told
        assert "Sorry" in told

    class Away(Conversations):
        async def _write(self, work: Any) -> Any:
            raise StoreUnavailable("the database is gone")

    tell(story, tmp_path, made_of=Away)


def test_whatever_fails_she_is_told_so_and_where_to_call(tmp_path: Path) -> None:
    class Broken(Memory):
        async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
            raise LookupError("whatever")

    async def story(of: Texters) -> None:
        await of.text(LUZ, "VOICE 1 2 1 # 1")
        said = await of.deliver(LUZ, "1")
        assert isinstance(said.failed, LookupError)
        assert not said.is_unsent
        assert HOTLINE in of.company.sent[-1][1]
        assert "today" in await of.text(LUZ, "*"), "she is where she was"

    tell(story, tmp_path, world=Broken())


def test_by_xml_the_reply_goes_back_with_the_text(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        of.workers[0].by_xml = True
        for _ in range(2):
            reply = await of.deliver(LUZ, "VOICE", message_id="same")
            assert reply.document is not None
            assert f'dst="{LUZ}"'.encode() in reply.document or f'dst="{LUZ[1:]}"'.encode() in reply.document
        assert of.company.sent == []

    tell(story, tmp_path)


def test_a_conversation_of_another_program_is_begun_anew(tmp_path: Path) -> None:
    async def story(of: Texters) -> None:
        await of.texts(LUZ, "VOICE", "1")
        async with of.workers[0]._claimed(LUZ) as claimed:
            strange = claimed.keys[0].seal(b"\x93\x01\x02\x03")
            table = of.workers[0].live
            await table.write(lambda found: found.execute(live.conversations.update().values(body=strange)))
        assert "English" in await of.text(LUZ, "1")

    tell(story, tmp_path)
