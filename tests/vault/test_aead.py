"""Our way to libsodium's cipher gives what PyNaCl's gives, and reads past the end of nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_aead_xchacha20poly1305_ietf_encrypt

from ivr.vault.aead import KEY_SIZE, NONCE_SIZE, TAG_SIZE, decrypt, encrypt

KEY = bytes(range(KEY_SIZE))
NONCE = bytes(range(NONCE_SIZE))


@given(st.binary(max_size=600), st.binary(max_size=64))
def test_the_bytes_are_those_of_pynacl(plaintext: bytes, associated: bytes) -> None:
    sealed = encrypt(plaintext, associated, NONCE, KEY)
    assert sealed == crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, NONCE, KEY)
    assert crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated, NONCE, KEY) == plaintext
    assert decrypt(sealed, associated, NONCE, KEY) == plaintext


@given(st.binary(max_size=100), st.data())
def test_a_changed_byte_or_other_associated_data_opens_nothing(plaintext: bytes, data: st.DataObject) -> None:
    sealed = bytearray(encrypt(plaintext, b"call", NONCE, KEY))
    assert decrypt(bytes(sealed), b"another call", NONCE, KEY) is None
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert decrypt(bytes(sealed), b"call", NONCE, KEY) is None


@given(st.binary(max_size=TAG_SIZE))
def test_what_is_shorter_than_a_tag_opens_nothing(short: bytes) -> None:
    assert decrypt(short, b"", NONCE, KEY) is None


@pytest.mark.parametrize(("nonce", "key"), [(NONCE[:-1], KEY), (NONCE + b"x", KEY), (NONCE, KEY[:-1]), (NONCE, b"")])
def test_a_key_or_nonce_of_another_size_is_refused(nonce: bytes, key: bytes) -> None:
    with pytest.raises(ValueError, match="a key 32"):
        encrypt(b"call", b"", nonce, key)
    with pytest.raises(ValueError, match="a key 32"):
        decrypt(bytes(40), b"", nonce, key)
