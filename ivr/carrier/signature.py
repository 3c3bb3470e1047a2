"""Plivo's signature V3 of a POST: made and checked. GET and the older V2, which leaves the body unsigned, are refused.
Never knows what a request asks for."""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote_to_bytes, urlsplit

SIGNATURE = "X-Plivo-Signature-V3"
"""Signed with the token of the account or subaccount that owns the call."""
MAIN_SIGNATURE = "X-Plivo-Signature-Ma-V3"
"""Signed with the token of the main account."""
NONCE = "X-Plivo-Signature-V3-Nonce"

MAX_SIGNATURE_BYTES = 1024
"""Of one header value: room for twenty signatures, no room to keep us busy."""

_SIGNATURES = (SIGNATURE.lower().encode(), MAIN_SIGNATURE.lower().encode())
_NONCE = NONCE.lower().encode()
# A dot in a nonce would let the end of the last field be passed off as its beginning: both lie on one side of the
# delimiter in the signed bytes.
_NONCE_SHAPE = re.compile(rb"[0-9A-Za-z_-]{1,128}")

_Pairs = Iterable[tuple[str, str]]


def sign(token: str, *, url: str, nonce: str, fields: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """The signature (base64) that Plivo sends with a POST of `fields` to `url`.

    base64(HMAC-SHA256(token, base + "." + nonce)), base as plivo 4.63.0 builds it (`utils/signature_v3.py`): the URL
    without query and fragment; `?` and the decoded query, sorted, if there is a query or a field; `.` if there are
    both; the fields sorted, name and value run together. Raises ValueError for a URL whose decoded query is not ASCII.
    """
    parts = urlsplit(url)
    pairs = tuple(fields.items() if isinstance(fields, Mapping) else fields)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}".encode("ascii")
    message = _message(base, query=parts.query.encode("ascii"), fields=pairs, nonce=nonce.encode("ascii"))
    if message is None:
        raise ValueError(f"{url}: the query is not ASCII")
    return _digest(_keyed(token), message).decode("ascii")


class Verifier:
    """Tells whether a POST came from Plivo. Built once from configuration; one call costs a few microseconds.

    A signature covers the URL as configured (`public_url`: scheme, host, an optional path in front of ours), never the
    Host header. It has no delimiters between fields: whoever accepts a request must also refuse duplicate names
    (`fields.parse_form`), require each field it needs and match each against its pattern. It has no time: replays are
    the caller's business.
    """

    __slots__ = ("_keyed", "_prefix")

    def __init__(self, tokens: Sequence[str], public_url: str) -> None:
        """Raises ValueError without a token, for an empty one, and for a public URL that is more than host and path."""
        if not tokens or not all(token and token.isascii() for token in tokens):
            raise ValueError("a Plivo auth token is missing or empty: set IVR_PLIVO_AUTH_TOKEN")
        parts = urlsplit(public_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{public_url!r} is not a public address: set IVR_PUBLIC_URL to https://HOST")
        self._keyed = tuple(map(_keyed, tokens))
        self._prefix = public_url.rstrip("/").encode("ascii")

    def accepts(
        self, method: str, *, path: bytes, query: bytes, headers: Sequence[tuple[bytes, bytes]], fields: _Pairs
    ) -> bool:
        """Whether one of the signatures is one of ours. Never raises, whatever a stranger sends.

        `path`, `query` and `headers` (names in lower case) are ASGI's `raw_path`, `query_string` and `headers`;
        `fields` are the decoded body. The time taken tells nothing about how much of a signature was right.
        """
        if method != "POST":
            return False
        signatures, nonce = _credentials(headers)
        if nonce is None or not path.isascii():
            return False
        message = _message(self._prefix + path, query=query, fields=fields, nonce=nonce)
        if message is None:
            return False
        for keyed in self._keyed:
            genuine = _digest(keyed, message)
            for given in signatures:
                if hmac.compare_digest(genuine, given):
                    return True
        return False


def _credentials(headers: Sequence[tuple[bytes, bytes]]) -> tuple[list[bytes], bytes | None]:
    """The signatures and the nonce; no nonce when it is misshapen, neither when one of these headers comes twice."""
    told = dict(headers)
    if len(told) < len(headers):
        names = [name for name, _ in headers]
        if any(names.count(name) > 1 for name in (_NONCE, *_SIGNATURES)):
            return [], None
    signatures: list[bytes] = []
    for name in _SIGNATURES:
        value = told.get(name, b"")
        if len(value) <= MAX_SIGNATURE_BYTES:
            signatures += [one.strip() for one in value.split(b",")] if b"," in value else [value]
    nonce = told.get(_NONCE, b"")
    return signatures, nonce if _NONCE_SHAPE.fullmatch(nonce) else None


def _message(base: bytes, *, query: bytes, fields: _Pairs, nonce: bytes) -> bytes | None:
    """The signed bytes; None where the query is not ASCII or a field cannot be UTF-8."""
    try:
        body = "".join(map("".join, sorted(fields))).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None
    sorted_query = _sorted_query(query) if query else b""
    if sorted_query is None:
        return None
    if not sorted_query:
        return base + b"?" + body + b"." + nonce if body else base + b"." + nonce
    return b"%b?%b.%b.%b" % (base, sorted_query, body, nonce) if body else b"%b?%b.%b" % (base, sorted_query, nonce)


def _sorted_query(query: bytes) -> bytes | None:
    pieces = [piece.partition(b"=") for piece in query.replace(b"+", b" ").split(b"&") if piece]
    pairs = sorted((unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pieces)
    joined = b"&".join([name + b"=" + value for name, value in pairs])
    return joined if joined.isascii() else None


def _keyed(token: str) -> hmac.HMAC:
    return hmac.new(token.encode("ascii"), digestmod="sha256")


def _digest(keyed: hmac.HMAC, message: bytes) -> bytes:
    fresh = keyed.copy()
    fresh.update(message)
    return b64encode(fresh.digest())
