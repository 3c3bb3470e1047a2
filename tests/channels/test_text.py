"""Texts, both ways: what is said as one message, and what somebody writes as what she means. Rosa texts the shipped
flow on the engine itself; what anybody might write is drawn by chance."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.carrier.texting import RESERVED
from ivr.channels.text import HELP, Helps, Leaves, Menu, Message, Says, Starts, Stops, encode, next_keys, read
from ivr.engine.keypad import Verdict, judge
from ivr.flow.graph import Collect, Wait
from ivr.flow.line import CARRIERS, HELPING, STOPPING
from ivr.flow.phrases import Digits, KeyName, Label, Labels, Phrase, phrase
from ivr.flow.prompts import Prompt, Template
from ivr.flow.segments import Segments, segments
from ivr.flow.texting import greeting
from tests.engine.caller import Caller
from tests.shipped import flow

WAITS = {wait.name: wait for wait in flow().waits()}
MENU, PHONE, PLATE = (WAITS[f"bad_date.{question}"] for question in ("when", "phone", "plate"))


class Rosa:
    """She texts; what she reads, and how much it costs, is remembered."""

    def __init__(self) -> None:
        self.caller = Caller()
        self.read: list[str] = []

    def texts(self, words: str) -> "Rosa":
        meant, first = read(words, flow()), tuple[Phrase, ...]()
        if isinstance(meant, Starts):
            first, key = greeting(flow(), meant.language)
            self.caller.presses(key or "")
            left = meant.then
        else:
            assert isinstance(meant, Says)
            left = meant.words
        while left:
            keys, left = next_keys(left, WAITS[self.caller.at])
            self.caller.presses(keys)
        turn = self.caller.turn
        self.read.append(encode((*first, *turn.said), turn.call.language, flow()))
        return self

    @property
    def costs(self) -> list[Segments]:
        return [segments(one) for one in self.read]


# ---- a report ----


def test_a_report_takes_five_texts_and_each_answer_is_one_message() -> None:
    rosa = Rosa()
    for words in ("VOICE", "1", "2 1 #", "1", "1"):
        rosa.texts(words)
    assert rosa.caller.answers == {"what": ("taken",), "when": ("today",)}
    assert [cost.messages for cost in rosa.costs] == [1] * 5
    assert {cost.encoding for cost in rosa.costs} == {"GSM-7"}
    greeted, asked, when, said, saved = rosa.read
    assert "911" in greeted
    assert "Reply 0 for a person" in greeted
    assert "2 1 #" in asked
    assert when.splitlines()[:2] == ["When?", "1 today"]
    assert said.startswith("You said: robbery, today.")
    assert saved.startswith("Your report is saved.")
    assert "What time of day?" in saved


def test_a_report_in_spanish_takes_five_texts_of_two_messages_at_most() -> None:
    rosa = Rosa()
    for words in ("Voz.", "1", "2 1 #", "1", "1"):
        rosa.texts(words)
    assert rosa.caller.answers == {"what": ("taken",), "when": ("today",)}
    assert max(cost.messages for cost in rosa.costs) <= 2
    assert {cost.encoding for cost in rosa.costs} == {"GSM-7"}
    assert "Responda 0 para hablar con alguien" in rosa.read[0]


def test_a_report_fits_in_one_text() -> None:
    rosa = Rosa().texts("Voice 1 21# 1 1")
    assert rosa.caller.answers == {"what": ("taken",), "when": ("today",)}


def test_a_number_is_read_back_as_people_write_it() -> None:
    rosa = Rosa().texts("VOICE 1 2 1 # 1 1 # # # # # # # # #").texts("+1 (212) 555-0143")
    assert rosa.read[-1].splitlines() == ["You wrote 1-212-555-0143.", "Reply 1 if that is right", "2 to change it"]
    rosa.texts("2").texts("212 555 0143, 1 skip 1 1")
    assert rosa.caller.answers["phone"] == ("2125550143",)
    assert rosa.caller.at == "bad_date:receipt"


# ---- what she reads ----


def test_an_option_stands_on_a_line_of_its_own_without_a_stop() -> None:
    said = (
        phrase("safety"),
        phrase("line.option", option=True, label=Label("main.report"), key=KeyName("1")),
        phrase("line.next_option", option=True, label=Label("after_report.leave"), key=KeyName("2")),
        phrase("line.consent_skip"),
    )
    lines = encode(said, "en", flow()).splitlines()
    assert lines[1:] == ["Reply 1 to report what someone did", "2 to finish here", "#: we only count it."]


def test_a_sentence_may_have_a_language_of_its_own() -> None:
    text = encode(Caller().turn.said, "en", flow())
    assert text.splitlines()[1] == "Reply 1 for English"
    assert text.splitlines()[3] == "Responda 2 para español"


@pytest.mark.parametrize(("word", "most"), [("status", 1600), ("stätus…", 737)])
def test_of_what_is_too_long_the_beginning_is_left_out(word: str, most: int) -> None:
    catalogue = flow().catalogues["en"]
    told = Prompt(Template(f"{word} " * 20), Template(f"{word} " * 20))
    here = replace(flow(), catalogues={"en": replace(catalogue, prompts={**catalogue.prompts, "told": told})})
    text = encode((*(phrase("told"),) * 40, phrase("line.wrong_key")), "en", here)
    assert most - 250 < len(text) <= most
    assert text.endswith("That is not one of the answers.")


def test_digits_stand_in_groups() -> None:
    def text(digits: str) -> str:
        return encode((phrase("line.digits_heard", digits=Digits(digits)),), "en", flow())

    assert text("2125550143") == "You wrote 212-555-0143."
    assert text("482012345678") == "You wrote 4820 1234 5678."


def test_accents_are_left_out_only_where_that_makes_it_cheap() -> None:
    accented = {"mine": "Está aquí, ¿sí? Ñandú, café.", "hers": "Está en “casa”."}
    catalogue = flow().catalogues["es"]
    prompts = {name: Prompt(Template(words), Template(words)) for name, words in accented.items()}
    shown = replace(catalogue, prompts=prompts, texts={})
    for drops, mine in ((True, "Esta aqui, ¿si? Ñandu, café."), (False, accented["mine"])):
        here = replace(flow(), catalogues={"es": replace(shown, drops_accents=drops)})
        assert encode((phrase("mine"),), "es", here) == mine
        assert encode((phrase("hers"),), "es", here) == accented["hers"], "it is dear without them, too"


@pytest.mark.parametrize(
    ("words", "read_as"),
    [
        ("Wait.. what", "Wait. what."),
        ("So what?.", "So what?"),
        ("Well...", "Well..."),
        ("Two  blanks ", "Two blanks."),
    ],
)
def test_nothing_is_doubled(words: str, read_as: str) -> None:
    catalogue = replace(flow().catalogues["en"], prompts={"mine": Prompt(Template(words), Template(words))}, texts={})
    assert encode((phrase("mine"),), "en", replace(flow(), catalogues={"en": catalogue})) == read_as


def test_her_answers_are_read_back_in_their_words() -> None:
    answers = Labels((Label("bad_date.what.taken"), Digits("4820953")))
    assert encode((phrase("line.you_said", answers=answers),), "en", flow()) == "You said: robbery, 482 0953."


# ---- what she writes ----

READ: list[tuple[str, Message]] = [
    ("VOICE", Starts("en")),
    ("voz", Starts("es")),
    ("Voz.", Starts("es")),
    (" voice! ", Starts("en")),
    ("VOICE 1 1", Starts("en", ("1", "1"))),
    ("Voz, 1", Starts("es", ("1",))),
    ("Voice\n2 1 #", Starts("en", ("2", "1", "#"))),
    ("MENU", Menu()),
    ("menú", Menu()),
    ("Menú 1", Menu(("1",))),
    ("bye", Leaves("en")),
    ("ADIÓS", Leaves("es")),
    ("adiós.", Leaves("es")),
    ("Adio\u0301s", Leaves("es")),
    ("Bye, thank you", Leaves("en")),
    ("back", Says(("*",))),
    ("Atrás", Says(("*",))),
    ("1 back skip saltar", Says(("1", "*", "#", "#"))),
    ("1", Says(("1",))),
    ("1️⃣", Says(("1",))),
    ("1️⃣2️⃣ #️⃣", Says(("12", "#"))),
    ("１２", Says(("12",))),
    ("٣ ۴", Says(("3", "4"))),
    ("1,2;#\n3", Says(("1", ",", "2", ",", "#", ",", "3"))),
    (",, 1 ,,", Says(("1",))),
    ("", Says(())),
    (" \n ", Says(())),
    ("what is this", Says(("what", "is", "this"))),
    ("\u202a+1 212\u202c", Says(("+1", "212"))),
    ("½ ²", Says(("½", "²"))),
]


@pytest.mark.parametrize(("text", "meant"), READ, ids=lambda value: repr(value)[:30])
def test_a_text_means(text: str, meant: Message) -> None:
    assert read(text, flow()) == meant


@pytest.mark.parametrize("word", sorted(CARRIERS))
def test_after_a_word_that_stops_nothing_is_sent_and_whoever_writes_another_of_the_phone_company_s_is_answered(
    word: str,
) -> None:
    for text in (word, word.lower(), f"  {word.title()}\n", f"{word}."):
        meant = read(text, flow())
        assert (meant == Stops()) is (word in STOPPING)
        assert (meant == Helps()) is (word in HELPING)
        assert isinstance(meant, Stops | Helps | Says)


def test_whoever_needs_somebody_may_say_so_in_spanish() -> None:
    for text in ("AYUDA", "ayuda!", " ¡Ayuda! "):
        assert read(text, flow()) == Helps("es")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("help me", Helps()),
        ("please HELP!!", Helps()),
        ("ayuda por favor", Helps("es")),
        ("AYUDA AYUDA", Helps("es")),
        ("more info", Helps()),
        ("1 help", Says(("1", HELP))),
        ("4820 1234 HELP", Says(("4820", "1234", HELP))),
        ("VOICE help", Starts("en", (HELP,))),
        ("voz ayuda", Starts("es", (HELP,))),
        ("helper", Says(("helper",))),
    ],
)
def test_help_is_seen_among_other_words(text: str, meant: Message) -> None:
    assert read(text, flow()) == meant


def test_every_word_that_the_exchange_answers_is_the_phone_companys() -> None:
    stops = {word for word, intent in RESERVED.items() if intent == "optout"}
    assert stops <= STOPPING
    assert RESERVED.keys() <= CARRIERS


def test_only_alone_do_the_others_mean_anything() -> None:
    assert read("Yes 1", flow()) == Says(("Yes", "1"))
    assert read("stop it", flow()) == Says(("stop", "it"))


PRESSED: list[tuple[Wait, str, list[str]]] = [
    (MENU, "1", ["1"]),
    (MENU, "121", ["1", "2", "1"]),
    (MENU, "12#", ["1", "2", "#"]),
    (MENU, "1. 2) (3)", ["1", "2", "3"]),
    (MENU, "1, 2", ["1", "2"]),
    (MENU, "one 2", ["one", "2"]),
    (MENU, "1a", ["1a"]),
    (MENU, "2#hi", ["2hi"]),
    (MENU, "skip", ["#"]),
    (MENU, "#*0 9", ["#", "*", "0", "9"]),
    (PHONE, "2125550143", ["2125550143"]),
    (PHONE, "+1 (212) 555-0143", ["12125550143"]),
    (PHONE, "212.555.0143", ["2125550143"]),
    (PHONE, "212 - 555 - 0143", ["2125550143"]),
    (PHONE, "2125550143# 1", ["2125550143#", "1"]),
    (PHONE, "2125550143 # 1", ["2125550143#", "1"]),
    (PHONE, "212 555 0143#1", ["2125550143#", "1"]),
    (PHONE, "212 555 0143, 1", ["2125550143", "1"]),
    (PHONE, "212 555 0143; 1", ["2125550143", "1"]),
    (PHONE, "212 555 0143\n1", ["2125550143", "1"]),
    (PHONE, "2125550143 thanks", ["2125550143", "thanks"]),
    (PHONE, "2125550143 7185550164", ["2125550143", "7185550164"]),
    (PHONE, "2125550143*", ["2125550143", "*"]),
    (PHONE, "2125550143 back", ["2125550143", "*"]),
    (PHONE, "skip", ["#"]),
    (PHONE, "##", ["#", "#"]),
    (PHONE, "*9", ["*", "9"]),
    (PHONE, "0", ["0"]),
    (PHONE, "0 please", ["0", "please"]),
    (PHONE, "0 1", ["0", "1"]),
    (PHONE, "I do not know", ["I", "do", "not", "know"]),
    (PHONE, "f*9", ["f9"]),
    (PHONE, "#no", ["no"]),
    (PHONE, "٢١٢٥٥٥٠١٤٣", ["2125550143"]),
    (PHONE, "212 555 0143.", ["2125550143"]),
    (PLATE, "482 0953", ["4820953"]),
    (PLATE, "4820953 1 2", ["4820953", "12"]),
    (PLATE, "48-20-953!", ["4820953"]),
    (PLATE, "123456789", ["123456789"]),
]


def pressed(words: tuple[str, ...], step: Wait) -> Iterator[str]:
    """All of it at one wait, as though every answer led back there."""
    left = words
    while left:
        before = left
        keys, left = next_keys(left, step)
        assert keys, before
        assert (len(left), sum(map(len, left))) < (len(before), sum(map(len, before))), "it went on"
        assert sum(map(len, left)) < sum(map(len, before))
        yield keys


@pytest.mark.parametrize(("step", "text", "keys"), PRESSED, ids=lambda value: getattr(value, "name", str(value)[:30]))
def test_these_keys_are_pressed(step: Wait, text: str, keys: list[str]) -> None:
    meant = read(text, flow())
    assert isinstance(meant, Says)
    assert list(pressed(meant.words, step)) == keys


def test_nothing_presses_nothing() -> None:
    assert next_keys((), MENU) == next_keys((), PHONE) == next_keys((",", ","), PHONE) == ("", ())


# ---- what anybody writes ----

LIKELY = st.sampled_from(
    ["1", "2 1 #", "VOICE", "voz", "back", "Atrás", "MENU", "bye", "0", "*9", "+1 (212) 555-0143", ", ", "\n", "#", "*",
     "1️⃣", "٣", "½", "stop", " ", "f*9", "x#", "\u200b", "１", "..", "-", "("]
)  # fmt: skip
ANYTHING = st.lists(st.one_of(LIKELY, st.text(st.characters(exclude_categories=()), max_size=6)), max_size=12).map(
    "".join
)


@settings(max_examples=500)
@given(ANYTHING, st.sampled_from([MENU, PHONE, PLATE]))
def test_whatever_is_written_ends_and_no_key_is_invented(text: str, step: Wait) -> None:
    meant = read(text, flow())
    if isinstance(meant, Stops | Helps | Leaves):
        return
    words = meant.words if isinstance(meant, Says) else meant.then
    assert not is_invented(text, list(pressed(words, step)), step)


def is_invented(text: str, answers: list[str], step: Wait) -> bool:
    """Is there a digit that she did not write, each in its turn, or a word that the engine would take for keys?"""
    digits = iter(str(unicodedata.decimal(sign)) for sign in text if unicodedata.decimal(sign, None) is not None)
    for keys in answers:
        is_keys = set(keys) <= set("0123456789*#")
        if is_keys and not all(digit in digits for digit in keys if digit.isdigit()):
            return True
        if not is_keys and isinstance(step, Collect):
            if_typed = judge(keys, least=step.least, most=step.most, starred=True)
            if if_typed is not Verdict.WRONG:
                return True
    return False


@pytest.mark.parametrize(
    ("text", "answers", "step"),
    [("½", ["1", "2"], MENU), ("12", ["2", "1"], MENU), ("one", ["1"], MENU), ("f*9", ["f*9"], PHONE)],
)
def test_mutant_an_invented_key_is_seen(text: str, answers: list[str], step: Wait) -> None:
    assert is_invented(text, answers, step)


@given(ANYTHING)
def test_signs_are_keys_only_where_they_were_written(text: str) -> None:
    meant = read(text, flow())
    words = meant.words if isinstance(meant, Says) else getattr(meant, "then", ())
    for sign, words_for_it in (("*", ("back", "atras")), ("#", ("skip", "saltar"))):
        typed = sum(text.count(one) for one in {"*": "*＊﹡", "#": "#＃﹟"}[sign])
        plain = "".join(one for one in unicodedata.normalize("NFKD", text) if unicodedata.category(one)[0] not in "MC")
        meant_by_word = sum(plain.casefold().count(word) for word in words_for_it)
        assert sum(word.count(sign) for word in words) <= typed + meant_by_word


@given(st.sampled_from([MENU, PHONE, PLATE]), st.lists(st.text(max_size=8), max_size=8).map(tuple))
def test_words_of_any_kind_come_to_an_end(step: Wait, words: tuple[str, ...]) -> None:
    left = words
    for _ in range(sum(map(len, words)) + 1):
        _, left = next_keys(left, step)
    assert left == ()
