"""The strict reading of a webhook's body."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ivr.carrier.fields import MAX_FIELDS, encode_form, parse_form

texts = some.text(some.characters(codec="utf-8"))


@given(some.dictionaries(texts.filter(bool), texts, max_size=10))
def test_what_any_client_encodes_is_read_back(fields: dict[str, str]) -> None:
    pairs = tuple(fields.items())
    for body in (urlencode(fields).encode(), encode_form(pairs)):
        read = parse_form(body)
        assert read is not None
        assert tuple(read.items()) == pairs


@given(some.binary())
def test_noise_raises_nothing(body: bytes) -> None:
    parse_form(body)


def test_an_empty_body_has_no_fields() -> None:
    assert parse_form(b"") == {}


def test_plus_is_a_space_and_an_escaped_plus_a_plus() -> None:
    assert parse_form(b"From=%2B1+212&CallerName=Jos%c3%A9") == {"From": "+1 212", "CallerName": "José"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Digits=1&Digits=2", id="a name twice"),
        pytest.param(b"Digits=1&%44igits=2", id="a name twice, once escaped"),
        pytest.param(b"=1", id="an empty name"),
        pytest.param(b"Digits", id="no equals sign"),
        pytest.param(b"Digits=1&", id="an empty piece"),
        pytest.param(b"&", id="only empty pieces"),
        pytest.param(b"Digits=%", id="an escape cut short"),
        pytest.param(b"Digits=%4", id="an escape of one digit"),
        pytest.param(b"Digits=%g1", id="an escape that is not hexadecimal"),
        pytest.param(b"Digits=%+1", id="an escape with a space"),
        pytest.param("Digits=é".encode(), id="bytes that are not ASCII"),
        pytest.param(b"%ff=1", id="a name that is not UTF-8"),
        pytest.param(b"&".join(b"a%d=1" % number for number in range(MAX_FIELDS + 1)), id="too many"),
    ],
)
def test_a_malformed_body_is_no_fields_at_all(body: bytes) -> None:
    assert parse_form(body) is None


def test_as_many_fields_as_allowed_are_read() -> None:
    fields = parse_form(b"&".join(b"a%d=1" % number for number in range(MAX_FIELDS)))
    assert fields is not None
    assert len(fields) == MAX_FIELDS


def test_a_callers_name_in_an_older_encoding_is_kept_and_can_be_signed() -> None:
    fields = parse_form(b"CallerName=Mu%F1oz&Digits=1")
    assert fields is not None
    assert fields["Digits"] == "1"
    body = "".join(name + value for name, value in fields.items()).encode("utf-8", "surrogateescape")
    assert body == b"CallerNameMu\xf1ozDigits1"
