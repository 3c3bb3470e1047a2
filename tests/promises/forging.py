"""Requests that the carrier never sent, made from one that it did. Each is named; none may be let in."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha1
from hmac import digest
from random import Random

from ivr.carrier.fields import MAX_FIELDS, encode_form, parse_form
from ivr.carrier.signature import MAIN_SIGNATURE, NONCE, SIGNATURE
from ivr.line.edge import MAX_BODY
from tests.promises.house import PUBLIC_URL
from tests.promises.requests import FORM, Request

Bend = Callable[[Request], Request]

OTHER_TOKEN = "N2IyOTc4YTRkNTg0MTAxZWI2ZDgxZmY5YWRiOTI5"


def _fields(request: Request, **changes: str | None) -> Request:
    values: dict[str, str | None] = {**dict(request.fields), **changes}
    return request.with_fields(*((name, value) for name, value in values.items() if value is not None))


def _both_signatures(request: Request, value: bytes | None) -> Request:
    return request.with_header(SIGNATURE, value).with_header(MAIN_SIGNATURE, value)


def _v2_only(request: Request) -> Request:
    """The older signature covers the address and the nonce, not the body."""
    nonce = request.header(NONCE)
    old = b64encode(
        digest(b"Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4", PUBLIC_URL.encode() + request.path + nonce, "sha256")
    )
    bare = _both_signatures(request, None).with_header(NONCE, None)
    return bare.with_header("X-Plivo-Signature-V2", old).with_header("X-Plivo-Signature-V2-Nonce", nonce)


def _into_query(request: Request) -> Request:
    """The decimal point of the bill rate stands where the dot between query and body would."""
    first, *rest = sorted(request.fields)
    left, _, right = "".join(first).partition(".")
    query, body = left, right + "".join(name + value for name, value in rest)
    return replace(request, query=query.encode()).with_body(encode_form([(body[:1], body[1:])]))


def _flipped(value: bytes, at: int) -> bytes:
    other = b"A" if value[at : at + 1] != b"A" else b"B"
    return value[:at] + other + value[at + 1 :]


def _elsewhere(path: bytes) -> bytes:
    words = {
        b"keys": b"silence",
        b"silence": b"dialled",
        b"dialled": b"undialled",
        b"undialled": b"keys",
        b"tried": b"keys",
        b"talked": b"keys",
        b"offered": b"over",
        b"over": b"offered",
        b"again": b"keys",
    }
    _, side, word, token = path.split(b"/")
    if side == b"staff":
        words |= {b"silence": b"keys", b"keys": b"silence"}
    return b"/".join((b"", b"voice" if word == b"tried" else side, words[word], token))


def _other_token(request: Request) -> Request:
    head, _, token = request.path.rpartition(b"/")
    return replace(request, path=head + b"/" + _flipped(token, len(token) // 2))


def _multipart(request: Request) -> Request:
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in request.fields
    )
    return request.with_header("Content-Type", b"multipart/form-data; boundary=b").with_body(
        f"{parts}--b--\r\n".encode()
    )


def _digit(request: Request) -> Request:
    pressed = dict(request.fields).get("Digits", "")
    return _fields(request, Digits="2" if pressed != "2" else "3")


BENT: dict[str, Bend] = {
    "fetched instead of posted": lambda r: replace(r, method="GET"),
    "a method that only looks": lambda r: replace(r, method="HEAD"),
    "put instead of posted": lambda r: replace(r, method="PUT"),
    "a method in lower case": lambda r: replace(r, method="post"),
    "a query": lambda r: replace(r, query=b"a=b"),
    "a field in the query": lambda r: replace(r, query=b"Digits=1"),
    "a query of a bare equals sign": lambda r: replace(r, query=b"="),
    "a query that is not ASCII": lambda r: replace(r, query=b"x=%C3%A9"),
    "a query of raw bytes": lambda r: replace(r, query=b"\xff\xfe"),
    "fields moved into the query at a decimal point": _into_query,
    "another key": _digit,
    "a key where none was": lambda r: _fields(r, Digits="10"),
    "another call": lambda r: _fields(r, CallUUID="3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    "no call": lambda r: _fields(r, CallUUID=None),
    "another caller": lambda r: _fields(r, From="12125550177"),
    "another state": lambda r: _fields(r, CallStatus="ringing0"),
    "another event": lambda r: _fields(r, Event="StartAppAgain"),
    "an added field": lambda r: _fields(r, Extra="1"),
    "an added empty field": lambda r: _fields(r, Extra=""),
    "a field left out": lambda r: _fields(r, BillRate=None),
    "a field twice": lambda r: r.with_body(r.body + b"&" + encode_form(r.fields[:1])),
    "a second, other key": lambda r: r.with_body(r.body + b"&Digits=2"),
    "a first, other key": lambda r: r.with_body(b"Digits=2&" + r.body),
    "a second, other call": lambda r: r.with_body(r.body + b"&CallUUID=3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    "the fields in a case of their own": lambda r: r.with_body(r.body.replace(b"CallUUID", b"calluuid")),
    "no body": lambda r: r.with_body(b""),
    "a body without an equals sign": lambda r: r.with_body(r.body.replace(b"=", b"")),
    "a broken escape": lambda r: r.with_body(r.body + b"&x=%zz"),
    "a body that is not UTF-8": lambda r: r.with_body(r.body + b"&x=%ff"),
    "a body of raw bytes": lambda r: r.with_body(r.body + b"&x=\xff"),
    "a zero byte": lambda r: r.with_body(r.body + b"%00"),
    "the body twice": lambda r: r.with_body(r.body + b"&" + r.body),
    "semicolons between the fields": lambda r: r.with_body(r.body.replace(b"&", b";")),
    "a huge body": lambda r: r.with_body(r.body + b"&x=" + b"y" * MAX_BODY),
    "a huge body in pieces": lambda r: replace(r, chunks=(r.body + b"&x=", *([b"y" * 4096] * 12))),
    "a body that never ends": lambda r: replace(r, chunks=(r.body, b"&more=1"), gone=True),
    "too many fields": lambda r: r.with_fields(*r.fields, *((f"x{n}", "") for n in range(MAX_FIELDS))).signed(),
    "no nonce": lambda r: r.with_header(NONCE, None),
    "an empty nonce": lambda r: r.with_header(NONCE, b""),
    "another nonce": lambda r: r.with_header(NONCE, b"31627761595286130198"),
    "two nonces": lambda r: replace(r, headers=(*r.headers, (NONCE.lower().encode(), r.header(NONCE)))),
    "a nonce with a dot": lambda r: r.with_header(NONCE, b"1." + r.header(NONCE)),
    "a nonce of raw bytes": lambda r: r.with_header(NONCE, b"\xff\x00"),
    "no signature": lambda r: _both_signatures(r, None),
    "an empty signature": lambda r: _both_signatures(r, b""),
    "an empty signature among several": lambda r: _both_signatures(r, b",, ,"),
    "half a signature": lambda r: _both_signatures(r, r.header(SIGNATURE)[:22]),
    "a signature with one letter changed": lambda r: _both_signatures(r, _flipped(r.header(SIGNATURE), 7)),
    "a signature in other cases": lambda r: _both_signatures(r, r.header(SIGNATURE).swapcase()),
    "a signature that is not base64": lambda r: _both_signatures(r, b"\xff\xfe"),
    "a signature lost among thousands": lambda r: _both_signatures(r, b"A" * 2000 + b"," + r.header(SIGNATURE)),
    "the older signature only": _v2_only,
    "the older signature under the newer name": lambda r: _both_signatures(
        r, _v2_only(r).header("X-Plivo-Signature-V2")
    ),
    "signed with another token": lambda r: r.signed(OTHER_TOKEN),
    "signed for another host": lambda r: r.signed(url="https://evil.example.org" + r.path.decode()),
    "signed for another scheme": lambda r: r.signed(url=PUBLIC_URL.replace("https", "http") + r.path.decode()),
    "signed for another path": lambda r: r.signed(url=PUBLIC_URL + "/voice/somewhere"),
    "signed without its fields": lambda r: r.with_fields().signed().with_body(r.body),
    "signed with an empty token": lambda r: _both_signatures(r, _with_empty_token(r)),
    "multipart": _multipart,
    "JSON": lambda r: r.with_header("Content-Type", b"application/json").with_body(b'{"CallUUID":"x"}'),
    "the same bytes called text": lambda r: r.with_header("Content-Type", b"text/plain"),
    "the same bytes called nothing": lambda r: r.with_header("Content-Type", None),
    "two types of content": lambda r: replace(r, headers=(*r.headers, (b"content-type", FORM))),
}

BENT_PATHS: dict[str, Bend] = {
    "another token in the path": _other_token,
    "a token cut short": lambda r: replace(r, path=r.path[:-1]),
    "a token with a tail": lambda r: replace(r, path=r.path + b"A"),
    "a token with an escape": lambda r: replace(r, path=r.path[:-1] + b"%%%02X" % r.path[-1]),
    "at another address": lambda r: replace(r, path=_elsewhere(r.path)),
}
"""For addresses that hold a token: elsewhere these lead to no address of ours."""


_OF_CALLS = frozenset(
    {
        "fields moved into the query at a decimal point",
        "another key",
        "a key where none was",
        "another call",
        "no call",
        "another state",
        "another event",
        "a second, other call",
        "the fields in a case of their own",
        "a field left out",
    }
)
"""What cannot be done to a text, or changes nothing in it."""

BENT_TEXTS: dict[str, Bend] = {
    "other words": lambda r: _fields(r, Text="STOP", Body=None),
    "no words": lambda r: _fields(r, Text=None, Body=None),
    "another text": lambda r: _fields(r, MessageUUID="3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    "a text without its id": lambda r: _fields(r, MessageUUID=None),
    "nobody wrote it": lambda r: _fields(r, From=None),
    "sent to another number": lambda r: _fields(r, To="12125550177"),
    "sent to nobody": lambda r: _fields(r, To=None),
    "of another kind": lambda r: _fields(r, Type="whatsapp"),
    "a field of its costs left out": lambda r: _fields(r, TotalRate=None),
    "a second, other text": lambda r: r.with_body(r.body + b"&MessageUUID=3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    "a second, other sender": lambda r: r.with_body(r.body + b"&From=12125550177"),
    "second, other words": lambda r: r.with_body(r.body + b"&Text=2&Body=2"),
    "text fields in a case of their own": lambda r: r.with_body(r.body.replace(b"MessageUUID", b"messageuuid")),
    "signed for a call": lambda r: r.signed(url=PUBLIC_URL + "/voice/answer"),
    "at the address of a call": lambda r: replace(r, path=b"/voice/answer"),
    "signed, without an id": lambda r: _fields(r, MessageUUID=None).signed(),
    "signed, without a sender": lambda r: _fields(r, From=None).signed(),
    "signed, without words": lambda r: _fields(r, Text=None, Body=None).signed(),
    "signed, with a tail": lambda r: _fields(r, MessageUUID="97ceeb52-58b6-11e1-86da-77300b68f8bbText1").signed(),
}
"""What can be done to a text only."""


def text_bends() -> dict[str, Bend]:
    """All that apply to a text."""
    return {**{name: bend for name, bend in BENT.items() if name not in _OF_CALLS}, **BENT_TEXTS}


def bends_of(request: Request) -> dict[str, Bend]:
    """All that apply to this request."""
    return {**BENT, **(BENT_PATHS if len(request.path) > 100 else {})}


def _with_empty_token(request: Request) -> bytes:
    fields = "".join(sorted(name + value for name, value in request.fields))
    message = PUBLIC_URL.encode() + request.path + b"?" + fields.encode() + b"." + request.header(NONCE)
    return b64encode(digest(b"", message, "sha256"))


SAME: dict[str, Bend] = {
    "as it was": lambda r: r,
    "its fields in another order": lambda r: r.with_fields(*reversed(r.fields)),
    "its body in pieces": lambda r: replace(r, chunks=tuple(r.body[n : n + 7] for n in range(0, len(r.body), 7))),
    "its escapes in lower case": lambda r: r.with_body(r.body.replace(b"%3A", b"%3a")),
    "a character set": lambda r: r.with_header("Content-Type", FORM + b"; charset=utf-8"),
    "signed by the main account only": lambda r: r.with_header(SIGNATURE, None),
    "an old signature beside the new": lambda r: _both_signatures(r, b"b2xk, " + r.header(SIGNATURE)),
}
"""The same message, told otherwise: signed bytes are those of the sorted fields, so these are genuine."""


# ---- any number of them ----


@dataclass(frozen=True, slots=True)
class Forgery:
    name: str
    request: Request


def by_chance(request: Request, chance: Random, count: int) -> Iterator[Forgery]:
    """`count` forgeries without the auth token: bytes changed, cut out, doubled or put in, anywhere that is signed."""
    for _ in range(count):
        where = chance.choice(["body", "body", "path", "nonce", "signature"])
        if where == "body":
            nudged = _nudged(request.body, chance)
            if parse_form(nudged) == dict(request.fields):  # an equals sign in place of %3D says the same
                nudged += b"\x00"
            yield Forgery("body", request.with_body(nudged))
        elif where == "path":
            yield Forgery("path", replace(request, path=_nudged(request.path, chance)))
        elif where == "nonce":
            yield Forgery("nonce", request.with_header(NONCE, _nudged(request.header(NONCE), chance)))
        else:
            yield Forgery("signature", _both_signatures(request, _nudged(request.header(SIGNATURE), chance)))


def _nudged(value: bytes, chance: Random) -> bytes:
    at, until = sorted(chance.choices(range(len(value) + 1), k=2))
    until = min(until, at + 4)
    put = bytes(chance.choices(b"0129abzAZ=&%#*+/.;~\x00\xff", k=chance.randrange(1, 4)))
    nudged = chance.choice([value[:at] + put + value[until:], value[:at] + value[until:], value[:until] + value[at:]])
    return nudged if nudged != value else value + b"\x00"


def resplit(request: Request, chance: Random, share: float) -> Iterator[Forgery]:
    """A `share` of every way to cut the signed bytes of the body anew, its signature still fitting: a name is shortened
    or lengthened, a value runs on into its neighbours, a piece of a value becomes a field."""
    fields = sorted(request.fields)
    for index, (name, value) in enumerate(fields):
        rest = fields[index + 1 :]
        for until in range(len(rest) + 1):
            run = name + value + "".join(map("".join, rest[:until]))
            kept = (*fields[:index], *rest[until:])
            for cut in (cut for cut in range(1, len(run) + 1) if chance.random() < share):
                yield from _valid(request, kept, ((run[:cut], run[cut:]),))
            for at in (at for at in range(len(name), len(run)) if chance.random() < share):
                yield from _valid(request, kept, ((name, run[len(name) : at]), (run[at : at + 3], run[at + 3 :])))
                yield from _valid(request, kept, ((name, run[len(name) : at]), (run[at : at + 40], run[at + 40 :])))


def _valid(request: Request, kept: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]) -> Iterator[Forgery]:
    cut = tuple(sorted((*kept, *new)))
    names = [name for name, _ in cut]
    same = "".join(map("".join, cut)) == "".join(map("".join, sorted(request.fields)))
    if same and cut != tuple(sorted(request.fields)) and len(set(names)) == len(names) and all(names):
        yield Forgery(f"{new}", request.with_fields(*cut))


def fingerprint(request: Request) -> str:
    """A short name for one request, for messages."""
    return sha1(repr(request).encode()).hexdigest()[:8]
