"""What lies in the database of the host, the line, the epochs and the advocates, and who can open it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault import advocates, epochs, identity, organisation
from ivr.vault.advocates import Effort, Role, WrongPassphrase
from ivr.vault.host import HostKey, WrongSecret
from ivr.vault.identity import Identity
from ivr.vault.organisation import Pin
from ivr.vault.wrapping import unwrap, wrap

HOST = HostKey.of(b"a secret of the host's own")
CHEAP = Effort(passes=1, memory=8192)
PIN = Pin(b"p" * 32)
ANA = advocates.enrol("ana", "correct horse", role=Role.LEAD, pin=PIN, effort=CHEAP)


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


def test_a_host_knows_again_what_it_does_not_keep_and_no_other_host_or_purpose_does() -> None:
    tag = HOST.tag(b"48219370", purpose="one")
    assert HOST.tag(b"48219370", purpose="one") == tag
    assert len(tag) == 16
    others = (HOST.tag(b"48219371", purpose="one"), HOST.tag(b"48219370", purpose="another"))
    assert tag not in (*others, HostKey.of(b"another").tag(b"48219370", purpose="one"))


def test_an_advocate_unlocks_her_keys_with_her_passphrase() -> None:
    unlocked = advocates.unlock(ANA, "correct horse")
    new = epochs.make("2026-11")
    assert unwrap(wrap(new.private_key, to=ANA.sealing_key), by=unlocked.sealing_key) == new.private_key


def test_a_passphrase_is_the_same_on_every_keyboard() -> None:
    bo = advocates.enrol("bo", "cami\u00f3n", role=Role.ADVOCATE, pin=PIN, effort=CHEAP)
    assert advocates.unlock(bo, "camio\u0301n").name == "bo"


@pytest.mark.parametrize("passphrase", ["", "Correct horse", "correct horse "])
def test_a_wrong_passphrase_unlocks_nothing(passphrase: str) -> None:
    with pytest.raises(WrongPassphrase, match="ana"):
        advocates.unlock(ANA, passphrase)


def test_keys_with_swapped_public_halves_do_not_unlock() -> None:
    bo = advocates.enrol("bo", "correct horse", role=Role.LEAD, pin=PIN, effort=CHEAP)
    swapped = replace(ANA, sealing_key=bo.sealing_key)
    with pytest.raises(WrongPassphrase):
        advocates.unlock(swapped, "correct horse")


def test_a_passphrase_can_be_changed_and_the_keys_stay() -> None:
    own = advocates.unlock(ANA, "correct horse")
    changed = advocates.relock(ANA, own, "battery staple", effort=CHEAP)
    assert advocates.unlock(changed, "battery staple") == own
    assert changed.claim() == ANA.claim()
    with pytest.raises(WrongPassphrase):
        advocates.unlock(changed, "correct horse")


def test_what_is_stored_has_the_length_of_its_columns_and_shows_no_secret() -> None:
    new = epochs.make("2026-11")
    _line, sealed = identity.make(HOST)
    assert (len(ANA.wrapped), len(sealed)) == (136, 104)
    assert len(wrap(new.private_key, to=ANA.sealing_key)) == 80
    unlocked = advocates.unlock(ANA, "correct horse")
    assert repr(unlocked.sealing_key)[2:-1] not in repr(unlocked)
    assert repr(new.private_key)[2:-1] not in repr(new)


def test_another_advocate_unwraps_nothing() -> None:
    bo = advocates.unlock(advocates.enrol("bo", "x", role=Role.ADVOCATE, pin=PIN, effort=CHEAP), "x")
    assert unwrap(wrap(b"p" * 32, to=ANA.sealing_key), by=bo.sealing_key) is None


def test_the_line_opens_its_own_keys_with_its_secret_only() -> None:
    line, sealed = identity.make(HOST)
    private = identity.open_private(sealed, line, host=HOST)
    assert unwrap(wrap(b"salt", to=line.sealing_key), by=private.sealing_key) == b"salt"
    with pytest.raises(WrongSecret):
        identity.open_private(sealed, line, host=HostKey.of(b"another secret"))
    with pytest.raises(WrongSecret):
        identity.open_private(sealed, Identity(b"x" * 32, line.sealing_key), host=HOST)


def test_the_organisation_certifies_exactly_what_it_was_shown() -> None:
    key = organisation.new_key()
    pin = organisation.pin_of(key)
    epoch = epochs.make("2026-11")
    claim = epochs.claim(epoch.id, public_key=epoch.public_key, k_receipt=epochs.receipt_key(epoch.private_key))
    certificate = organisation.certify(claim, key)
    assert organisation.is_certified(claim, certificate, pin=pin)
    stranger = organisation.pin_of(organisation.new_key())
    assert not organisation.is_certified(claim, certificate, pin=stranger)
    assert not organisation.is_certified(claim, b"", pin=pin)
    for planted in (
        epochs.claim("2026-12", public_key=epoch.public_key, k_receipt=epochs.receipt_key(epoch.private_key)),
        epochs.claim("2026-11", public_key=b"x" * 32, k_receipt=epochs.receipt_key(epoch.private_key)),
        epochs.claim("2026-11", public_key=epoch.public_key, k_receipt=b"x" * 32),
        ANA.claim(),
    ):
        assert not organisation.is_certified(planted, certificate, pin=pin)


@pytest.mark.parametrize("change", ["id", "name", "role", "sealing_key", "signing_key"])
def test_a_certificate_of_an_advocate_is_about_all_of_her(change: str) -> None:
    key = organisation.new_key()
    certificate = organisation.certify(ANA.claim(), key)
    other: object = {"name": "mallory", "role": Role.ADVOCATE}.get(change, b"y" * 32)
    forged = replace(ANA, **{change: other})  # type: ignore[arg-type]  # the field is the parameter
    assert not organisation.is_certified(forged.claim(), certificate, pin=organisation.pin_of(key))


def test_a_pin_is_read_as_it_was_written() -> None:
    pin = organisation.pin_of(organisation.new_key())
    assert organisation.read_pin(f" {organisation.written(pin).upper()}\n") == pin
    for wrong in ("", "abc", "zz" * 32, "ab" * 33):
        with pytest.raises(organisation.WrongPin, match="64 hexadecimal"):
            organisation.read_pin(wrong)


def test_four_epochs_are_due_over_the_turn_of_a_year() -> None:
    assert epochs.due(date(2026, 11, 22)) == ("2026-11", "2026-12", "2027-01", "2027-02")


def test_the_epoch_that_takes_reports_today_is_due_also_in_a_week_that_began_last_month() -> None:
    assert epochs.due(date(2026, 12, 1))[0] == epochs.taking(date(2026, 12, 1)) == "2026-11"


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_epoch_tells_no_more_than_the_week(day: date) -> None:
    """A6: were it the month of the day, a report of a week in which a month begins would be one of fewer days."""
    monday = day - timedelta(days=day.weekday())
    assert {epochs.taking(monday + timedelta(days=days)) for days in range(7)} == {f"{monday:%Y-%m}"}
