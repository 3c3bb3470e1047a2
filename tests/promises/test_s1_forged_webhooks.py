"""S1: forged, altered or re-split webhooks do nothing, and are told nothing but one constant refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import pytest
from msgspec import structs
from starlette.routing import Route

from ivr.app import build
from ivr.carrier.fields import encode_form
from ivr.carrier.signature import Verifier
from ivr.carrier.transport import AsgiApp, AsgiTransport, Message
from ivr.line.edge import Edge, Webhook
from tests.promises.forging import BENT, SAME, Forgery, bends_of, by_chance, resplit
from tests.promises.house import PROVE, Builder, House, house, rested
from tests.promises.ledger import Record
from tests.promises.passing import FOR_EVERYBODY, WEBHOOKS, Fickle, WentAstray, route_of, walk
from tests.promises.requests import Got, Interposed, Request, send

REFUSED = Got(
    403,
    ((b"content-type", b"text/plain"), (b"content-length", b"9"), (b"cache-control", b"no-store")),
    b"Forbidden",
)


@dataclass
class Attack:
    """Bends of each webhook of a call, tried before the webhook itself arrives. `let_in`: what was not refused."""

    forge: Callable[[Request], Iterable[Forgery]]
    let_in: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    tried: int = 0

    async def visit(self, of: House, request: Request) -> None:
        before = await state(of)
        route = route_of(of, request.path)
        for forgery in self.forge(request):
            self.tried += 1
            try:
                got = await send(of.app, forgery.request)
            except Exception as error:  # whatever a stranger sends, nothing is raised
                self.let_in.append(f"{route}: {forgery.name}: raised {type(error).__name__}")
                continue
            unknown = got.status == 404 and forgery.name == "path"
            if got != REFUSED and not unknown:
                self.let_in.append(f"{route}: {forgery.name}: {got.status}")
        if await state(of) != before:
            self.changed.append(route)


def is_ringing(of: House) -> bool:
    """Whoever is lost is led to a person: no other wish of hers survives that."""
    return isinstance(of.parts.rest, Fickle) and of.parts.rest.works


async def state(of: House) -> tuple[object, ...]:
    """All that a line knows and did: its rows, the live ones too, the names and bytes of its short-lived keys, and what
    it asked of the phone company."""
    files, phones = of.files(), of.parts.rest
    asked = tuple(phones.asked) if isinstance(phones, Fickle) else ()
    return await of.rows(), await of.live_rows(), {name: files[name] for name in files if name.startswith("run")}, asked


def bent(request: Request) -> Sequence[Forgery]:
    return [Forgery(name, bend(request)) for name, bend in bends_of(request).items()]


def attacked(
    folder: Path, blank: Path, forge: Callable[[Request], Iterable[Forgery]], **parts: object
) -> tuple[Attack, set[str]]:
    """A call whose every webhook is forged before it arrives."""

    async def main() -> tuple[Attack, set[str]]:
        attack = Attack(forge)
        async with house(folder, blank=blank, rest=Fickle(), **parts) as of:  # type: ignore[arg-type]  # whatever house takes
            passed: set[str] = set()
            with suppress(WentAstray):  # a forgery that was let in leads elsewhere
                await walk(of, attack.visit, passed)
            return attack, passed

    return asyncio.run(main())


def test_every_route_of_the_door_has_its_example(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, rest=Fickle()) as of:
            paths = {route.path for route in of.router.routes if isinstance(route, Route)}
            assert len(paths) == len(of.router.routes)
            # Texts have examples of their own: test_s1_forged_texts.py.
            assert paths - {"/text"} == WEBHOOKS | FOR_EVERYBODY

            async def nothing(_of: House, _request: Request) -> None:
                pass

            assert await walk(of, nothing) == WEBHOOKS

    asyncio.run(main())


def test_a_bent_webhook_is_refused_on_every_route_and_changes_nothing(
    tmp_path: Path, blank: Path, record: Record
) -> None:
    attack, routes = attacked(tmp_path / "line", blank, bent)
    record(attack.tried, "webhooks bent in a named way")
    assert len(BENT) >= 30
    assert routes == WEBHOOKS
    assert attack.tried >= len(BENT) * len(WEBHOOKS)
    assert attack.let_in == []
    assert attack.changed == []


def test_ten_thousand_forgeries_by_chance_are_refused(tmp_path: Path, blank: Path, record: Record) -> None:
    chance, each = Random(20270310), 56_000 if PROVE > 1 else 560
    attack, _ = attacked(tmp_path / "line", blank, lambda request: by_chance(request, chance, each))
    record(attack.tried, "webhooks forged by chance")
    assert attack.tried >= (1_000_000 if PROVE > 1 else 10_000)
    assert attack.let_in == []
    assert attack.changed == []


def test_a_signed_body_cut_into_other_fields_never_means_anything_else(tmp_path: Path, blank: Path) -> None:
    """No delimiters are signed, so names nobody reads may be cut anew: that is a replay. What is read may not."""
    assert misread(tmp_path / "line", blank) == []


def misread(folder: Path, blank: Path) -> list[str]:
    """Cut bodies that were answered, and otherwise than the webhook they were cut from."""
    chance, found = Random(20270311), list[str]()

    async def main() -> list[str]:
        async with house(folder, blank=blank, rest=Fickle()) as of:

            async def visit(_of: House, request: Request) -> None:
                genuine = await send(of.app, request)
                before = await of.rows()
                for forgery in resplit(request, chance, 1.0 if PROVE > 1 else 0.05):
                    if await send(of.app, forgery.request) not in (REFUSED, genuine):
                        found.append(f"{route_of(of, request.path)}: {forgery.name}")
                assert await of.rows() == before

            await walk(of, visit)
        return found

    return asyncio.run(main())


def test_the_same_message_told_otherwise_is_genuine(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, rest=Fickle()) as of:

            async def visit(_of: House, request: Request) -> None:
                got = {name: await send(of.app, bend(request)) for name, bend in SAME.items()}
                assert {name: one.status for name, one in got.items()} == dict.fromkeys(SAME, 200)
                assert len({one.body for one in got.values()}) == 1

            assert await walk(of, visit) == WEBHOOKS
            assert len(await of.reports()) == 1

    asyncio.run(main())


def test_a_token_of_another_call_or_another_key_or_nobody_leads_nowhere_even_when_it_is_signed(
    tmp_path: Path, blank: Path
) -> None:
    async def main() -> None:
        async with (
            house(tmp_path / "line", blank=blank, rest=Fickle()) as of,
            house(tmp_path / "other", blank=blank, rest=Fickle()) as elsewhere,
        ):
            stray: list[bytes] = []

            async def collect(_of: House, request: Request) -> None:
                stray.append(request.path)

            await walk(elsewhere, collect)
            strangers = of.line(transport=Interposed(AsgiTransport(of.app), lambda r: collect(of, r)), seed="stranger")
            await (await strangers.call()).press("1")

            async def visit(_of: House, request: Request) -> None:
                head, _, token = request.path.rpartition(b"/")
                if not token or len(token) < 20 or (head.startswith(b"/voice") and is_ringing(of)):
                    return
                before = await of.rows()
                tokens = [path.rpartition(b"/")[2] for path in stray if len(path) > 60]
                for one in (*tokens, token[:-4] + b"AAAA", token[:-1], token + b"A", b"x", b"%C3%A9", token[:8]):
                    got = await send(of.app, replace(request, path=head + b"/" + one).signed())
                    assert got.status == 200
                    # To a phone that was only tried there is nothing to say; of a conference nobody hears the answer.
                    is_mute = head.endswith((b"/tried", b"/offered", b"/over", b"/entered"))
                    assert (b"<Response/>" if is_mute else b"something went wrong") in got.body
                assert await of.rows() == before
                await rested(of)  # a call whose place is lost is led to a person, so phones rang

            await walk(of, visit)

    asyncio.run(main())


def test_a_hang_up_sent_to_the_answer_url_starts_nothing(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, rest=Fickle()) as of:
            rosa = await of.line(hangup=False).call()
            await rosa.hang_up()
            last = rosa.exchange[-1]
            assert last.url.endswith("/voice/answer")
            assert last.reply is not None
            assert b"<Response/>" in last.reply.body
            assert b"token" not in last.reply.body
            assert not (await of.rows())["reports"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("/api/v1/validate_signature03.xml/?a=b&c=d", b"k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c="),
        ("/api/v1/validate_signature03.xml", b"iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0="),
    ],
)
def test_the_public_vectors_are_genuine(url: str, signature: bytes) -> None:
    uuid = "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"
    fields = {
        "Direction": "outbound",
        "From": "19792014278",
        "CallStatus": "in-progress",
        "BillRate": "0.002",
        "ParentAuthID": "MANWVLYTK4ZWU1YTY4QA",
        "ALegUUID": uuid,
        "ALegRequestUUID": uuid,
        "CallUUID": uuid,
        "RequestUUID": uuid,
        "To": "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com",
        "SIP-H-To": "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1",
        "SessionStart": "2020-04-08 11:34:33.238707",
        "Event": "StartApp",
    }
    verifier = Verifier(["Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4"], "https://plivobin.non-prod.plivops.com")
    path, _, query = url.encode().partition(b"?")
    headers = [(b"x-plivo-signature-v3", signature), (b"x-plivo-signature-v3-nonce", b"31627761595286130198")]
    given = tuple(fields.items())
    assert verifier.accepts("POST", path=path, query=query, headers=headers, fields=given)
    assert not verifier.accepts("POST", path=path, query=query, headers=headers, fields=given[1:])


# ---- mutants: each must be caught ----


class Gullible(Verifier):
    """Accepts everything."""

    def accepts(self, method: str, **request: object) -> bool:
        return True


class FailsOpen(Verifier):
    """Accepts what carries no signature at all."""

    def accepts(self, method: str, **request: object) -> bool:
        headers: Sequence[tuple[bytes, bytes]] = request["headers"]  # type: ignore[assignment]  # as the edge gives them
        unsigned = not any(name.startswith(b"x-plivo-signature-v3") for name, _ in headers)
        return unsigned or super().accepts(method, **request)  # type: ignore[arg-type]  # passed on


class LastOneWins(Edge):
    """Verifies the first field of a name and uses the last."""

    def admit(
        self,
        method: str,
        *,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        reads: frozenset[str] = frozenset(),
    ) -> Webhook | None:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        first = dict(reversed(pairs))
        ordered = [(name, first[name]) for name in dict(pairs)]
        webhook = super().admit(method, path=path, query=query, headers=headers, body=encode_form(ordered))
        return webhook and structs.replace(webhook, digits=dict(pairs).get("Digits"))


class Curious(Edge):
    """Does not look at the query."""

    def admit(
        self,
        method: str,
        *,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        reads: frozenset[str] = frozenset(),
    ) -> Webhook | None:
        return super().admit(method, path=path, query=b"", headers=headers, body=body)


def talkative(app: AsgiApp) -> AsgiApp:
    """Says what was wrong with a request."""

    async def asgi(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Awaitable[None]]
    ) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 403 and scope["method"] != "POST":
                message["status"] = 405
            await send(message)

        await app(scope, receive, tell)

    return asgi


def with_part(**parts: Any) -> Builder:  # Any: whatever build takes
    return lambda of, clock, world: build(of, clock, world, **parts)


@pytest.mark.parametrize(
    ("builder", "wrapped"),
    [
        pytest.param(with_part(verifier=Gullible), None, id="accepts everything"),
        pytest.param(with_part(verifier=FailsOpen), None, id="accepts what is not signed"),
        pytest.param(with_part(edge=LastOneWins), None, id="uses the last of two fields"),
        pytest.param(with_part(edge=Curious), None, id="ignores the query"),
        pytest.param(build, talkative, id="tells what was wrong"),
    ],
)
def test_mutant_a_door_that_is_not_quite_shut_is_seen(
    builder: Builder, wrapped: Callable[[AsgiApp], AsgiApp] | None, tmp_path: Path, blank: Path
) -> None:
    changes = {"wrapped": wrapped} if wrapped else {}
    attack, _ = attacked(tmp_path / "line", blank, bent, builder=builder, **changes)
    assert attack.let_in


def test_the_parts_put_together_for_mutants_are_the_line_when_none_is_exchanged(tmp_path: Path, blank: Path) -> None:
    attack, routes = attacked(tmp_path / "line", blank, bent, builder=build)
    assert (attack.let_in, attack.changed, routes) == ([], [], WEBHOOKS)
