"""What a caller lives through, on the engine itself: keys, silence, mistakes, coming and going."""

from datetime import timedelta

import pytest

from ivr.engine.effects import Connect, HangUp, WaitForDigits, WaitForKey
from ivr.services.rehearsal import Memory
from tests.engine.caller import Caller, Refusing
from tests.shipped import text

THEFT = text("en", "bad_date.what.taken")
TODAY = text("en", "bad_date.when.today")

TO_WHEN = "1 1 2 1 #"
TO_SAVED = f"{TO_WHEN} 1 1"
SKIP_TO_VEHICLE = "# # # # # # # #"


def test_the_greeting_is_heard_in_both_languages_each_with_its_own_key() -> None:
    rosa = Caller()
    assert rosa.text.startswith(text("en", "greeting"))
    assert [said.language for said in rosa.turn.said] == ["en", "en", "es", "es"]
    assert rosa.turn.then == WaitForKey()


def test_the_safety_sentence_belongs_to_the_next_wait_so_that_a_key_interrupts_it() -> None:
    rosa = Caller().presses("1")
    assert rosa.heard[:2] == ["safety", "line.option"]
    assert rosa.presses("0").heard == ["nobody_free", "line.option", "line.next_option"]


def test_pound_at_the_greeting_goes_on_in_the_first_language() -> None:
    assert Caller().presses("#").turn.call.language == "en"


def test_star_leads_back_through_the_menus_and_never_out_of_the_call() -> None:
    rosa = Caller().presses("2")
    assert rosa.presses("*").at == "welcome"
    assert rosa.presses("*").at == "welcome"
    assert rosa.presses("1").turn.call.language == "en"


def test_pound_at_a_menu_says_the_options_again_without_a_word_of_blame() -> None:
    rosa = Caller().presses("1 #")
    assert rosa.at == "main"
    assert rosa.heard == ["line.option", "line.next_option"]


def test_nine_leaves_with_a_word() -> None:
    rosa = Caller().presses("1 9")
    assert rosa.heard == ["goodbye"]
    assert rosa.turn.then == HangUp()


# ---- silence and mistakes ----


def test_silence_is_met_twice_with_the_question_then_with_a_person_then_with_a_goodbye() -> None:
    rosa = Caller().presses("1")
    assert rosa.says_nothing().heard[:2] == ["line.silence", "line.any_time"]
    assert rosa.says_nothing().heard == ["line.silence", "line.option", "line.next_option"]
    assert rosa.says_nothing().heard == ["line.silence_person", "nobody_free", "line.option", "line.next_option"]
    assert rosa.says_nothing(2).at == "nobody_free"
    assert rosa.says_nothing().heard == ["line.silence_bye"]
    assert rosa.turn.then == HangUp()


def test_a_wrong_key_is_told_in_one_line_and_the_options_come_without_the_question() -> None:
    rosa = Caller().presses("1 1 7")
    assert rosa.heard[:3] == ["line.wrong_key", "line.any_time", "line.code"]
    assert "bad_date.what" not in rosa.heard
    assert rosa.presses("8").heard[:2] == ["line.wrong_key", "line.code"]


def test_the_third_wrong_key_leads_to_a_person_and_wrong_keys_alone_never_end_a_call() -> None:
    rosa = Caller().presses("1 7 7 7")
    assert rosa.heard[:2] == ["line.silence_person", "nobody_free"]
    for _ in range(30):
        assert rosa.presses("7").turn.then == WaitForKey()


def test_a_wrong_key_shows_that_she_is_there_so_silence_counts_anew() -> None:
    rosa = Caller().presses("1").says_nothing(2).presses("7").says_nothing(2)
    assert rosa.at == "main"
    assert rosa.says_nothing().at == "nobody_free"


def test_a_right_key_forgives_everything_before() -> None:
    rosa = Caller().presses("1").says_nothing(2).presses("1").says_nothing(2)
    assert rosa.at == "bad_date.what"


def test_a_call_of_hours_ends_with_a_word_not_in_the_air() -> None:
    rosa = Caller().presses("1").waits(timedelta(hours=3, minutes=46)).presses("1")
    assert rosa.heard == ["line.too_long"]
    assert rosa.turn.then == HangUp()


@pytest.mark.parametrize(("after", "seconds"), [(0, 13_500), (120, 6_300), (224, 900)])
def test_a_conversation_ends_within_the_four_hours_that_a_call_may_last(after: int, seconds: int) -> None:
    rosa = Caller(world=Memory(on_call=("bo",))).presses("1").waits(timedelta(minutes=after)).presses("0")
    assert isinstance(rosa.turn.then, Connect)
    assert rosa.turn.then.talk_seconds == seconds


