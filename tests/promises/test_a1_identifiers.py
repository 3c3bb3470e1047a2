"""A1: no identifier of a caller in any byte that is stored, logged or sent to an advocate, on every path and fault."""

import asyncio
import hashlib
import hmac
import sqlite3
import tempfile
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.carrier.fields import parse_form
from ivr.carrier.transport import AsgiApp, Message
from ivr.channels.voice import Voice
from ivr.engine.effects import Turn
from ivr.kit.clock import VirtualClock
from ivr.services.tagged import TAKEN_BACK
from tests.founded import SECRET
from tests.promises.canary import (
    AS_WRITTEN,
    BASE64,
    ENCODINGS,
    HASHES,
    KEYED,
    Canary,
    Needle,
    Scanner,
    canaries,
    needles,
)
from tests.promises.evidence import Evidence, gathered
from tests.promises.faults import SECRETS_TYPED
from tests.promises.house import AUTH_TOKEN
from tests.promises.ledger import Record
from tests.promises.paths import HANGUP, TYPED, Move, press
from tests.shipped import flow

CONFIGURED = {"the secret": SECRET, "the auth token": AUTH_TOKEN.encode()}
OFTEN = ("CallUUID", "SessionStart")
"""Fields that are new in every call: hashed with the keys of the configuration and of the last hours only."""


def planted(evidence: Evidence) -> list[Canary]:
    """Every identifier that was in a webhook."""
    known = {(one.field, one.value): one for one in canaries(len(evidence.identities))}
    times = [Canary("SessionStart", fields["SessionStart"], "text") for fields in evidence.identities]
    return [one for one in known.values() if one.field != "SessionStart"] + times


def wanted(evidence: Evidence, found: list[Canary]) -> Iterator[Needle]:
    last = dict(list(evidence.keys.items())[-2:])
    for canary in found:
        yield from needles(canary, CONFIGURED | (last if canary.field in OFTEN else evidence.keys))


def kept(evidence: Evidence) -> dict[str, bytes]:
    """What a line keeps, by place."""
    return {**evidence.files, "the log": evidence.log}


def sent(evidence: Evidence) -> dict[str, bytes]:
    """What it sends: documents, tokens as they are and as the bytes they stand for, and what advocates saw."""
    tokens = sorted(evidence.tokens)
    return {
        "documents": b"\n".join(sorted(document for _, document in evidence.documents)),
        "tokens": b"\n".join(tokens),
        "the bytes of tokens": b"\n".join(urlsafe_b64decode(token + b"=" * (-len(token) % 4)) for token in tokens),
        "an export": evidence.export.encode(),
        "advocates' phones": "\n".join(sorted(evidence.shown)).encode(),
    }


def leaks(scanner: Scanner, places: dict[str, bytes]) -> list[str]:
    return [
        f"{needle.canary.field} in {place}: {needle.encoding}"
        for place, haystack in places.items()
        for needle in scanner.hits(haystack)
    ]


def test_what_is_planted_and_how_it_is_searched_for() -> None:
    assert len({(one.field, one.value) for one in canaries(4) if one.field != "SessionStart"}) >= 50
    assert len(ENCODINGS) + 3 * len(BASE64) + len(HASHES) * len(AS_WRITTEN) + len(KEYED) * len(AS_WRITTEN) >= 15


def test_no_identifier_of_a_caller_is_kept_or_sent(evidence: Evidence, record: Record) -> None:
    scanner = Scanner(wanted(evidence, planted(evidence)))
    record(scanner.count, "encoded identifiers searched for")
    record(evidence.calls, "calls that planted them")
    assert scanner.count > 100_000
    assert any(name.endswith("-wal") for name in evidence.files)
    assert any("run/seed." in name for name in evidence.files)
    assert "backup/keys.db" in evidence.files
    assert any(name.startswith("backup/data-") for name in evidence.files)
    assert b"turn failed" in evidence.log
    assert evidence.export.count("\n") > 1, "something was exported"
    assert leaks(scanner, kept(evidence) | sent(evidence)) == []


def test_what_she_typed_and_chose_is_nowhere_in_clear(evidence: Evidence) -> None:
    """A client's phone number is inside the seal. It is read back to her, so documents are not searched."""
    typed = [Canary("a client's phone", digits, "number") for digits in (TYPED, SECRETS_TYPED)]
    codes = {code.name for form in flow().forms.values() for question in form.questions for code in question.codes}
    codes.discard(TAKEN_BACK)  # what became of a report stands outside its seal, and is called like one of the answers
    words = [Canary("an answer", code, "text") for code in sorted(codes) if "_" in code and len(code) > 8]
    assert len(words) > 5
    assert {TYPED} <= {dict(report.answers or ()).get("phone", ("",))[0] for report in evidence.reports}
    tokens = {name: place for name, place in sent(evidence).items() if "token" in name}
    assert leaks(Scanner(wanted(evidence, [*typed, *words])), kept(evidence) | tokens) == []


def test_every_canary_in_every_encoding_is_found_where_it_is_planted() -> None:
    chance = Random(1)
    every = canaries(4)
    planted_needles = [needle for one in every for needle in needles(one, CONFIGURED)]
    for offset in range(2):
        parts: list[bytes] = []
        for needle in planted_needles:
            parts += [chance.randbytes(3 + offset), needle.whole, chance.randbytes(5)]
        found = {id(needle) for needle in Scanner(planted_needles).hits(b"".join(parts))}
        assert [needle.encoding for needle in planted_needles if id(needle) not in found] == []


