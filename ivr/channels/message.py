"""A text as the document that answers Plivo's webhook. Pure. REST is better: a document has no switch that keeps the
text out of Plivo's logs."""

import re

from ivr.channels.elements import plivoxml

NOTHING = b"<Response/>"
"""A text that needs no answer, or whose answer went another way."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def message_xml(src: str, dst: str, text: str) -> bytes:
    """https://www.plivo.com/docs/messaging/xml/message. What no XML can hold is left out of the text."""
    message = plivoxml.MessageElement(_NOT_XML.sub("", text), src=src, dst=dst)
    document: str = plivoxml.ResponseElement().add(message).to_string(pretty=False)
    return document.encode()