# ---- a person ----


def test_zero_rings_those_on_call_and_tells_how_long_it_takes() -> None:
    rosa = Caller(world=Memory(on_call=("bo",))).presses("1 0")
    assert rosa.heard == ["line.dialling"]
    assert rosa.turn.then == Connect(("bo",), 20, 3 * 3600 + 45 * 60)
    assert "20 seconds" in rosa.text


def test_a_key_while_phones_are_about_to_ring_leaves_a_report_instead_or_rings_at_once() -> None:
    def ringing() -> Caller:
        return Caller(world=Memory(on_call=("bo",))).presses("1 0")

    assert ringing().presses("1").at == "bad_date.what"
    assert ringing().presses("9").turn.then == HangUp()
    assert ringing().presses("*").at == "main"
    hurried = ringing().presses("#")
    assert hurried.heard == []
    assert isinstance(hurried.turn.then, Connect)
    assert hurried.comes_back(talked=False).presses("0").heard == ["line.dialling"]


@pytest.mark.parametrize(("talked", "step"), [(True, "after_talk"), (False, "nobody_free")])
def test_after_the_phones_there_is_always_something_to_press(talked: bool, step: str) -> None:
    rosa = Caller(world=Memory(on_call=("bo",))).presses("1 0").comes_back(talked=talked)
    assert rosa.at == step
    assert rosa.turn.then == WaitForKey()


# ---- a report ----


def test_nothing_is_kept_before_she_confirmed_what_she_said() -> None:
    rosa = Caller().presses(f"{TO_WHEN} 1")
    assert rosa.heard[0] == "line.you_said"
    assert f"{THEFT}, {TODAY}" in rosa.text
    assert rosa.report is None
    assert rosa.presses("1").heard[0] == "line.saved"
    assert rosa.answers == {"what": ("taken",), "when": ("today",)}


def test_the_least_use_holds_until_she_chooses() -> None:
    rosa = Caller().presses(TO_SAVED)
    assert rosa.report is not None
    assert rosa.report.consent == "count_only"


def test_several_codes_are_chosen_one_key_at_a_time() -> None:
    assert Caller().presses("1 1 1 1 1 4 3 2 # 1 1").answers["what"] == ("attack", "weapon", "followed")


def test_a_code_chosen_twice_is_one_answer() -> None:
    assert Caller().presses("1 1 1 1 1 1 # 1 1").answers["what"] == ("attack",)


def test_pound_at_a_finer_level_keeps_the_group_until_something_finer_is_chosen() -> None:
    assert Caller().presses("1 1 1 # # 1 1").answers["what"] == ("hurt",)
    assert Caller().presses("1 1 1 # 1 2 # 1 1").answers["what"] == ("sexual_assault",)


def test_star_at_a_finer_level_takes_the_group_back() -> None:
    assert Caller().presses("1 1 1 * 2 1 # 1 1").answers["what"] == ("taken",)
    assert Caller().presses("1 1 1 1 3 * 2 1 # 1 1").answers["what"] == ("attack", "taken")


def test_star_goes_to_the_question_before_and_replaces_its_answer() -> None:
    rosa = Caller().presses(f"{TO_WHEN} *")
    assert rosa.heard[:2] == ["bad_date.what", "line.keep_or_change"]
    assert THEFT in rosa.text.split(text("en", "bad_date.what"))[1]
    assert rosa.presses("3 1 # 1 1").answers["what"] == ("threatened",)


def test_a_question_that_needs_another_is_not_asked_without_it_in_either_direction() -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE}")
    assert rosa.at == "bad_date.vehicle"
    assert rosa.presses("#").at == "bad_date.phone"
    assert rosa.presses("*").at == "bad_date.vehicle"
    assert rosa.presses("2").at == "bad_date.color"
    assert rosa.presses("# #").at == "bad_date.phone"
    assert rosa.presses("*").at == "bad_date.plate"


def test_every_later_answer_is_saved_as_it_is_given() -> None:
    rosa = Caller().presses(f"{TO_SAVED} 3")
    assert rosa.answers["part_of_day"] == ("evening",)
    assert rosa.presses("1").presses("#").answers["area"] == ("harbor",)


def test_digits_are_read_back_in_groups_and_kept_only_when_they_were_heard_right() -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE} #")
    assert rosa.turn.then == WaitForDigits(15)
    assert "2 1 2, 5 5 5, 0 1 4 3" in rosa.presses("2125550143#").text
    assert "phone" not in rosa.answers
    assert rosa.presses("2").at == "bad_date.phone"
    assert rosa.presses("2125550199# 1").answers["phone"] == ("2125550199",)


