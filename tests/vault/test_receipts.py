"""What a call can always work out again, and what nobody else can."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ivr.vault import receipts

SEED = receipts.call_seed(b"k" * 32, "5b1c7f0a-ana")
SALT = b"s" * 16

visits = st.integers(1, 2**32 - 1)
seeds = st.binary(min_size=16, max_size=16)


def test_a_doubled_webhook_begins_the_same_call() -> None:
    assert receipts.call_seed(b"k" * 32, "5b1c7f0a-ana") == SEED


def test_another_call_or_another_key_is_another_seed() -> None:
    others = {SEED, receipts.call_seed(b"k" * 32, "5b1c7f0a-bo"), receipts.call_seed(b"o" * 32, "5b1c7f0a-ana")}
    assert len(others) == 3
    assert {len(seed) for seed in others} == {16}


@given(seeds, visits, visits)
def test_a_second_report_in_one_call_is_a_second_report(seed: bytes, one: int, other: int) -> None:
    same = one == other
    assert (receipts.derive_id(seed, "report", visit=one) == receipts.derive_id(seed, "report", visit=other)) == same
    codes = receipts.receipt_code(seed, "bad_date", visit=one), receipts.receipt_code(seed, "bad_date", visit=other)
    assert (codes[0] == codes[1]) == same


def test_a_first_report_of_another_form_is_another_report_with_another_receipt() -> None:
    assert receipts.derive_id(SEED, "report bad_date", visit=1) != receipts.derive_id(SEED, "report robbery", visit=1)
    assert receipts.receipt_code(SEED, "bad_date", visit=1) != receipts.receipt_code(SEED, "robbery", visit=1)


@given(seeds, visits)
def test_a_receipt_is_twelve_digits(seed: bytes, visit: int) -> None:
    assert re.fullmatch(r"[0-9]{12}", receipts.receipt_code(seed, "bad_date", visit=visit))


def test_receipts_keep_their_leading_zeros_and_use_every_first_digit() -> None:
    codes = {receipts.receipt_code(SEED, "bad_date", visit=visit) for visit in range(1, 400)}
    assert len(codes) == 399
    assert {code[0] for code in codes} == set("0123456789")


def test_the_slow_hash_is_this_site_s_own() -> None:
    slow = receipts.slow("012345678901", site_salt=SALT)
    assert len(slow) == 32
    assert slow == receipts.slow("012345678901", site_salt=SALT)
    assert slow != receipts.slow("012345678901", site_salt=b"o" * 16)
    assert slow != receipts.slow("012345678902", site_salt=SALT)


def test_the_slow_hash_is_argon2id_as_decided() -> None:
    """Two passes over 16 MiB: to change either is to lose every receipt."""
    assert (receipts.SLOW_PASSES, receipts.SLOW_MEMORY) == (2, 16 * 2**20)
    assert receipts.slow("012345678901", site_salt=SALT).hex()[:16] == "75b2171e90de28ea"


def test_a_tag_is_its_epoch_s_own_and_a_handle_is_not() -> None:
    slow = b"l" * 32
    assert receipts.tag(b"k" * 32, slow) != receipts.tag(b"o" * 32, slow)
    assert len(receipts.tag(b"k" * 32, slow)) == len(receipts.handle(slow)) == len(receipts.random_handle()) == 16
    assert receipts.handle(slow) == receipts.handle(slow)
    assert receipts.random_handle() != receipts.random_handle()


def test_no_two_uses_of_one_secret_meet() -> None:
    secret = b"k" * 32
    drawn = {
        receipts.call_seed(secret, "x"),
        receipts.derive_id(secret, "x", visit=1),
        receipts.tag(secret, b"x"),
        receipts.handle(secret),
    }
    assert len(drawn) == 4
