"""The edge of texts: who is answered, which words pass, and what nobody can cut from a signed body."""

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.carrier.fields import encode_form
from ivr.carrier.signature import MAIN_SIGNATURE, NONCE, SIGNATURE, Verifier, sign
from ivr.channels.texted import MOST_CHARACTERS, Texted
from ivr.line.text_edge import TextEdge, is_recut

URL, PATH = "https://line.example.org", "/text"
LINE = "+15005550006"
GENUINE = {
    "From": "12125550100",
    "To": "15005550006",
    "Text": "1",
    "Type": "sms",
    "MessageUUID": "97ceeb52-58b6-11e1-86da-77300b68f8bb",
    "Units": "1",
    "TotalRate": "0.0055",
    "TotalAmount": "0.0055",
    "MessageIntent": "",
    "PowerpackUUID": "",
}
READ = {"From", "To", "Text", "MessageUUID"}
PICTURES = {"Text": None, "Body": "1", "Type": "mms", "MediaCount": "1", "Media0": "https://media.example.org/1"}


def texted(_folder: Path = Path(), /, **changes: str | None) -> Texted | None:
    fields = [(name, value) for name, value in {**GENUINE, **changes}.items() if value is not None]
    return admitted(fields)


def admitted(fields: list[tuple[str, str]], **request: object) -> Texted | None:
    signature = sign("token", url=URL + PATH, nonce="1", fields=fields).encode()
    headers = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        # As Plivo is said to sign texts: with the main account's token only.
        (SIGNATURE.lower().encode(), b"bm90IG91cnM="),
        (MAIN_SIGNATURE.lower().encode(), signature),
        (NONCE.lower().encode(), b"1"),
    ]
    given: dict[str, object] = {
        "method": "POST",
        "path": PATH.encode(),
        "query": b"",
        "headers": headers,
        **request,
    }
    if "body" not in request:
        given["body"] = encode_form(fields)
    return TextEdge(Verifier(["token"], URL), LINE).admit(**given)  # type: ignore[arg-type]  # as a test wants it


def test_a_text_is_who_wrote_which_words_and_shows_neither() -> None:
    assert texted() == Texted("+12125550100", "1", GENUINE["MessageUUID"])
    assert "2125550100" not in repr(texted())


@pytest.mark.parametrize(
    ("number", "sender"),
    [
        ("12125550100", "+12125550100"),
        ("+12125550100", "+12125550100"),
        ("34600123456", "+34600123456"),
        ("", ""),
        ("anonymous", ""),
        ("Anonymous", ""),
        ("restricted", ""),
        ("unavailable", ""),
        ("ACME Bank", ""),
        ("12345", ""),
        ("262966", ""),
        ("575759", ""),  # its first two are a country's
        ("266696687", ""),
        ("+266696687", ""),
        ("0", ""),
        ("02125550100", ""),
        ("2125550100", ""),
        ("15005550006", ""),
        ("+15005550006", ""),
    ],
)
def test_only_somebody_elses_whole_number_is_answered(number: str, sender: str) -> None:
    text = texted(From=number)
    assert text is not None
    assert text.sender == sender


def test_a_text_from_the_number_it_was_sent_to_is_not_answered() -> None:
    """Also where the account has more numbers than the settings know of: a line would write to itself for ever."""
    text = texted(From="12125550177", To="+12125550177")
    assert text is not None
    assert text.sender == ""


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", ""),
        ("1", "1"),
        ("  Sí, ahora 😀 ", "  Sí, ahora 😀 "),
        ("one\r\ntwo\tthree", "one \ntwo three"),
        ("1\x00\x1b[2J\x7f\u200b\u202e2", "1[2J2"),
        ("x" * 5000, "x" * MOST_CHARACTERS),
        ("\x00" * 3000 + "1", "1"),
        ("From my hotel To you: MessageUUID Text", "From my hotel To you: MessageUUID Text"),
    ],
)
def test_words_pass_without_what_nobody_sees_and_not_more_than_a_text_has(written: str, words: str) -> None:
    text = texted(Text=written)
    assert text is not None
    assert text.words == words


def test_words_in_an_encoding_of_their_own_are_no_reason_to_turn_her_away() -> None:
    fields = [(name, value) for name, value in GENUINE.items() if name != "Text"]
    text = admitted([*fields, ("Text", "caf\udce9 1")], body=encode_form(fields) + b"&Text=caf%e9+1")
    assert text is not None
    assert text.words == "caf 1"


@given(st.text(st.characters(codec="utf-8")))
def test_whatever_is_written_what_passes_is_short_and_has_nothing_unseen(written: str) -> None:
    text = texted(Text=written)
    assert text is not None
    assert len(text.words) <= MOST_CHARACTERS
    assert not any((sign < " " and sign != "\n") or sign == "\x7f" for sign in text.words)


def test_of_pictures_the_words_are_taken() -> None:
    assert texted(**PICTURES) == texted()


