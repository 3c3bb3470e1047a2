"""Notes: sealed to the epoch of their report, all of one length, bound to one place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault import epochs, notes
from ivr.vault.notes import Note, NoteTooLong, Place

EPOCH = epochs.make("2026-11")
PLACE = Place(b"n" * 16, b"r" * 16, "2026-11")


@given(st.text(max_size=400), st.text(max_size=40))
def test_a_note_is_read_with_the_epoch_s_key_and_says_nothing_by_its_length(text: str, author: str) -> None:
    note = Note("2026-11-22", author, text)
    sealed = notes.seal(note, PLACE, epoch_key=EPOCH.public_key)
    assert (len(sealed.body), len(sealed.key)) == (notes.SEALED_SIZE, 80)
    assert notes.open_note(sealed, PLACE, epoch_key=EPOCH.private_key) == note


def test_a_note_opens_nowhere_else() -> None:
    sealed = notes.seal(Note("2026-11-22", "ana", "called back"), PLACE, epoch_key=EPOCH.public_key)
    for elsewhere in (replace(PLACE, report_id=b"s" * 16), replace(PLACE, id=b"m" * 16), replace(PLACE, epoch="x")):
        assert notes.open_note(sealed, elsewhere, epoch_key=EPOCH.private_key) is None
    assert notes.open_note(sealed, PLACE, epoch_key=epochs.make("2026-11").private_key) is None


def test_a_page_fits_and_a_longer_text_is_refused() -> None:
    longest = Note("2026-11-22", "a" * 200, "\u00e9" * (notes.MAX_TEXT // 2))
    notes.seal(longest, PLACE, epoch_key=EPOCH.public_key)
    with pytest.raises(NoteTooLong, match="1802"):
        notes.seal(Note("2026-11-22", "ana", "x" * 1802), PLACE, epoch_key=EPOCH.public_key)
