"""What the inventory says of the documents that leave us is what stands in them."""

from collections.abc import Iterator
from xml.etree.ElementTree import fromstring

from ivr.channels.sent import SENT
from ivr.channels.voice import Voice
from ivr.services.rehearsal import Memory
from tests.channels.test_voice import HERE, TOKEN, recorded
from tests.engine.caller import Caller
from tests.shipped import flow

DECLARED = {place for sent in SENT for place in sent.places}


def documents() -> Iterator[bytes]:
    """One with each element, and with each way of making it."""
    voice = Voice(flow(), HERE)
    callers = (
        Caller(),
        Caller().presses("1 1 # 1 1 # # # # # # # # #"),
        Caller(world=Memory(("+12125550142",))).presses("1 0"),
        Caller().presses("9"),
    )
    yield from (voice.encode(rosa.turn, TOKEN) for rosa in callers)
    yield Voice(recorded("safety"), HERE).encode(Caller().presses("1").turn, TOKEN)
    yield voice.trouble(TOKEN, ("+12125550142",), 20)
    yield voice.confirm()
    yield voice.trial()


def places(document: bytes) -> Iterator[str]:
    for node in fromstring(document).iter():
        yield node.tag
        yield from (f"{node.tag} {name}" for name in node.attrib)


def test_every_attribute_that_leaves_us_is_declared_and_no_other() -> None:
    assert {place for document in documents() for place in places(document)} == DECLARED


def test_mutant_an_attribute_that_nobody_declared_is_seen() -> None:
    leaking = b'<Response><Dial sipHeaders="caller=12125550100"/></Response>'
    assert set(places(leaking)) - DECLARED == {"Dial sipHeaders"}
