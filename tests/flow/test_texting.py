"""What is proven of texts is what the engine says: no turn, whatever happens, makes a longer text than was reckoned."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from functools import cache

import pytest
from msgspec.structs import replace as with_changes

from ivr.engine.answering import answered
from ivr.engine.asks import ByPhone, Gone, Noted, NotNow, OfReceipt, Opened, StatusIs
from ivr.engine.call import begin
from ivr.engine.effects import Turn, WaitForDigits, WaitForKey
from ivr.flow.graph import Ask, Between, Branch, Flow, Say
from ivr.flow.line import ALIKE, CARRIERS, CONSENTS, ONLY_BY_PHONE, SENTENCES, WRITTEN
from ivr.flow.message import message
from ivr.flow.phrases import phrase
from ivr.flow.prompts import Prompt, Template
from ivr.flow.segments import segments
from ivr.flow.texting import Sent, greeting, longest
from ivr.flow.wants import WantConsent, WantNumber, WantOpen, WantPerson, WantStatus, WantWithdraw
from tests.promises.house import BEGINNING
from tests.promises.spoken import every_turn
from tests.shipped import flow

HOTLINE = "+12125550142"
BY_PHONE_TOLD = ("line.person_by_phone", "line.nobody_by_phone")
BY_PHONE = {f"line.{sentence}" for sentence in ONLY_BY_PHONE}
READS_ALL_BACK = {"bad_date:all", "bad_date:right"}
"""Her own answers, each in its words: as many as she gave."""

MOST_MESSAGES = 2


@cache
def turns() -> tuple[Turn, ...]:
    """Each turn that a text can be made of."""
    return tuple(
        turn
        for turn in every_turn(flow())
        if isinstance(turn.then, WaitForKey | WaitForDigits) and not {one.prompt for one in turn.said} & BY_PHONE
    )


def text_of(turn: Turn, of: Flow) -> str:
    return message(turn.said, turn.call.language, of.catalogues)


def reckoned(of: Flow) -> dict[tuple[str, str], Sent]:
    return {(one.wait, one.language): one for one in longest(of)}


def longer_than_reckoned(of: Flow, by: Flow) -> Iterator[str]:
    """Waits at which the engine makes a longer text of `of` than is reckoned of `by`."""
    known = reckoned(by)
    for turn in turns():
        if not any(one.is_private for one in turn.said):
            size = segments(text_of(turn, of))
            most = known[turn.call.step, turn.call.language].segments
            if (size.messages, size.characters) > (most.messages, most.characters):
                yield turn.call.step


def test_every_wait_is_reckoned_in_every_language() -> None:
    waits = {wait.name for wait in flow().waits()}
    assert reckoned(flow()).keys() == {(wait, language) for wait in waits for language in flow().languages}
    assert len({turn.call.step for turn in turns()}) > 0.7 * len(waits), "and most are met by the engine here"


def test_no_turn_makes_a_longer_text_than_was_reckoned() -> None:
    assert len(turns()) > 200
    assert list(longer_than_reckoned(flow(), flow())) == []


OF_RECEIPTS: tuple[OfReceipt | Noted, ...] = (
    *(StatusIs(state, consent) for state in ("new", "confirmed", "taken_back") for consent in CONSENTS),
    *(Opened(bytes(32), "bad_date", is_gone=is_gone) for is_gone in (False, True)),
    *(Noted(), Gone(), NotNow()),
)
AT_A_RECEIPT = {WantOpen: (Opened, Gone, NotNow), WantStatus: (StatusIs, Gone, NotNow)}
CHANGES = (Noted, Gone, NotNow)


def replied(of: Flow) -> Iterator[Turn]:
    """What the world's answers to a receipt, and to the wish for a person, become where she texts."""
    asks = [step for step in of.steps.values() if isinstance(step, Ask)]
    for language in of.languages:
        call = with_changes(begin(of, seed=bytes(16), at=BEGINNING), language=language, opened="bad_date")
        for step in asks:
            if isinstance(step.want, WantOpen | WantStatus | WantConsent | WantWithdraw):
                kinds = AT_A_RECEIPT.get(type(step.want), CHANGES)
                for answer in (one for one in OF_RECEIPTS if isinstance(one, kinds)):
                    yield answered(of, call, step, answer, BEGINNING)
            if isinstance(step.want, WantPerson):
                for wait in of.waits():
                    here = with_changes(call, trail=(wait.name,))
                    yield from (
                        answered(of, here, step, ByPhone(HOTLINE, anyone), BEGINNING) for anyone in (True, False)
                    )


def test_nothing_that_the_world_answers_makes_a_longer_text_than_was_reckoned() -> None:
    known = reckoned(flow())
    met = [turn for turn in replied(flow()) if isinstance(turn.then, WaitForKey | WaitForDigits)]
    told = {one.prompt for turn in met for one in turn.said}
    assert told >= {"line.receipt_wrong", "line.status_consent", "line.status.taken_back", *BY_PHONE_TOLD}
    for turn in met:
        if not any(one.is_private for one in turn.said):
            most = known[turn.call.step, turn.call.language].segments
            size = segments(text_of(turn, flow()))
            assert (size.messages, size.characters) <= (most.messages, most.characters), turn.call.step


