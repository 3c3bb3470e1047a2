"""Time-outs and retries in a URL's fragment."""

import pytest

from ivr.carrier.callbacks import Callback, parse_callback


def test_a_plain_url_has_plivos_defaults() -> None:
    url = "https://line.example.org/answer?a=b"
    assert parse_callback(url) == Callback(url, 2000, 40_000, 55_000, 1, frozenset({"ct", "rt"}))


def test_the_fragment_is_taken_off_and_read() -> None:
    callback = parse_callback("https://line.example.org/answer#ct=1000&rt=3000&rc=3&rp=all")
    assert callback == Callback(
        "https://line.example.org/answer", 1000, 3000, 55_000, 3, frozenset({"4xx", "5xx", "ct", "rt"})
    )
    assert parse_callback("https://a.example#rp=5xx,ct").policy == {"5xx", "ct"}


@pytest.mark.parametrize(
    "fragment", ["x", "ct", "ct=", "ct=99", "rt=1s", "tt=60000", "rc=-1", "rp=", "rp=all,ct", "a=b"]
)
def test_a_fragment_that_plivo_does_not_document_is_an_error(fragment: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_callback(f"https://line.example.org/answer#{fragment}")
