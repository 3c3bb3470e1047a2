"""A row that was planted or altered does not verify."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault import signing
from ivr.vault.signing import Signer, Statement

LINE = b"l" * 32
PUBLIC = signing.public_half(LINE)
STATEMENT = Statement(
    id=b"i" * 16,
    form="bad_date",
    epoch="2026-11",
    week="2026-W47",
    turn=5,
    consent="count_only",
    state="new",
    receipt_tag=None,
    body=b"b" * 640,
)
CHANGES: dict[str, object] = {
    "id": b"j" * 16,
    "form": "robbery",
    "epoch": "2026-12",
    "week": "2026-W48",
    "turn": 6,
    "consent": "pass_on",
    "state": "confirmed",
    "receipt_tag": b"t" * 16,
    "body": b"B" * 640,
}


def test_what_the_line_signed_verifies() -> None:
    assert signing.verify(STATEMENT, Signer.of(LINE).sign(STATEMENT), public_key=PUBLIC)


@pytest.mark.parametrize("column", [field.name for field in fields(Statement)])
def test_every_column_is_signed(column: str) -> None:
    altered = replace(STATEMENT, **{column: CHANGES[column]})  # type: ignore[arg-type]  # one column at a time, each of its type
    assert not signing.verify(altered, Signer.of(LINE).sign(STATEMENT), public_key=PUBLIC)


def test_what_moves_between_two_columns_does_not_verify() -> None:
    moved = replace(STATEMENT, consent="count_onlyn", state="ew")
    assert not signing.verify(moved, Signer.of(LINE).sign(STATEMENT), public_key=PUBLIC)


def test_somebody_else_s_signature_does_not_verify() -> None:
    other = b"o" * 32
    assert not signing.verify(STATEMENT, Signer.of(other).sign(STATEMENT), public_key=PUBLIC)
    assert signing.signer_of(signing.public_half(other)) != signing.signer_of(PUBLIC)


@given(st.binary(max_size=100), st.binary(max_size=40))
def test_garbage_verifies_as_nothing(signature: bytes, public_key: bytes) -> None:
    assert not signing.verify(STATEMENT, signature, public_key=PUBLIC)
    assert not signing.verify(STATEMENT, Signer.of(LINE).sign(STATEMENT), public_key=public_key)
