"""The edge of texts: a verified webhook becomes who wrote which words, and everything else is dropped here.

Her number passes for the length of one request, because she is answered; nothing that is made here shows it."""

import re
import unicodedata
from collections.abc import Callable, Mapping

from ivr.carrier.signature import Verifier
from ivr.channels.texted import MOST_CHARACTERS, Texted
from ivr.kit.phone import NotANumber, e164
from ivr.line.edge import form_of
from ivr.line.rejections import Reason, Rejections

_FITS: Mapping[str, Callable[[str], object]] = {
    name: re.compile(shape).fullmatch
    for name, shape in {
        # A number; else a name, or a word for a number that is withheld: never longer than the carriers allow a name.
        "From": r"\+?[0-9]{0,15}|[A-Za-z][A-Za-z0-9 ._&-]{0,10}",
        "To": r"\+?[0-9]{3,15}",
        "MessageUUID": r"[0-9A-Fa-f-]{8,64}",
        "Type": r"[a-z]{0,16}",
    }.items()
}
_READ = frozenset({"From", "To", "Text", "Body", "MessageUUID"})
_ALWAYS = frozenset({"From", "To", "MessageUUID"})
_FREE = {"Text": "To", "Body": "From"}
"""What she writes herself, and which of the fields above stands behind it among the signed bytes."""
_BETWEEN = frozenset({"ContentType", "ErrorCode"})
"""What Plivo itself sends between these."""
_DIGITS = re.compile(r"\+?([1-9][0-9]{6,14})")
_HIDDEN = re.compile(r"From\+?[0-9]|To\+?[0-9]|Text")
_SPACES = str.maketrans("\t\r", "  ")
_DROPPED = ("Cc", "Cf", "Cs")
"""Unicode's categories of what nobody sees: control characters, invisible marks, halves of characters."""


class TextEdge:
    """Verifies, types and forgets. `number`: the hotline's own, which is never answered."""

    def __init__(self, verifier: Verifier, number: str, rejections: Rejections | None = None) -> None:
        self._verifier = verifier
        self._number = number
        self._rejections = rejections or Rejections()

    def admit(
        self, method: str, *, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Texted | None:
        """The text, or None: not from Plivo, or not shaped like anything it sends. Never raises."""
        values = form_of(method, query=query, headers=headers, body=body)
        if values is None:
            self._rejections.count(Reason.NOT_A_FORM, headers)
            return None
        if not self._verifier.accepts(method, path=path, query=query, headers=headers, fields=values.items()):
            self._rejections.count(Reason.SIGNATURE, headers)
            return None
        if not _is_shaped(values) or is_recut(values):
            self._rejections.count(Reason.SHAPE, headers)
            return None
        # Plivo names the words of a text Text and those that come with pictures Body.
        words = values.get("Text") or values.get("Body", "")
        own = {self._number, _replyable(values["To"])}
        sender = _replyable(values["From"])
        return Texted("" if sender in own else sender, _legible(words), values["MessageUUID"])


def is_recut(values: Mapping[str, str]) -> bool:
    """Could these fields be others, cut anew? The signed bytes have no delimiters, and she wrote some of them herself.

    They are sorted by name, so only three things can be done with them: leave a field out, begin another one within her
    words, or let one that nobody reads swallow one that is read."""
    if not values.keys() >= _ALWAYS or not values.keys() & _FREE.keys():
        return True
    for free, behind in _FREE.items():
        if free in values and any(free < name < behind for name in values.keys() - _BETWEEN):
            return True
    return _HIDDEN.search(_unread(values)) is not None


def _unread(values: Mapping[str, str]) -> str:
    """The signed bytes without what is read."""
    return "".join(["\n" if name in _READ else name + values[name] for name in sorted(values)])


def _is_shaped(values: Mapping[str, str]) -> bool:
    return all(fits(values[name]) is not None for name, fits in _FITS.items() if name in values)


def _replyable(number: str) -> str:
    """In E.164; empty for a name, a short code, a withheld number, and whatever else nobody could answer."""
    digits = _DIGITS.fullmatch(number)
    if digits is None:
        return ""
    try:
        e164(f"+{digits[1]}")
    except NotANumber:
        return ""
    # As the carrier wrote it: an answer to a number that was made tidy might go to somebody else.
    return f"+{digits[1]}"


def _legible(words: str) -> str:
    seen = words.translate(_SPACES)
    kept = [sign for sign in seen if sign == "\n" or unicodedata.category(sign) not in _DROPPED]
    return "".join(kept)[:MOST_CHARACTERS]