def test_unconfirmed_digits_are_forgotten_when_she_goes_elsewhere() -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE} # 2125550143#")
    assert rosa.turn.call.typed == "2125550143"
    assert rosa.presses("0").turn.call.typed == ""
    assert rosa.presses("1").at == "bad_date.phone"
    assert "phone" not in rosa.answers


@pytest.mark.parametrize(
    ("keys", "step"),
    [
        ("0", "nobody_free"),
        ("0#", "nobody_free"),
        ("55*0", "nobody_free"),
        ("*9", "leave"),
        ("55*9", "leave"),
        ("*", "bad_date.vehicle"),
        ("55*", "bad_date.phone"),
        ("#", "bad_date.before"),
        ("12#", "bad_date.phone"),
        ("9", "bad_date.phone"),
        ("", "bad_date.phone"),
        ("5*2125550143#", "bad_date.phone:heard"),
        ("2125550143", "bad_date.phone:heard"),
        ("2125550143#99", "bad_date.phone:heard"),
    ],
)
def test_a_typed_string_is_judged_whole(keys: str, step: str) -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE} #")
    if keys:
        rosa.presses(keys)
    else:
        rosa.says_nothing()
    assert rosa.at == step


def test_star_then_nine_leaves_also_when_they_come_one_after_the_other() -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE} 2 # #")
    assert rosa.presses("55*").at == "bad_date.phone"
    assert rosa.presses("9").turn.then == HangUp()


def test_change_walks_the_questions_again_and_pound_keeps_each_answer() -> None:
    rosa = Caller().presses(f"{TO_SAVED} 3 # # # # # # # # # #")
    assert rosa.at == "bad_date:all"
    rosa.presses("2 # 2 # # # # # # # # # # #")
    assert rosa.at == "bad_date:all"
    assert rosa.answers == {"what": ("taken",), "when": ("this_week",), "part_of_day": ("evening",)}


def test_a_report_left_for_a_person_goes_on_where_it_was() -> None:
    rosa = Caller().presses(f"{TO_SAVED} 3 1 0")
    assert rosa.at == "nobody_free"
    assert rosa.presses("1").at == "bad_date.area.harbor"
    assert rosa.presses("2").answers["area"] == ("fish_market",)


def test_star_from_the_menu_after_a_person_leads_back_into_the_report() -> None:
    assert Caller().presses(f"{TO_SAVED} 0 *").at == "bad_date.part_of_day"


def test_star_at_the_first_question_leaves_the_form_and_its_answers_wait() -> None:
    rosa = Caller().presses("1 1 2 1 *")
    assert rosa.at == "bad_date.what"
    assert rosa.presses("*").at == "main"
    assert rosa.presses("1").heard[1] == "line.keep_or_change"


def test_a_form_without_answers_saves_nothing_and_says_so() -> None:
    rosa = Caller().presses("1 1 # # # # # # # # # # # #")
    assert rosa.heard[0] == "line.nothing_saved"
    assert rosa.report is None
    assert rosa.at == "after_report"


def test_a_form_left_empty_begins_anew_the_next_time() -> None:
    assert Caller().presses("1 1 # # # # # # # # # # # # 2 1").at == "bad_date.what"


def test_the_end_reads_everything_back_asks_for_the_use_and_tells_the_receipt_twice() -> None:
    rosa = Caller().presses(f"{TO_SAVED} # # # # # # # # # # 2")
    assert f"{THEFT}, {TODAY}, {text('en', 'bad_date.before.no')}" in rosa.text
    assert rosa.presses("1").at == "bad_date:consent"
    rosa.presses("2")
    told = ["line.receipt", "line.receipt_try", "line.receipt_practice", "line.receipt_onward", "line.what_is_kept"]
    assert rosa.heard == ["line.saved", *told]
    assert rosa.report is not None
    assert (rosa.report.consent, rosa.report.ends) == ("warn_others", True)
    receipt = rosa.text
    assert rosa.presses("1").text in receipt
    assert rosa.presses("#").at == "after_report"


def test_skipping_the_question_of_use_leaves_the_least() -> None:
    rosa = Caller().presses(f"{TO_SAVED} # # # # # # # # # # # 1 #")
    assert rosa.report is not None
    assert (rosa.report.consent, rosa.report.ends) == ("count_only", True)


