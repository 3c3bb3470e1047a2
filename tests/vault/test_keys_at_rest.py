"""What lies in the database of the host, the epochs and the advocates, and who can open it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault import advocates, epochs
from ivr.vault.advocates import Effort, WrongPassphrase
from ivr.vault.host import HostKey, WrongSecret

HOST = HostKey.of(b"a secret of the host's own")
CHEAP = Effort(passes=1, memory=8192)
ANA = advocates.enrol("ana", "correct horse", effort=CHEAP)


def test_the_host_opens_what_it_sealed_for_the_same_purpose() -> None:
    sealed = HOST.seal(b"value", purpose=b"one")
    assert HOST.open(sealed, purpose=b"one") == b"value"
    with pytest.raises(WrongSecret, match="IVR_SECRET"):
        HOST.open(sealed, purpose=b"another")


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 72])
def test_the_host_refuses_what_it_did_not_seal(sealed: bytes) -> None:
    with pytest.raises(WrongSecret):
        HOST.open(sealed, purpose=b"one")


def test_another_secret_opens_nothing() -> None:
    with pytest.raises(WrongSecret):
        HostKey.of(b"another").open(HOST.seal(b"value", purpose=b"one"), purpose=b"one")


def test_an_advocate_unlocks_her_keys_with_her_passphrase() -> None:
    unlocked = advocates.unlock(ANA, "correct horse")
    new = epochs.make("2026-11", HOST)
    wrapped = epochs.wrap(new.private_key, advocate=ANA.sealing_key)
    assert epochs.unwrap(wrapped, advocate=unlocked.sealing_key) == new.private_key


def test_a_passphrase_is_the_same_on_every_keyboard() -> None:
    bo = advocates.enrol("bo", "cami\u00f3n", effort=CHEAP)
    assert advocates.unlock(bo, "camio\u0301n").name == "bo"


@pytest.mark.parametrize("passphrase", ["", "Correct horse", "correct horse "])
def test_a_wrong_passphrase_unlocks_nothing(passphrase: str) -> None:
    with pytest.raises(WrongPassphrase, match="ana"):
        advocates.unlock(ANA, passphrase)


def test_keys_with_swapped_public_halves_do_not_unlock() -> None:
    bo = advocates.enrol("bo", "correct horse", effort=CHEAP)
    swapped = advocates.Locked(ANA.id, "ana", bo.sealing_key, ANA.signing_key, ANA.salt, ANA.effort, ANA.wrapped)
    with pytest.raises(WrongPassphrase):
        advocates.unlock(swapped, "correct horse")


def test_what_is_stored_has_the_length_of_its_columns_and_shows_no_secret() -> None:
    new = epochs.make("2026-11", HOST)
    assert (len(ANA.wrapped), len(new.receipt_key)) == (104, 72)
    assert len(epochs.wrap(new.private_key, advocate=ANA.sealing_key)) == 80
    unlocked = advocates.unlock(ANA, "correct horse")
    assert repr(unlocked.sealing_key)[2:-1] not in repr(unlocked)
    assert repr(new.private_key)[2:-1] not in repr(new)


def test_another_advocate_unwraps_nothing() -> None:
    bo = advocates.unlock(advocates.enrol("bo", "x", effort=CHEAP), "x")
    assert epochs.unwrap(epochs.wrap(b"p" * 32, advocate=ANA.sealing_key), advocate=bo.sealing_key) is None


def test_a_planted_epoch_key_is_noticed() -> None:
    new = epochs.make("2026-11", HOST)
    assert len(epochs.open_receipt_key(new.receipt_key, HOST, epoch="2026-11", public_key=new.public_key)) == 32
    with pytest.raises(WrongSecret):
        epochs.open_receipt_key(new.receipt_key, HOST, epoch="2026-11", public_key=b"x" * 32)
    with pytest.raises(WrongSecret):
        epochs.open_receipt_key(new.receipt_key, HOST, epoch="2026-12", public_key=new.public_key)


def test_four_epochs_are_due_over_the_turn_of_a_year() -> None:
    assert epochs.due(date(2026, 11, 22)) == ("2026-11", "2026-12", "2027-01", "2027-02")


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_epoch_tells_no_more_than_the_week(day: date) -> None:
    """A6: were it the month of the day, a report of a week in which a month begins would be one of fewer days."""
    monday = day - timedelta(days=day.weekday())
    assert {epochs.taking(monday + timedelta(days=days)) for days in range(7)} == {f"{monday:%Y-%m}"}
