"""What a caller lives through who asks to be called, on the engine itself."""

from ivr.engine.asks import Ring, SaveReport
from ivr.engine.effects import HangUp, WaitForDigits
from ivr.services.rehearsal import Memory
from ivr.services.telling import ASKED, FINISHED, told_in
from tests.engine.caller import Caller, Refusing

TO_NUMBER = "1 0 2"
NUMBER = "2125550123"
WHOLE = f"{TO_NUMBER} {NUMBER} 1 3 2 2"
TO_REPORT_SAVED = "1 1 2 1 # 1 1"


def test_a_whole_request_is_saved_once_at_its_end_and_leads_to_no_receipt() -> None:
    rosa = Caller().presses(WHOLE)
    assert rosa.heard[0] == "line.you_said"
    assert rosa.report is None
    assert rosa.presses("1").heard[:2] == ["line.request_saved", "line.option"]
    assert rosa.at == "main"
    assert rosa.report == SaveReport(
        form="callback",
        visit=1,
        answers=(("phone", (NUMBER,)), ("hours", ("evening",)), ("message", ("no",)), ("others", ("wrong_number",))),
        consent="request",
        ending=1,
        nights=3,
    )


def test_she_hears_that_people_call_and_when_her_number_is_deleted() -> None:
    said = Caller().presses(f"{WHOLE} 1").text
    assert "a person, never a machine" in said
    assert "within 3 days" in said
    said = Caller().presses(f"2{WHOLE[1:]} 1").text
    assert "una persona, nunca una máquina" in said
    assert "En 3 días o antes" in said


def test_her_number_is_read_back_digit_by_digit_at_once_and_at_the_end() -> None:
    rosa = Caller().presses(f"{TO_NUMBER} {NUMBER}")
    assert "2 1 2, 5 5 5, 0 1 2 3" in rosa.text
    assert "2 1 2, 5 5 5, 0 1 2 3" in rosa.presses("1 # # #").text


def test_without_a_number_she_is_asked_nothing_more_and_nothing_is_saved() -> None:
    rosa = Caller().presses(f"{TO_NUMBER} #")
    assert rosa.heard[:2] == ["line.nothing_saved", "line.option"]
    assert rosa.report is None


def test_nobody_is_asked_what_it_may_be_used_for() -> None:
    rosa, heard = Caller(), list[str]()
    for keys in f"{WHOLE} 1".split():
        heard += rosa.presses(keys).heard
    assert not [one for one in heard if one.startswith(("line.consent", "line.receipt", "line.saved", "line.later"))]


def test_a_hang_up_before_the_end_leaves_nothing() -> None:
    rosa = Caller().presses(f"{WHOLE} 9")
    assert rosa.turn.then == HangUp()
    assert rosa.report is None


def test_who_comes_back_from_a_person_goes_on_where_she_was() -> None:
    rosa = Caller().presses(f"{TO_NUMBER} {NUMBER} 1 0")
    assert rosa.presses("2").at == "callback.hours"
    assert rosa.presses("1 # # 1").report is not None


def test_digits_that_were_not_confirmed_are_no_number() -> None:
    rosa = Caller().presses(f"{TO_NUMBER} {NUMBER} * #")
    assert rosa.heard[0] == "line.nothing_saved"
    assert rosa.report is None


def test_star_leads_back_through_the_request_and_never_into_one_that_is_over() -> None:
    rosa = Caller().presses(WHOLE)
    assert rosa.presses("*").at == "callback.others"
    assert rosa.presses("#").at == "callback:all"
    assert not rosa.presses("1 *").at.startswith("callback")


def test_a_second_request_in_one_call_is_a_second_one() -> None:
    rosa = Caller().presses(f"{WHOLE} 1 0 2")
    assert rosa.turn.then == WaitForDigits(15)
    assert rosa.report is not None
    rosa.presses("2125550199 1 # # # 1")
    assert (rosa.report.visit, rosa.answers) == (2, {"phone": ("2125550199",)})


def test_a_save_that_fails_is_told_and_tried_again_as_the_same_request() -> None:
    world = Refusing()
    rosa = Caller(world=world).presses(f"{WHOLE} 1")
    assert rosa.heard[0] == "line.not_saved"
    assert rosa.presses("1").heard[0] == "line.not_saved"
    world.refuses = False
    assert rosa.presses("1").heard[0] == "line.request_saved"
    assert rosa.report is not None
    assert (rosa.report.visit, rosa.report.ending) == (1, 3)


def test_who_goes_on_without_the_save_hears_that_nothing_was_saved() -> None:
    rosa = Caller(world=Refusing()).presses(f"{WHOLE} 1 2")
    assert rosa.heard[:2] == ["line.nothing_saved", "line.option"]


def test_a_person_is_one_key_away_and_two_where_the_number_is_typed() -> None:
    for keys in (f"{TO_NUMBER} 0", f"{TO_NUMBER} 21* 0", f"{TO_NUMBER} {NUMBER} 0", f"{WHOLE} 0"):
        world = Memory(("+15005550001",))
        Caller(world=world).presses(f"1 0 * {keys[2:]}")
        assert world.rung >= 1, keys


def test_a_report_that_is_under_way_stays_as_it_is() -> None:
    rosa = Caller().presses(f"{TO_REPORT_SAVED} 0 2 {NUMBER} 1 # # # 1 1")
    assert rosa.at == "bad_date.part_of_day"
    world = rosa.world
    assert isinstance(world, Memory)
    assert {(one.form, one.consent) for one in world.reports.values()} == {
        ("bad_date", "count_only"),
        ("callback", "request"),
    }


def test_an_advocate_who_is_rung_is_told_that_she_asked_and_nothing_of_how() -> None:
    rosa = Caller().presses(f"{TO_NUMBER} {NUMBER} 1 3")
    assert told_in(rosa.turn.call, rosa.flow) == ()
    rosa.presses("# # 1")
    assert told_in(rosa.turn.call, rosa.flow) == (ASKED,)
    assert FINISHED not in told_in(rosa.turn.call, rosa.flow)


def test_the_only_thing_that_is_asked_of_the_world_for_it_is_a_save() -> None:
    """Nothing is rung for it: neither now nor later is anybody asked to dial."""
    asked: list[object] = []

    class Listening(Memory):
        async def answer(self, ask, call, leg):  # type: ignore[no-untyped-def]  # as its superclass
            asked.append(ask)
            return await super().answer(ask, call, leg)

    rosa = Caller(world=Listening()).presses(f"{WHOLE} 1")
    assert [type(ask) for ask in asked] == [Ring, SaveReport]
    assert rosa.heard[0] == "line.request_saved"
