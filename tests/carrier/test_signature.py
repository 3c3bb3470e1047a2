"""Signature V3: ours against the public vectors and the SDK, and what ours refuses although the SDK does not."""

from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as some
from plivo.exceptions import ValidationError
from plivo.utils import validate_signature, validate_v3_signature

from ivr.carrier.signature import MAX_SIGNATURE_BYTES, Verifier, sign

TOKEN = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4"
NONCE = "31627761595286130198"
HOST = "https://plivobin.non-prod.plivops.com"
PATH = "/api/v1/validate_signature03.xml"
FIELDS = {
    "Direction": "outbound",
    "From": "19792014278",
    "CallStatus": "in-progress",
    "BillRate": "0.002",
    "ParentAuthID": "MANWVLYTK4ZWU1YTY4QA",
    "ALegUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "ALegRequestUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "CallUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "RequestUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "To": "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com",
    "SIP-H-To": "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1",
    "SessionStart": "2020-04-08 11:34:33.238707",
    "Event": "StartApp",
}
U1 = (f"{PATH}/", "a=b&c=d", "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c=")
U2 = (PATH, "", "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0=")


def accepts(
    path: str = PATH,
    query: str = "",
    *,
    signature: str | None = U2[2],
    main: str | None = None,
    nonce: str | None = NONCE,
    fields: Any = FIELDS,  # Any: hostile ones too
    method: str = "POST",
    tokens: tuple[str, ...] = (TOKEN,),
) -> bool:
    named = {
        b"x-plivo-signature-v3": signature,
        b"x-plivo-signature-ma-v3": main,
        b"x-plivo-signature-v3-nonce": nonce,
        b"host": "somewhere.else",
    }
    headers = [(name, value.encode("latin-1")) for name, value in named.items() if value is not None]
    return Verifier(tokens, HOST).accepts(
        method,
        path=path.encode("latin-1"),
        query=query.encode("latin-1"),
        headers=headers,
        fields=tuple(fields.items()) if isinstance(fields, dict) else fields,
    )


@pytest.mark.parametrize(("path", "query", "signature"), [U1, U2])
def test_the_public_vectors_pass(path: str, query: str, signature: str) -> None:
    url = f"{HOST}{path}?{query}" if query else f"{HOST}{path}"
    assert sign(TOKEN, url=url, nonce=NONCE, fields=FIELDS) == signature
    assert accepts(path, query, signature=signature)


def test_any_of_our_tokens_and_either_header_will_do() -> None:
    assert accepts(signature=None, main=U2[2])
    assert accepts(signature="bm90IGl0", main=U2[2])
    assert accepts(tokens=("another", TOKEN))


def test_a_list_of_signatures_may_have_white_space() -> None:
    assert accepts(signature=f"bm90IGl0 ,\t{U2[2]} , x")


words = some.text(ascii_letters + digits + "-_.~", min_size=1, max_size=12)
values = some.text(some.characters(codec="utf-8"), max_size=20)
ascii_values = some.text(some.characters(codec="ascii"), max_size=20)


@given(
    path=some.lists(words, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    query=some.lists(some.tuples(words, ascii_values), max_size=4),
    fields=some.dictionaries(words, values, max_size=6),
    token=words,
    nonce=some.text(digits, min_size=1, max_size=20),
)
@example(path="/a", query=[("b", ""), ("a", "2"), ("a", "1 +&=")], fields={"é": "ñ"}, token="t", nonce="1")
def test_we_agree_with_the_sdk(
    path: str, query: list[tuple[str, str]], fields: dict[str, str], token: str, nonce: str
) -> None:
    raw_query = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in query)
    url = f"{HOST}{path}?{raw_query}" if raw_query else f"{HOST}{path}"
    signature = sign(token, url=url, nonce=nonce, fields=fields)
    assert validate_v3_signature("POST", url, nonce, token, signature, dict(fields))
    assert accepts(path, raw_query, signature=signature, nonce=nonce, fields=fields, tokens=(token,))


@given(some.data())
def test_one_changed_character_is_refused(data: some.DataObject) -> None:
    name = data.draw(some.sampled_from(sorted(FIELDS)))
    value = data.draw(ascii_values)
    assume(value != FIELDS[name])
    assert not accepts(fields=FIELDS | {name: value})


@given(
    path=some.text(some.characters(max_codepoint=255)),
    query=some.text(some.characters(max_codepoint=255)),
    signature=some.text(some.characters(max_codepoint=255)),
    nonce=some.text(some.characters(max_codepoint=255)),
    fields=some.lists(some.tuples(some.text(), some.text())),
)
def test_noise_is_refused_and_raises_nothing(
    path: str, query: str, signature: str, nonce: str, fields: list[tuple[str, str]]
) -> None:
    assert not accepts(path, query, signature=signature, nonce=nonce, fields=fields)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"method": "GET"}, id="GET"),
        pytest.param({"method": "post"}, id="a method in lower case"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"nonce": ""}, id="empty nonce"),
        pytest.param({"nonce": "é"}, id="nonce that is not ASCII"),
        pytest.param({"signature": None}, id="no signature"),
        pytest.param({"signature": ""}, id="empty signature"),
        pytest.param({"signature": "é"}, id="signature that is not ASCII"),
        pytest.param({"signature": U2[2].lower()}, id="signature in lower case"),
        pytest.param({"signature": U2[2][:-1]}, id="signature cut short"),
        pytest.param({"signature": U2[2] + "," * MAX_SIGNATURE_BYTES}, id="endless list of signatures"),
        pytest.param({"query": "x=%C3%A9"}, id="query that decodes to more than ASCII"),
        pytest.param({"query": "x=\xe9"}, id="raw query that is not ASCII"),
        pytest.param({"path": PATH + "\xe9"}, id="path that is not ASCII"),
        pytest.param({"path": PATH + "/"}, id="another path"),
        pytest.param({"query": "a=b"}, id="another query"),
        pytest.param({"fields": {**FIELDS, "Digits": "1"}}, id="field added"),
        pytest.param({"fields": {}}, id="no fields"),
        pytest.param({"fields": [("From", "\ud800")]}, id="field that cannot be UTF-8"),
        pytest.param({"tokens": ("another",)}, id="another token"),
    ],
)
def test_a_forged_request_is_refused(request_: dict[str, Any]) -> None:
    assert not accepts(**request_)


