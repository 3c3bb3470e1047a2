"""What the inventory says of the documents that leave us is what stands in them."""

from collections.abc import Iterator
from xml.etree.ElementTree import fromstring

import pytest

from ivr.channels.message import message_xml
from ivr.channels.sent import SENT
from ivr.channels.voice import Voice
from ivr.engine.effects import Effect
from tests.channels.test_voice import HERE, STAFF_HERE, TOKEN, recorded
from tests.engine.caller import Caller
from tests.promises.spoken import EFFECTS, every_turn
from tests.shipped import flow, staff

DECLARED = {place for sent in SENT for place in sent.places}
DOORS = ((flow(), HERE), (staff(), STAFF_HERE))


def documents() -> Iterator[bytes]:
    """All that either flow says, and what is said where no flow can be asked."""
    for said, at in DOORS:
        voice = Voice(said, at)
        for turn in every_turn(said):
            assert isinstance(turn.then, Effect)
            yield voice.encode(turn, TOKEN)
        yield voice.sorry()
    voice = Voice(flow(), HERE)
    yield Voice(recorded("safety"), HERE).encode(Caller().presses("1").turn, TOKEN)
    yield voice.trouble(TOKEN, ("+12125550142",), 20)
    yield voice.confirm()
    yield voice.trial()
    yield voice.alone("en")
    yield message_xml("+15005550006", "+12125550100", "1 for violence")


def places(document: bytes) -> Iterator[str]:
    for node in fromstring(document).iter():
        yield node.tag
        yield from (f"{node.tag} {name}" for name in node.attrib)


def test_each_thing_that_a_turn_can_do_is_among_these() -> None:
    assert {type(turn.then) for said, _ in DOORS for turn in every_turn(said)} == EFFECTS


def test_every_attribute_that_leaves_us_is_declared_and_no_other() -> None:
    assert {place for document in documents() for place in places(document)} == DECLARED


@pytest.mark.parametrize(
    ("leaking", "seen"),
    [
        (b'<Dial sipHeaders="caller=12125550100"/>', "Dial sipHeaders"),
        (b'<Conference digitsMatch="1"/>', "Conference digitsMatch"),
    ],
)
def test_mutant_an_attribute_that_nobody_declared_is_seen(leaking: bytes, seen: str) -> None:
    assert set(places(b"<Response>" + leaking + b"</Response>")) - DECLARED == {seen}