def test_a_second_report_in_one_call_is_a_second_report() -> None:
    world = Memory()
    rosa = Caller(world=world).presses(f"{TO_SAVED} # # # # # # # # # # # 1 # # 2 1 3 1 # 2 1")
    assert [(key, dict(kept.answers)) for key, kept in world.reports.items()] == [
        (("bad_date", 1), {"what": ("taken",), "when": ("today",)}),
        (("bad_date", 2), {"what": ("threatened",), "when": ("this_week",)}),
    ]
    assert rosa.at == "bad_date.part_of_day"


def test_star_after_a_report_leads_back_to_its_receipt_and_not_into_it() -> None:
    rosa = Caller().presses(f"{TO_SAVED} # # # # # # # # # # # 1 #")
    receipt = rosa.text
    assert rosa.presses("# *").at == "bad_date:receipt"
    assert rosa.text in receipt
    assert rosa.presses("#").at == "after_report"
    assert rosa.presses("2 1").at == "bad_date.what"
    assert rosa.turn.call.drafts[0].visit == 2


def test_star_after_a_form_that_kept_nothing_leads_past_it() -> None:
    assert Caller().presses("1 1 # # # # # # # # # # # # *").at == "main"


def test_answers_given_before_anything_was_confirmed_wait_for_the_end() -> None:
    rosa = Caller().presses("1 1 # # 1 1")
    assert rosa.report is None
    assert rosa.presses("# # # # # # # # # 1").at == "bad_date:consent"
    assert rosa.presses("2").answers == {"area": ("docks",)}


def test_where_digits_are_typed_she_is_told_the_two_keys_that_leave() -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE} # 12#")
    assert rosa.heard[:2] == ["line.digits_wrong", "line.any_time_digits"]


# ---- a save that fails ----


def test_a_save_that_fails_is_said_and_she_may_try_again() -> None:
    disk = Refusing()
    rosa = Caller(world=disk).presses(TO_SAVED)
    assert rosa.heard[0] == "line.not_saved"
    assert "line.saved" not in rosa.heard
    disk.refuses = False
    assert rosa.presses("1").heard[0] == "line.saved"


def test_a_save_that_fails_may_be_passed_over_and_the_next_one_keeps_all() -> None:
    disk = Refusing()
    rosa = Caller(world=disk).presses(f"{TO_SAVED} 2")
    assert rosa.at == "bad_date.part_of_day"
    disk.refuses = False
    assert rosa.presses("1").answers == {"what": ("taken",), "when": ("today",), "part_of_day": ("morning",)}


def test_if_only_the_last_save_fails_she_is_told_what_stays() -> None:
    disk = Refusing(refuses=False)
    rosa = Caller(world=disk).presses(f"{TO_SAVED} # # # # # # # # # # # 1")
    disk.refuses = True
    assert rosa.presses("2").heard[0] == "line.not_saved"
    assert rosa.presses("2").heard[0] == "line.saved_before"
    assert rosa.report is not None
    assert rosa.report.consent == "count_only"


def test_a_report_that_could_never_be_saved_ends_with_the_truth() -> None:
    rosa = Caller(world=Refusing()).presses(f"{TO_SAVED} 2 # # # # # # # # # # # 1 2")
    assert rosa.heard[0] == "line.not_saved"
    assert rosa.presses("2").heard[0] == "line.nothing_saved"
    assert rosa.report is None


def test_a_person_is_one_key_away_from_a_failed_save() -> None:
    assert Caller(world=Refusing()).presses(f"{TO_SAVED} 0").at == "nobody_free"


def test_each_try_at_the_last_save_is_counted_so_that_the_newest_counts() -> None:
    disk = Refusing(refuses=False)
    rosa = Caller(world=disk).presses(f"{TO_SAVED} # # # # # # # # # # # 1")
    assert rosa.report is not None
    assert rosa.report.ending == 0
    disk.refuses = True
    rosa.presses("3 *")
    disk.refuses = False
    rosa.presses("1")
    assert (rosa.report.ending, rosa.report.consent) == (2, "count_only")


def test_hurry_is_forgotten_when_nobody_could_be_rung() -> None:
    world = Memory(on_call=("bo",))
    rosa = Caller(world=world).presses("1 0")
    world.on_call = ()
    assert rosa.presses("5").at == "nobody_free"
    world.on_call = ("bo",)
    assert rosa.presses("0").heard == ["line.dialling"]


def test_who_is_interrupted_right_behind_a_number_comes_back_there_and_not_to_the_number() -> None:
    rosa = Caller().presses(f"{TO_SAVED} {SKIP_TO_VEHICLE} # 2125550143 1")
    assert rosa.at == "bad_date.before"
    assert rosa.presses("0 1").at == "bad_date.before"