def test_a_canary_within_a_longer_base64_text_is_found_wherever_it_begins() -> None:
    for one in canaries(4):
        for before in range(3):
            text = b64encode(b"x" * before + one.value.encode() + b"yz")
            assert Scanner(needles(one, {})).hits(text), (one.field, before)


# ---- mutants: each must be caught ----

Leak = Callable[[dict[str, str], "Spot"], None]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a mutant may put what it should have forgotten."""

    line: Path


def forgetful(leak: Leak, folder: Path) -> Callable[[AsgiApp], AsgiApp]:
    """A door behind somebody who reads the webhook too."""

    def wrapped(app: AsgiApp) -> AsgiApp:
        async def asgi(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
            message = await receive()
            await app(scope, _again(message, receive), send)
            leak((parse_form(message.get("body", b"")) or {}), Spot(folder / "line"))

        return asgi

    return wrapped


def _again(message: Message, receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
    first = [message]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


def _log_the_number(fields: dict[str, str], _spot: Spot) -> None:
    structlog.get_logger().info(f"a call from {fields['From']}")


def _log_the_address(fields: dict[str, str], _spot: Spot) -> None:
    structlog.get_logger().info("call", where=f"sip:{fields['From'][-7:]}")


def _print_the_name(fields: dict[str, str], _spot: Spot) -> None:
    print(fields["CallerName"])


def _write_the_call(fields: dict[str, str], spot: Spot) -> None:
    with (spot.line / "calls.bin").open("ab") as file:
        file.write(bytes.fromhex(fields["CallUUID"].replace("-", "")))


def _write_a_keyed_hash(fields: dict[str, str], spot: Spot) -> None:
    (spot.line / "blocked").write_text(hmac.new(SECRET, fields["From"].encode(), "sha256").hexdigest())


def _write_with_a_seed_key(fields: dict[str, str], spot: Spot) -> None:
    key = next((spot.line / "run").glob("seed.*")).read_bytes()
    (spot.line / "seen").write_bytes(hashlib.blake2b(fields["CallUUID"].encode(), key=key, digest_size=32).digest())


def _name_reports_by_number(fields: dict[str, str], spot: Spot) -> None:
    with sqlite3.connect(spot.line / "porchlight.db") as database:
        named = hashlib.sha256(fields["From"].encode()).digest()[:16]
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute("UPDATE OR IGNORE reports SET signature = ?", (named,))
    database.close()


def _keep_in_a_temporary_file(fields: dict[str, str], _spot: Spot) -> None:
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write("; ".join(fields.values()).encode("utf-16-le"))


LEAKS: dict[str, Leak] = {
    "logs the number": _log_the_number,
    "logs the last seven digits": _log_the_address,
    "prints the name": _print_the_name,
    "writes the call's id": _write_the_call,
    "writes a hash keyed with the secret": _write_a_keyed_hash,
    "writes a hash keyed with a short-lived key": _write_with_a_seed_key,
    "names reports by a hash of the number": _name_reports_by_number,
    "keeps a temporary file": _keep_in_a_temporary_file,
}

SHORT: list[Move] = [
    *map(press, ("1", "1", "1", "4", "#", "1", "1", "0", "5")),
    Move("dial", outcome="completed"),
    HANGUP,
]


def caught(folder: Path, blank: Path, **parts: Any) -> list[str]:
    evidence = asyncio.run(gathered(folder, blank, [SHORT, SHORT], faults=(), **parts))
    assert evidence.mismatches == []
    scanner = Scanner(needle for one in planted(evidence) for needle in needles(one, CONFIGURED | evidence.keys))
    return leaks(scanner, kept(evidence) | sent(evidence))


def test_the_same_two_calls_without_a_mutant_leave_nothing(tmp_path: Path, blank: Path) -> None:
    assert caught(tmp_path, blank) == []


@pytest.mark.parametrize("leak", LEAKS)
def test_mutant_a_line_that_remembers_is_seen(leak: str, tmp_path: Path, blank: Path) -> None:
    assert caught(tmp_path, blank, wrapped=forgetful(LEAKS[leak], tmp_path))


class CallerShown(Voice):
    """A Dial without callerId and callerName: the phones of advocates show the caller's own."""

    def encode(self, turn: Turn, token: str) -> bytes:
        document = super().encode(turn, token)
        return document.replace(b'callerId="+15005550006" ', b"").replace(b'callerName="Porchlight" ', b"")


def _shows_the_caller(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
    return build(parts, clock, world, voice=CallerShown)


def test_mutant_a_dial_that_shows_the_caller_is_seen(tmp_path: Path, blank: Path) -> None:
    assert any("advocates' phones" in leak for leak in caught(tmp_path, blank, builder=_shows_the_caller))


def test_mutant_a_token_that_carries_the_number_is_seen(tmp_path: Path, blank: Path) -> None:
    def clear(app: AsgiApp) -> AsgiApp:
        async def asgi(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
            message = await receive()
            number = (parse_form(message.get("body", b"")) or {}).get("From", "")

            async def tell(reply: Message) -> None:
                body = reply.get("body", b"")
                if reply["type"] == "http.response.body":
                    reply["body"] = body.replace(
                        b"<Response>", b"<Response><!-- " + b64encode(number.encode()) + b" -->"
                    )
                await send(reply)

            await app(scope, _again(message, receive), tell)

        return asgi

    assert any("documents" in leak for leak in caught(tmp_path, blank, wrapped=clear))
