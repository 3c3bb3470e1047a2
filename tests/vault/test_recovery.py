"""The recovery key: any two of three printed shares bring it back, one alone tells nothing."""

import contextlib
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault import recovery
from ivr.vault.recovery import Share, SharesDiffer, ShareUnreadable

KEY, SHARES = recovery.make()


@pytest.mark.parametrize(("one", "other"), [*combinations(SHARES, 2), *combinations(reversed(SHARES), 2)])
def test_any_two_shares_bring_the_key_back(one: Share, other: Share) -> None:
    assert recovery.join(one, other) == KEY


def test_a_share_survives_paper() -> None:
    for share in SHARES:
        assert recovery.typed(recovery.printed(share)) == share
        assert recovery.typed(recovery.printed(share).replace(" ", "").lower()) == share


def test_a_printed_share_is_four_lines_of_four_groups() -> None:
    lines = recovery.printed(SHARES[0]).splitlines()
    assert [[len(group) for group in line.split()] for line in lines] == [[4, 4, 4, 4]] * 4


def test_letters_that_look_alike_are_read_as_they_were_meant() -> None:
    text = recovery.printed(SHARES[1])
    assert recovery.typed(text.replace("O", "0").replace("I", "1").replace("B", "8")) == SHARES[1]


@given(st.integers(0, 63), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_slip_of_the_finger_is_told_with_its_line_or_makes_no_key(at: int, letter: str) -> None:
    letters = list(recovery.printed(SHARES[0]).replace(" ", "").replace("\n", ""))
    if letters[at] == letter:
        return
    letters[at] = letter
    try:
        share = recovery.typed("".join(letters))
    except ShareUnreadable as error:
        assert f"line {at // 16 + 1}" in str(error) or "no share" in str(error)
        return
    # One byte checks a line, so that one slip of 256 passes: then no wrong key comes of it.
    for partner in SHARES[1:]:
        with contextlib.suppress(SharesDiffer):
            assert recovery.join(share, partner) == KEY


def test_lines_in_another_order_are_told() -> None:
    lines = recovery.printed(SHARES[0]).splitlines()
    with pytest.raises(ShareUnreadable, match="line 2"):
        recovery.typed("\n".join([lines[0], lines[2], lines[1], lines[3]]))


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 65, "not a share at all"])
def test_something_else_is_no_share(text: str) -> None:
    with pytest.raises(ShareUnreadable, match="letters"):
        recovery.typed(text)


def test_shares_that_do_not_belong_together_are_told_why() -> None:
    _other, later = recovery.make()
    with pytest.raises(SharesDiffer, match="both are share 1"):
        recovery.join(SHARES[0], SHARES[0])
    with pytest.raises(SharesDiffer, match="different times"):
        recovery.join(SHARES[0], later[1])


def test_one_share_goes_with_any_key() -> None:
    """Information-theoretically: whatever the seed, some partner's part completes this share to it."""
    share = SHARES[0]
    for seed in (bytes(16), b"\xff" * 16, b"any seed at all!"):
        other = bytes(a ^ b for a, b in zip(seed, share.parts[0], strict=True))
        partner = Share(2, share.mark, (other, bytes(16)))
        assert recovery._xor(share.parts[0], partner.parts[0]) == seed


def test_a_share_shows_no_secret() -> None:
    assert not any(repr(part)[2:-1] in repr(SHARES[0]) for part in SHARES[0].parts)
    assert repr(KEY.private_key)[2:-1] not in repr(KEY)