REPLIES = {
    "line.receipt_wrong": "come_back:code",
    "line.receipt_not_now": "come_back:code",
    "line.status_consent": "come_back:menu",
    "line.status.taken_back": "main",
    "line.person_by_phone": "bad_date.met",
    "line.nobody_by_phone": "nobody_free",
}


@pytest.mark.parametrize("prompt", REPLIES)
def test_mutant_a_long_reply_shows_at_the_wait_behind_it(prompt: str) -> None:
    long = with_text(prompt, "a very long sentence " * 20)
    wait = REPLIES[prompt], "en"
    assert reckoned(long)[wait].segments.messages > reckoned(flow())[wait].segments.messages


def test_the_number_of_a_partner_is_reckoned_where_she_goes_on() -> None:
    told = Ask("safety", WantNumber(phrase("goodbye"), "+12125550123", 30), "main", "main")
    long = with_text("goodbye", "a very long sentence " * 20)
    most = reckoned(replace(long, steps={**long.steps, "safety": told}))["main", "en"]
    assert {"goodbye", "line.call_number"} <= {one.prompt for one in most.said}
    assert "+12125550123" in most.text


def with_text(prompt: str, words: str) -> Flow:
    catalogue = flow().catalogues["en"]
    written = Prompt(Template(words), Template(words))
    changed = replace(catalogue, texts={**catalogue.texts, prompt: written})
    return replace(flow(), catalogues={**flow().catalogues, "en": changed})


@pytest.mark.parametrize("prompt", ["safety", "line.later", "line.wrong_key", "line.any_question", "main.report"])
def test_mutant_a_sentence_that_is_not_reckoned_shows(prompt: str) -> None:
    long = with_text(prompt, "a very long sentence " * 20)
    assert list(longer_than_reckoned(long, flow()))
    assert list(longer_than_reckoned(long, long)) == []


def test_every_text_is_two_messages_at_most_but_her_own_answers() -> None:
    long = {turn.call.step for turn in turns() if segments(text_of(turn, flow())).messages > MOST_MESSAGES}
    assert long <= READS_ALL_BACK


def test_the_shipped_texts_keep_what_the_flow_promises() -> None:
    assert flow().promises.texts == MOST_MESSAGES
    assert max(one.segments.messages for one in longest(flow())) <= MOST_MESSAGES


def test_no_shipped_text_is_dear() -> None:
    assert {segments(text_of(turn, flow())).encoding for turn in turns()} == {"GSM-7"}


def test_many_forks_in_a_row_are_reckoned_in_time() -> None:
    """Each doubles the ways: forty of them have a million million."""
    noon, forks = Between(time(11), time(13)), range(40)
    steps = dict(flow().steps)
    for n in forks:
        steps[f"fork_{n}"] = Branch(f"fork_{n}", noon, f"say_{n}", f"fork_{n + 1}")
        steps[f"say_{n}"] = Say(f"say_{n}", phrase("safety"), f"fork_{n + 1}")
    steps[f"fork_{len(forks)}"] = Say(f"fork_{len(forks)}", phrase("safety"), "main")
    safety = steps["safety"]
    assert isinstance(safety, Say)
    steps["safety"] = replace(safety, to="fork_0")
    one = flow().catalogues["en"].writes(phrase("safety"))
    most = reckoned(replace(flow(), steps=steps))["main", "en"]
    assert most.text.count(one) == len(forks) + 2


# ---- the words ----


def test_every_sentence_of_the_line_is_written_read_alike_or_only_heard() -> None:
    assert set(WRITTEN) | ALIKE | set(ONLY_BY_PHONE) == set(SENTENCES)
    assert len(WRITTEN) + len(ALIKE) + len(ONLY_BY_PHONE) == len(SENTENCES)


PHONE_WORDS = {
    "en": ("press", "hang up", "stay on the line", "this call", "calling", r"star\b", "pound", "hear"),
    "es": ("oprim", "colgar", "cuelg", "numeral", "asterisco", "oír", "oir", "llamada", "marque", "marcó"),
}


@pytest.mark.parametrize("language", PHONE_WORDS)
def test_no_text_speaks_of_what_only_a_phone_has(language: str) -> None:
    # Where she asks to be called, texts speak of our call to her.
    of_her_own = [turn for turn in turns() if turn.call.language == language and "callback" not in turn.call.step]
    said = {text_of(turn, flow()).lower() for turn in of_her_own}
    said |= {words for words in wordings(language) if "{" not in words}
    assert len(said) > 50
    assert [(word, text) for word in PHONE_WORDS[language] for text in said if re.search(rf"\b{word}", text)] == []


def wordings(language: str) -> set[str]:
    return {prompt.many.text.lower() for prompt in flow().catalogues[language].texts.values()}


def test_no_text_invites_a_word_that_the_phone_company_keeps() -> None:
    for turn in turns():
        assert not CARRIERS & set(text_of(turn, flow()).replace(",", " ").replace(".", " ").split())


def test_a_text_that_begins_is_greeted_in_its_language() -> None:
    (english,), key = greeting(flow(), "en")
    assert (english.prompt, english.language, key) == ("greeting", "en", "1")
    (spanish,), key = greeting(flow(), "es")
    assert (spanish.language, key) == ("es", "2")
    assert greeting(flow(), "fr") == ((), None)