def test_a_nonce_sent_twice_is_refused() -> None:
    headers = [
        (b"x-plivo-signature-v3", U2[2].encode()),
        (b"x-plivo-signature-v3-nonce", NONCE.encode()),
        (b"x-plivo-signature-v3-nonce", NONCE.encode()),
    ]
    verifier = Verifier([TOKEN], HOST)
    assert not verifier.accepts("POST", path=PATH.encode(), query=b"", headers=headers, fields=tuple(FIELDS.items()))


def test_the_end_of_the_last_field_cannot_be_passed_off_as_the_nonce() -> None:
    """The signed bytes are the same: `...plivodev.com.316...`. The SDK accepts it."""
    shortened = FIELDS | {"To": FIELDS["To"].removesuffix(".com")}
    assert validate_v3_signature("POST", HOST + PATH, f"com.{NONCE}", TOKEN, U2[2], dict(shortened))
    assert not accepts(fields=shortened, nonce=f"com.{NONCE}")


def test_a_signature_of_the_older_kind_is_refused() -> None:
    older = validate_signature.__globals__["base64_encode"](
        validate_signature.__globals__["hnew"](
            TOKEN.encode(), (HOST + PATH + NONCE).encode(), validate_signature.__globals__["sha256"]
        ).digest()
    ).strip()
    assert validate_signature(HOST + PATH, NONCE, older.decode(), TOKEN)
    headers = [(b"x-plivo-signature-v2", older), (b"x-plivo-signature-v2-nonce", NONCE.encode())]
    verifier = Verifier([TOKEN], HOST)
    assert not verifier.accepts("POST", path=PATH.encode(), query=b"", headers=headers, fields=tuple(FIELDS.items()))
    assert not accepts(signature=older.decode())


@pytest.mark.parametrize("tokens", [(), ("",), (TOKEN, "")])
def test_an_empty_token_is_refused_before_the_first_call(tokens: tuple[str, ...]) -> None:
    """The SDK takes one, and whoever signs with nothing is let in."""
    with pytest.raises(ValueError, match="IVR_PLIVO_AUTH_TOKEN"):
        Verifier(tokens, HOST)


@pytest.mark.parametrize(
    "url", ["", "line.example.org", "ftp://line.example.org", "https://", f"{HOST}/?a=b", f"{HOST}#x"]
)
def test_what_is_not_a_public_address_is_refused_before_the_first_call(url: str) -> None:
    with pytest.raises(ValueError, match="IVR_PUBLIC_URL"):
        Verifier([TOKEN], url)


def test_a_public_address_may_have_a_path_in_front_of_ours() -> None:
    signature = sign(TOKEN, url=f"{HOST}/behind/here{PATH}", nonce=NONCE, fields=FIELDS)
    headers = [(b"x-plivo-signature-v3", signature.encode()), (b"x-plivo-signature-v3-nonce", NONCE.encode())]
    verifier = Verifier([TOKEN], f"{HOST}/behind/here/")
    assert verifier.accepts("POST", path=PATH.encode(), query=b"", headers=headers, fields=tuple(FIELDS.items()))


def test_what_the_sdk_gets_wrong_we_get_right() -> None:
    unsigned = sign("", url=HOST + PATH, nonce=NONCE, fields=FIELDS)
    assert validate_v3_signature("POST", HOST + PATH, NONCE, "", unsigned, dict(FIELDS)), "an empty token"
    spaced = f"bm90IGl0, {U2[2]}"
    assert not validate_v3_signature("POST", HOST + PATH, NONCE, TOKEN, spaced, dict(FIELDS)), "white space in a list"
    assert accepts(signature=spaced)
    no_nonce: Any = None
    with pytest.raises(ValidationError):
        validate_v3_signature("POST", HOST + PATH, no_nonce, TOKEN, U2[2], dict(FIELDS))
    with pytest.raises(UnicodeEncodeError):
        validate_v3_signature("POST", f"{HOST}{PATH}?x={quote('é')}", NONCE, TOKEN, U2[2], dict(FIELDS))


def test_a_query_that_is_not_ascii_cannot_be_signed() -> None:
    with pytest.raises(ValueError, match="not ASCII"):
        sign(TOKEN, url=f"{HOST}{PATH}?x=%C3%A9", nonce=NONCE, fields=FIELDS)