@pytest.mark.parametrize(
    "changes",
    [
        {"From": None},
        {"To": None},
        {"To": ""},
        {"To": "the line"},
        {"MessageUUID": None},
        {"MessageUUID": ""},
        {"MessageUUID": "x"},
        {"MessageUUID": GENUINE["MessageUUID"] + "Text1"},
        {"Text": None},
        {"Type": "SMS<"},
        {"From": "12125550100MessageIntent"},
        {"From": "someone@example.org"},
        {"From": "+1212555010012345678"},
        {"Units": "1ToSomebodyTo12125550100"},
        {"PowerpackUUIDTexthello ": ""},
    ],
)
def test_a_text_that_lacks_something_or_does_not_look_like_plivos_is_refused_though_it_is_signed(
    changes: dict[str, str | None],
) -> None:
    assert texted(**changes) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"Type": None},
        {"MessageIntent": "optout"},
        {"Units": "ten"},
        {"ParentMessageUUID": GENUINE["MessageUUID"]},
        {"FromCountry": "US"},
        {"ToState": "NY"},
        {"Foo[]": "x"},
        {"a b": "1"},
    ],
)
def test_what_nobody_documents_is_no_reason_to_turn_her_away(changes: dict[str, str | None]) -> None:
    assert texted(**changes) == texted()


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GET"},
        {"method": "post"},
        {"query": b"Text=2"},
        {"query": b"="},
        {"headers": []},
        {"body": b""},
        {"body": b"Text"},
        {"body": encode_form(GENUINE.items()) + b"&Text=2"},
        {"body": encode_form(GENUINE.items()) + b"&x=" + b"y" * 131_072},
        {"path": b"/voice/answer"},
    ],
)
def test_whatever_is_not_a_signed_form_by_post_is_refused(request_: dict[str, object]) -> None:
    assert admitted(list(GENUINE.items()), **request_) is None


# ---- cut anew ----

CRAFTY = (
    "1",
    "yes Tfoo",
    "yes Textfoo",
    "Te",
    "x To15005550006Zfoo",
    "x To15005550006ZfooT",
    "x To+15005550006TotalRate",
    "From19998887777",
    "x Text2",
    "hello Textbye",
)
CRAFTY_WITH_PICTURES = (
    "x",
    "yes Cfoo",
    "xFrom19998887777Gfoo",
    "xFrom19998887777GfooMessageUUID97ceeb5258b6To15005550006Zfoo",
    "xFrom19998887777MediaCountMessageUUID97ceeb5258b6To15005550006Zfoo",
)


def cuts(fields: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Bodies with the same signed bytes in which up to three neighbours, or all to the end, are cut anew into one to
    three fields."""
    ordered = sorted(fields.items())
    for start in range(len(ordered)):
        for end in {*range(start + 1, min(start + 3, len(ordered)) + 1), len(ordered)}:
            run = "".join(name + value for name, value in ordered[start:end])
            kept = [*ordered[:start], *ordered[end:]]
            for pieces in _pieces(run):
                names = [name for name, _ in (*kept, *pieces)]
                again = sorted((*kept, *pieces))
                if (
                    len(set(names)) == len(names)
                    and "".join(map("".join, again)) == "".join(map("".join, ordered))
                    and again != ordered
                ):
                    yield dict(again)


def _pieces(run: str) -> Iterator[list[tuple[str, str]]]:
    """A run of bytes as fields whose names are those of texts, or one to four characters of it."""
    known = [name for name in (*GENUINE, "Body", "MediaCount") if name in run]
    starts = sorted({at for at in range(len(run)) if at == 0 or run[at:].startswith(tuple(known)) or run[at].isupper()})
    for count in (1, 2, 3):
        for chosen in combinations(starts[1:], count - 1):
            bounds = [0, *chosen, len(run)]
            told = [run[a:b] for a, b in pairwise(bounds)]
            yield from _named(told)


def _named(told: list[str]) -> Iterator[list[tuple[str, str]]]:
    if not told:
        yield []
        return
    first, *rest = told
    known = [len(name) for name in (*GENUINE, "Body", "MediaCount") if first.startswith(name)]
    for length in {*known, *(length for length in (1, 2, 4, len(first)) if length <= len(first))}:
        for others in _named(rest):
            yield [(first[:length], first[length:]), *others]


@pytest.mark.parametrize("crafty", CRAFTY)
def test_a_signed_body_cut_anew_never_says_anything_else(crafty: str) -> None:
    genuine = texted(Text=crafty)
    assert genuine is not None
    seen = 0
    for again in cuts({**GENUINE, "Text": crafty}):
        seen += 1
        if not is_recut(again):
            assert admitted(list(again.items())) in (None, genuine), again
    assert seen > 100


@pytest.mark.parametrize("crafty", CRAFTY_WITH_PICTURES)
def test_nor_does_one_with_pictures(crafty: str) -> None:
    fields = {name: value for name, value in {**GENUINE, **PICTURES, "Body": crafty}.items() if value is not None}
    genuine = admitted(list(fields.items()))
    assert genuine is not None
    for again in cuts(fields):
        if not is_recut(again):
            assert admitted(list(again.items())) in (None, genuine), again


@pytest.mark.parametrize("words", ["yes Tfoo", "x To15005550006Zfoo"])
def test_mutant_without_looking_for_cuts_some_would_be_read_otherwise(words: str) -> None:
    whole = [again for again in cuts({**GENUINE, "Text": words}) if again.keys() >= GENUINE.keys() & READ]
    misread = [again for again in whole if again["Text"] != words and again["To"] == GENUINE["To"]]
    assert misread
    assert all(is_recut(again) for again in misread)
