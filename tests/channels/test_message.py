"""A text as a document: whatever its words, it is one Message to one phone."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.message import NOTHING, message_xml
from ivr.channels.sent import SENT
from ivr.channels.texted import Texted, TextReply

LINE, ROSA = "+15005550006", "+12125550100"


@given(st.text())
def test_whatever_the_words_are_they_are_the_words_of_one_message(words: str) -> None:
    response = fromstring(message_xml(LINE, ROSA, words))
    [message] = response
    assert (response.tag, message.tag, dict(message.attrib)) == ("Response", "Message", {"src": LINE, "dst": ROSA})
    sayable = "".join(letter for letter in words if letter in "\t\n\r" or letter.isprintable() or letter > "\x7f")
    if words.isprintable():
        assert (message.text or "") == sayable


@pytest.mark.parametrize("words", ["</Message><Message dst='+1'>x", "&amp; & <a/>", "]]>", "true", "\x00\x1b[2J\ud83d"])
def test_words_cannot_end_their_element(words: str) -> None:
    document = message_xml(LINE, ROSA, words)
    assert document.count(b"<Message") == document.count(b"</Message>") == 1
    assert len(fromstring(document)) == 1


def test_what_leaves_with_it_is_declared() -> None:
    declared = {place for sent in SENT for place in sent.places}
    for node in fromstring(message_xml(LINE, ROSA, "words")).iter():
        assert {node.tag, *(f"{node.tag} {name}" for name in node.attrib)} <= declared


def test_nothing_is_a_response_without_elements() -> None:
    assert len(fromstring(NOTHING)) == 0


def test_a_text_and_its_answer_show_nothing_of_themselves() -> None:
    shown = repr(Texted(ROSA, "she is hurt", "97ceeb52")) + repr(TextReply(b"<Message>she is hurt", is_unsent=True))
    for hidden in ("2125550100", "hurt", "97ceeb52"):
        assert hidden not in shown
