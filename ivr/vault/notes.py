"""An advocate's note on a report: sealed like the report, signed by whoever wrote it, and forgotten with it.
Every note has one length."""

from dataclasses import dataclass

import msgspec

from ivr.kit.told import Told
from ivr.vault.padding import pad, unpad
from ivr.vault.sealing import Sealed, open_padded, seal_padded

PADDED_SIZE = 2048
SEALED_SIZE = PADDED_SIZE + 16
MAX_TEXT = 1800
"""Bytes of UTF-8: a page of text. What is left is for her name and the day."""


class NoteTooLong(Told):
    """The text is longer than a note may be."""


class Note(msgspec.Struct, frozen=True, array_like=True):
    """What is inside the seal. New fields are added last, with a default."""

    day: str
    """ISO 8601, YYYY-MM-DD."""
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note belongs: it opens beside no other report."""

    id: bytes
    report_id: bytes
    epoch: str


def seal(note: Note, place: Place, *, epoch_key: bytes) -> Sealed:
    """Sealed to the epoch's public key. Raises NoteTooLong."""
    length = len(note.text.encode())
    if length > MAX_TEXT:
        raise NoteTooLong(f"a note has at most {MAX_TEXT} bytes, this has {length}: write two")
    padded = pad(msgspec.msgpack.encode(note), size=PADDED_SIZE)
    return seal_padded(padded, associated=_associated(place), epoch_key=epoch_key)


def open_note(sealed: Sealed, place: Place, *, epoch_key: bytes) -> Note | None:
    """The note, by the epoch's private key; None if anything of it was altered, swapped or moved."""
    padded = open_padded(sealed, associated=_associated(place), epoch_key=epoch_key)
    try:
        return None if padded is None else msgspec.msgpack.decode(unpad(padded), type=Note)
    except (ValueError, msgspec.MsgspecError):
        return None


def _associated(place: Place) -> bytes:
    return msgspec.msgpack.encode(("note", place.id, place.report_id, place.epoch))
