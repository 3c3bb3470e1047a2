"""Coming back with a receipt, on the engine itself: what she hears, and what is asked of the world for it."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

import pytest
from msgspec.structs import replace

from ivr.engine.asks import (
    Answer,
    Ask,
    AskStatus,
    Busy,
    ByPhone,
    ChangeConsent,
    Crowded,
    Gone,
    Holding,
    Noted,
    NotNow,
    Opened,
    OpenReceipt,
    Ring,
    Saved,
    SaveReport,
    StatusIs,
    Stopped,
    StopRinging,
    Unsure,
    Withdraw,
)
from ivr.engine.call import Call
from ivr.engine.effects import Hold, WaitForDigits
from ivr.flow.compiler import compile_flow
from ivr.flow.graph import Flow
from ivr.services.rehearsal import Memory
from ivr.services.telling import told_in
from tests.engine.caller import Caller
from tests.shipped import ROOT

CODE = "482001234567"
SLOW = bytes(range(32))
REPORT = "1 1 1 4 # 1 1 # # # # # # # # # # # 1 1"


@dataclass
class OneReport:
    """A world with one report, and everything that was asked of it."""

    asked: list[Ask] = field(default_factory=list)
    is_gone: bool = False
    busy: int = 0
    is_crowded: bool = False
    is_away: bool = False
    is_slow: bool = False
    form: str = "bad_date"
    slow: bytes = SLOW

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        self.asked.append(ask)
        match ask:
            case OpenReceipt():
                return self._opened(ask)
            case AskStatus() | ChangeConsent() | Withdraw() if self.is_away:
                return NotNow()
            case ChangeConsent() | Withdraw() if self.is_slow:
                return Unsure()
            case AskStatus():
                return StatusIs("new", "warn_others")
            case ChangeConsent():
                return Noted()
            case Withdraw():
                self.is_gone = True
                return Noted()
            case SaveReport():
                return Saved("999900001111" if ask.has_receipt else None)
            case Ring():
                return Holding(50)
            case StopRinging():
                return Stopped()
        raise AssertionError(ask)

    def _opened(self, ask: OpenReceipt) -> Answer:
        if self.is_away:
            return NotNow()
        if self.is_crowded:
            return Crowded()
        if self.busy and not ask.has_waited:
            return Busy(self.busy)
        return Opened(self.slow, self.form, self.is_gone) if ask.code == CODE else Gone()

    def of(self, kind: type[Ask]) -> list[Ask]:
        return [ask for ask in self.asked if isinstance(ask, kind)]


def opened(world: OneReport | None = None, keys: str = CODE) -> Caller:
    return Caller(world=world or OneReport()).presses(f"1 2 {keys}")


def test_a_receipt_opens_what_it_is_good_for() -> None:
    rosa = opened()
    assert rosa.heard[0] == "line.receipt_found"
    assert "check on your report" in rosa.text
    assert "delete it" in rosa.text


def test_a_receipt_may_be_typed_in_groups_with_long_pauses_between_them() -> None:
    rosa = opened(keys="4820")
    assert rosa.heard == ["line.digits_more"]
    assert "4 8 2, 0" in rosa.text or "4 8 2 0" in rosa.text
    assert isinstance(rosa.turn.then, WaitForDigits)
    assert rosa.presses("0123 4567#").heard[0] == "line.receipt_found"


def test_silence_in_the_middle_keeps_what_was_typed() -> None:
    rosa = opened(keys="4820").says_nothing()
    assert rosa.heard == ["line.silence", "line.digits_more"]
    assert rosa.presses("01234567").heard[0] == "line.receipt_found"


def test_a_star_begins_a_receipt_again_and_does_not_leave() -> None:
    rosa = opened(keys="9999 *")
    assert "line.receipt_ask" in rosa.heard
    assert rosa.presses(CODE).heard[0] == "line.receipt_found"


def test_the_whole_number_after_a_false_start_counts() -> None:
    assert opened(keys=f"99 {CODE}").heard[0] == "line.receipt_found"


def test_a_wrong_receipt_may_be_tried_again_and_after_three_the_line_goes_on() -> None:
    world = OneReport()
    rosa = opened(world, keys="111111111111")
    assert rosa.heard[:2] == ["line.receipt_wrong", "line.receipt_ask"]
    rosa.presses("111111111112 111111111113")
    assert rosa.heard[:2] == ["line.receipt_wrong", "line.receipt_no"]
    assert rosa.at == "main"
    rosa.presses("2")
    assert rosa.heard[0] == "line.receipt_no"
    assert len(world.of(OpenReceipt)) == 3


def test_a_right_receipt_at_the_third_try_opens() -> None:
    assert opened(keys=f"111111111111 111111111112 {CODE}").heard[0] == "line.receipt_found"


def test_thirteen_digits_are_told_as_wrong_and_look_nothing_up() -> None:
    world = OneReport()
    assert opened(world, keys=CODE + "1").heard[0] == "line.digits_wrong"
    assert not world.asked


def test_she_hears_how_her_report_stands_and_what_it_may_be_used_for() -> None:
    rosa = opened().presses("1")
    assert rosa.heard[:2] == ["line.status.new", "line.status_consent"]
    assert "also warn others" in rosa.text
    assert rosa.at == "come_back:menu"


@pytest.mark.parametrize(("key", "consent"), [("1", "count_only"), ("2", "warn_others"), ("3", "pass_on")])
def test_consent_is_changed_with_one_key_more(key: str, consent: str) -> None:
    world = OneReport()
    rosa = opened(world).presses(f"3 {key}")
    assert rosa.heard[0] == "line.consent_changed"
    [asked] = world.of(ChangeConsent)
    assert isinstance(asked, ChangeConsent)
    assert (asked.receipt, asked.consent) == (SLOW, consent)
    assert asked.change == rosa.turn.call.turn


def test_two_changes_in_one_call_have_two_names() -> None:
    world = OneReport()
    opened(world).presses("3 3 3 1")
    first, second = world.of(ChangeConsent)
    assert first != second


def test_deleting_is_asked_twice_with_another_key_each_time() -> None:
    world = OneReport()
    rosa = opened(world).presses("4")
    assert rosa.heard[0] == "line.receipt_sure"
    rosa.presses("1")
    assert rosa.heard[0] == "line.receipt_sure_again"
    assert not world.of(Withdraw)
    rosa.presses("2")
    assert rosa.heard[0] == "line.receipt_withdrawn"
    assert rosa.at == "main"
    assert world.of(Withdraw) == [Withdraw(SLOW)]


@pytest.mark.parametrize("keys", ["4 2", "4 #", "4 *", "4 1 1", "4 1 #", "4 1 *"])
def test_any_other_key_keeps_the_report(keys: str) -> None:
    world = OneReport()
    rosa = opened(world).presses(keys)
    assert not world.of(Withdraw)
    assert rosa.at == "come_back:menu"


def test_a_deleted_report_is_told_as_deleted_not_as_unknown() -> None:
    rosa = opened(OneReport(is_gone=True))
    assert rosa.heard[0] == "line.status.taken_back"
    assert rosa.at == "main"


def test_after_deleting_a_star_does_not_lead_back_to_it() -> None:
    world = OneReport()
    rosa = opened(world).presses("4 1 2 *")
    assert rosa.at == "welcome"
    assert rosa.turn.call.about == b""


# ---- adding ----

ADDED = "2 1 4 # 1 1"
"""Add: a weapon, today, right."""
REST = "# # # # # # # # # # # 1"
"""Nothing more, and right."""


def test_an_addition_asks_the_same_questions_and_is_saved_for_the_same_receipt() -> None:
    world = OneReport()
    rosa = opened(world).presses(ADDED)
    assert rosa.heard[0] == "line.adding"
    [save] = world.of(SaveReport)
    assert isinstance(save, SaveReport)
    assert (save.adds_to, save.form, save.ends) == (SLOW, "bad_date", False)


def test_an_addition_ends_without_a_question_of_consent_and_without_a_new_receipt() -> None:
    world = OneReport()
    rosa = opened(world).presses(f"{ADDED} # # # # # # # # # # # 1")
    assert rosa.heard[0] == "line.added"
    assert "line.receipt" not in rosa.heard
    assert rosa.at == "come_back:menu"
    last = world.of(SaveReport)[-1]
    assert isinstance(last, SaveReport)
    assert last.ends
    assert last.adds_to == SLOW


def test_an_addition_without_what_and_when_is_saved_at_the_end() -> None:
    world = OneReport()
    rosa = opened(world).presses("2 # # # # # # # # 2 # # # 1")
    assert rosa.heard[0] == "line.added"
    [save] = world.of(SaveReport)
    assert isinstance(save, SaveReport)
    assert dict(save.answers) == {"mark": ("scar",)}


def test_an_addition_without_an_answer_says_so() -> None:
    world = OneReport()
    rosa = opened(world).presses("2 " + "# " * 12)
    assert rosa.heard[0] == "line.nothing_saved"
    assert rosa.at == "come_back:menu"
    assert not world.of(SaveReport)


def test_two_additions_in_one_call_are_two() -> None:
    world = OneReport()
    whole = f"{ADDED} # # # # # # # # # # # 1"
    opened(world).presses(f"{whole} {whole}")
    visits = {save.visit for save in world.of(SaveReport) if isinstance(save, SaveReport)}
    assert visits == {1, 2}


def test_a_report_begun_before_is_there_after_the_addition() -> None:
    world = OneReport()
    rosa = Caller(world=world).presses("1 1 2 1 #")  # a theft; when?
    rosa.presses("* *")
    assert rosa.at == "main"
    rosa.presses(f"2 {CODE} 2 1 4 #")  # then the receipt, and something added: a weapon; when?
    assert rosa.at == "bad_date.when"
    rosa.presses("1 1")
    [save] = world.of(SaveReport)
    assert isinstance(save, SaveReport)
    assert dict(save.answers)["what"] == ("weapon",)
    rosa.presses("* * * * *")
    assert rosa.at == "main"
    rosa.presses("1")
    assert rosa.heard[:2] == ["bad_date.what", "line.keep_or_change"], "her own report is where she left it"


def test_an_addition_left_for_a_person_goes_on_where_it_was() -> None:
    world = OneReport()
    rosa = opened(world).presses("2 1 4 #")
    rosa.presses("* *")
    assert rosa.at == "come_back:menu"
    rosa.presses("2")
    assert rosa.at in {"bad_date.what", "bad_date.when"}
    assert rosa.turn.call.draft("bad_date", adds=True) is not None


def test_a_report_after_an_addition_is_a_report_with_a_receipt_of_its_own() -> None:
    world = OneReport()
    rosa = opened(world).presses(f"{ADDED} # # # # # # # # # # # 1 #")
    rosa.presses("1 1 4 # 1 1 # # # # # # # # # # # 1 1")
    assert "line.receipt" in rosa.heard
    last = world.of(SaveReport)[-1]
    assert isinstance(last, SaveReport)
    assert last.adds_to == b""


def test_another_receipt_ends_an_addition_that_was_begun_for_the_first() -> None:
    world = OneReport()
    rosa = opened(world).presses("2 1 4 # * * *")
    assert rosa.at == "come_back:code"
    assert rosa.presses(CODE).turn.call.draft("bad_date", adds=True) is not None, "the same receipt: it goes on"
    rosa.presses("*")
    world.slow = bytes(32)
    left = rosa.presses(CODE).turn.call.draft("bad_date", adds=True)
    assert left is not None
    assert (left.is_over, left.answers, left.at) == (True, (), "bad_date:add"), "nothing is left but that it was"


def test_whoever_comes_back_to_the_first_receipt_after_another_adds_once_more() -> None:
    world = OneReport()
    whole = f"{ADDED} # # # # # # # # # # # 1"
    rosa = opened(world).presses(whole)
    for slow in (bytes(32), SLOW):
        world.slow = slow
        rosa.presses(f"* {CODE} {whole}")
    saves = {(save.adds_to, save.visit) for save in world.of(SaveReport) if isinstance(save, SaveReport)}
    assert len(saves) == 3


def test_an_addition_to_nothing_is_told_as_not_saved_and_never_becomes_a_report() -> None:
    world = OneReport()
    rosa = opened(world).presses("2 1 4 # 1")
    rosa.turn = replace(rosa.turn, call=replace(rosa.turn.call, about=b""))
    assert rosa.presses("1").heard[0] == "line.not_saved"
    rosa.presses("2")
    assert rosa.presses(f"{REST} 2").heard[0] == "line.nothing_saved"
    assert not world.of(SaveReport)


def test_what_another_receipt_ended_is_told_to_nobody_who_answers() -> None:
    world = OneReport()
    rosa = opened(world).presses("2 1 4 # * * *")
    world.slow = bytes(32)
    assert told_in(rosa.presses(CODE).turn.call, rosa.flow) == ()


def test_a_form_that_the_flow_does_not_know_any_more_can_still_be_deleted() -> None:
    world = OneReport(form="of_last_year")
    rosa = opened(world).presses("2")
    assert rosa.heard[0] == "line.receipt_other"
    assert rosa.presses("3").heard[0] == "line.receipt_other"
    assert rosa.presses("4 1 2").heard[0] == "line.receipt_withdrawn"


# ---- the report of this very call ----

ASIDE = "0 2 #"
"""From her receipt to the main menu without going on from it: nobody is free, and she does not ask to be called."""


def reported(way: str) -> tuple[Memory, Caller]:
    """She has reported, and is at the main menu."""
    memory = Memory()
    rosa = Caller(world=memory).presses(f"{REPORT} {way}")
    assert rosa.at == "main"
    return memory, rosa


@pytest.mark.parametrize("way", ["# 2", ASIDE])
def test_after_the_report_of_this_call_is_deleted_the_next_is_another_with_a_receipt_of_its_own(way: str) -> None:
    memory, rosa = reported(way)
    first = memory.shelf.code
    assert rosa.presses(f"2 {first} 4 1 2").heard[0] == "line.receipt_withdrawn"
    assert not memory.reports
    assert first not in repr(rosa.turn.call), "nothing leads back to it"
    assert told_in(rosa.turn.call, rosa.flow) == ()
    rosa.presses("1")
    assert rosa.at == "bad_date.what"
    rosa.presses(REPORT.removeprefix("1 1"))
    assert rosa.at == "bad_date:receipt"
    assert [save.visit for save in memory.reports.values()] == [2]
    assert memory.shelf.code != first


def test_a_report_of_this_call_that_was_deleted_elsewhere_is_let_go_when_she_hears_of_it() -> None:
    memory, rosa = reported(ASIDE)
    opened = rosa.presses(f"2 {memory.shelf.code}").turn.call.about
    asyncio.run(memory.shelf.withdraw(opened))
    assert rosa.presses(f"* {memory.shelf.code}").heard[0] == "line.status.taken_back"
    assert rosa.turn.call.about == b""
    assert rosa.presses("1").at == "bad_date.what"


def test_deleting_another_report_leaves_that_of_this_call_and_its_receipt() -> None:
    memory, rosa = reported(ASIDE)
    hers = memory.shelf.code
    memory.shelf.give(next(iter(memory.reports.values())), CODE)
    rosa.presses(f"2 {hers} * {CODE} 4 1 2 1")
    assert rosa.heard[0] == "line.receipt"
    assert len(memory.reports) == 1


# ---- a receipt is opened right after a report, without the main menu ----


@cache
def altered(*changes: tuple[bytes, bytes]) -> Flow:
    """The shipped flow, with something else instead."""
    paths = [*(ROOT / "flows").rglob("*.yaml"), *(ROOT / "prompts").rglob("*.yaml")]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
    for one, other in (*changes, (b"texts_within: 2", b"texts_within: 3")):
        assert one in files["flows/hotline.yaml"]
        files["flows/hotline.yaml"] = files["flows/hotline.yaml"].replace(one, other)
    for language in ("en", "es"):
        told = b"\nprompts:\n  after_report.come_back: come back with a receipt\n"
        texts = files[f"prompts/{language}.yaml"]
        files[f"prompts/{language}.yaml"] = texts.replace(b"\nprompts:\n", told)
    compiled = compile_flow(files)
    assert compiled.flow is not None, compiled.diagnostics
    return compiled.flow


TO_RECEIPTS = (b"2: main, 3: leave }", b"2: main, 3: leave, 4: come_back }")
TO_A_PERSON = (b"{ form: bad_date, next: after_report }", b"{ form: bad_date, next: person }")
AFTER_REQUEST = (b"{ form: callback, next: main }", b"{ form: callback, next: after_report }")


def added_after_report() -> Caller:
    """She has reported, and has added something with her receipt."""
    return Caller(altered(TO_RECEIPTS), OneReport()).presses(f"{REPORT} # 4 {CODE} {ADDED} {REST}")


def test_a_star_from_an_addition_leads_back_to_the_receipt_of_the_report() -> None:
    rosa = added_after_report().presses("* * *")
    assert rosa.at == "bad_date:receipt"
    assert "9 9 9 9, 0 0 0 0, 1 1 1 1" in rosa.text
    assert rosa.presses("2 999900001111").heard[0] == "line.practice_right"
    assert rosa.at == "after_report", "past the receipt, not where an addition ends"


def test_a_star_while_phones_ring_leads_back_to_the_receipt_and_begins_no_report() -> None:
    rosa = Caller(altered(TO_RECEIPTS, TO_A_PERSON, AFTER_REQUEST), OneReport()).presses(f"{REPORT} #")
    assert isinstance(rosa.turn.then, Hold)
    assert rosa.presses("*").at == "bad_date:receipt"


@dataclass
class ByText(OneReport):
    """Nobody can be put through: she is told where to call."""

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        return ByPhone("+12125550100", anyone=True) if isinstance(ask, Ring) else await super().answer(ask, call, leg)


def test_whoever_is_told_where_to_call_after_her_report_reads_its_receipt_and_begins_no_other() -> None:
    rosa = Caller(altered(TO_RECEIPTS, TO_A_PERSON, AFTER_REQUEST), ByText()).presses(f"{REPORT} #")
    assert rosa.heard[0] == "line.person_by_phone"
    assert rosa.at == "bad_date:receipt"


# ---- when it cannot be looked up ----


def test_above_the_budget_she_waits_a_little_and_is_not_locked_out() -> None:
    world = OneReport(busy=7)
    rosa = opened(world)
    assert rosa.heard == ["line.receipt_moment"]
    assert isinstance(rosa.turn.then, Hold)
    assert rosa.waits(timedelta(seconds=3)).says_nothing().heard == ["line.receipt_moment"]
    assert len(world.of(OpenReceipt)) == 1, "nobody is asked before the time"
    assert rosa.waits(timedelta(seconds=4)).says_nothing().heard[0] == "line.receipt_found"
    assert world.of(OpenReceipt)[-1] == OpenReceipt(CODE, has_waited=True)


def test_where_nothing_is_looked_up_any_more_the_caller_hears_why_and_of_a_person_and_goes_on() -> None:
    world = OneReport(is_crowded=True)
    rosa = opened(world)
    assert rosa.heard[:2] == ["line.receipt_crowded", "line.receipt_no"]
    assert rosa.at == "main"
    assert rosa.presses("2").heard[0] == "line.receipt_no"
    assert len(world.of(OpenReceipt)) == 1, "nobody is asked again in this call"
    assert isinstance(rosa.presses("0").turn.then, Hold)


@pytest.mark.parametrize(("key", "at"), [("*", "come_back:code"), ("9", "leave"), ("5", "come_back:look")])
def test_while_she_waits_for_it_the_line_s_keys_work(key: str, at: str) -> None:
    assert opened(OneReport(busy=7)).presses(key).at == at


def test_when_the_disk_is_away_nothing_is_told_as_unknown() -> None:
    rosa = opened(OneReport(is_away=True))
    assert rosa.heard[:2] == ["line.receipt_not_now", "line.receipt_ask"]
    assert rosa.turn.call.tries == 0


def test_when_the_disk_goes_away_nothing_is_told_as_done() -> None:
    world = OneReport()
    rosa = opened(world)
    world.is_away = True
    assert rosa.presses("4 1 2").heard[0] == "line.receipt_not_now"
    assert rosa.at == "come_back:menu"
    assert rosa.presses("3 1").heard[0] == "line.receipt_not_now"


def test_what_may_have_been_done_is_told_as_neither_done_nor_undone_and_can_be_tried_again() -> None:
    world = OneReport(is_slow=True)
    rosa = opened(world)
    for keys in ("4 1 2", "3 1"):
        assert rosa.presses(keys).heard[0] == "line.receipt_unsure"
        assert rosa.at == "come_back:menu"
    world.is_slow = False
    assert rosa.presses("3 1").heard[0] == "line.consent_changed"
    assert rosa.presses("4 1 2").heard[0] == "line.receipt_withdrawn"


# ---- practice ----


def test_she_may_key_her_receipt_back_to_make_sure() -> None:
    rosa = Caller(world=OneReport()).presses(f"{REPORT} 2")
    assert rosa.heard[0] == "line.practice_ask"
    rosa.presses("9999 0000 1112")
    assert rosa.heard[:2] == ["line.practice_wrong", "line.receipt"]
    rosa.presses("2 999900001111")
    assert rosa.heard[0] == "line.practice_right"
    assert rosa.at == "after_report"
