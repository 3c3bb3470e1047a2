"""A1, where a caller is put through to a person: nothing that an advocate's phone or the phone company's REST interface
receives, and nothing that is kept meanwhile, carries anything of the caller; but for the keyed hash of a live transfer,
where it is kept, and, to whoever asks with 3, the codes that she keyed in this call."""

import asyncio
import hashlib
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.channels.voice import Addresses, Voice
from ivr.engine.advance import advance
from ivr.engine.asks import About
from ivr.engine.call import begin
from ivr.engine.effects import Meet, Turn
from ivr.engine.inputs import Answered, Began
from ivr.flow.phrases import Label
from ivr.kit.clock import VirtualClock
from ivr.line.edge import Edge, Webhook
from ivr.line.staff import EMPTY
from ivr.services.telling import Envelopes
from ivr.services.turns import World
from ivr.services.world import LiveWorld
from tests.promises.canary import Canary, Needle, Scanner, canaries, needles
from tests.promises.house import BEGINNING, HOTLINE, PUBLIC_URL, Moody
from tests.promises.ledger import Record
from tests.promises.requests import Request
from tests.promises.scenes import PHONE, PLATE, REPORTS, hangs_up_at_whisper, hangs_up_ringing, passes, takes
from tests.promises.spoken import codes, every_turn
from tests.promises.test_a1_identifiers import CONFIGURED, OFTEN, Spot, forgetful
from tests.promises.warm import TOKEN, Scene, Warm, masked, played, saying, words
from tests.shipped import flow, staff

STAFF_HERE = Addresses(PUBLIC_URL, HOTLINE, "Porchlight", "staff")
ANY_TOKEN = "x" * 120
ABOUT = ("line.about", "line.about_told", "line.about_nothing")
WAITED = range(10, 100, 10)
"""Seconds, as they are told."""


def identifiers(warm: Warm) -> list[Canary]:
    """All that the webhooks told of the callers."""
    known = {(one.field, one.value): one for one in canaries(len(warm.identities))}
    times = [Canary("SessionStart", fields["SessionStart"], "text") for fields in warm.identities]
    return [one for one in known.values() if one.field != "SessionStart"] + times


def typed() -> list[Canary]:
    return [Canary("a client's plate", PLATE, "number"), Canary("a client's phone", PHONE, "number")]


def answers() -> list[Canary]:
    """Codes as the engine knows them, and as they are spoken where that is not an everyday word."""
    labels = {word for one in flow().catalogues.values() for name in codes() if " " in (word := one.word(Label(name)))}
    named = {name for name in codes() if len(name) > 8} | {label for label in labels if len(label) > 8}
    return [Canary("an answer", name, "text") for name in sorted(named)]


def wanted(warm: Warm, found: list[Canary]) -> Iterator[Needle]:
    last = dict(list(warm.keys.items())[-2:])
    for canary in found:
        yield from needles(canary, CONFIGURED | (last if canary.field in OFTEN else warm.keys))


def told_phones(warm: Warm) -> dict[str, bytes]:
    """What phones that we rang, and the phone company about them, were told: also within tokens."""
    hops = warm.of_advocates()
    asked = b"\n".join(one.bytes() for one in warm.asked)
    documents = b"\n".join(hop.reply for hop in hops)
    addresses = "\n".join(hop.url for hop in hops).encode()
    tokens = sorted({*TOKEN.findall(documents), *TOKEN.findall(addresses)})
    return {
        "REST": asked,
        "documents": documents,
        "addresses": addresses,
        "the bytes of tokens": b"\n".join(urlsafe_b64decode(one + b"=" * (-len(one) % 4)) for one in tokens),
        "displays": "\n".join(warm.shown).encode(),
    }


def leaks(scanner: Scanner, places: dict[str, bytes]) -> list[str]:
    return [
        f"{hit.canary.field} in {place}: {hit.encoding}"
        for place, content in places.items()
        for hit in scanner.hits(content)
    ]


def found_in(warm: Warm) -> list[str]:
    """Every leak of one run."""
    phones, kept = told_phones(warm), {**warm.files, "the log": warm.log}
    who = Scanner(wanted(warm, [*identifiers(warm), *typed()]))
    said = Scanner(wanted(warm, answers()))
    return leaks(who, phones | kept) + leaks(said, {**kept, "REST": phones["REST"]}) + list(misspoken(warm))


def misspoken(warm: Warm) -> Iterator[str]:
    """Whatever an advocate's phone was told that it may not be told, by the documents that it may."""
    anybody = {masked(document) for document in _of_nobody()} | {EMPTY}
    for leg, hops in warm.legs().items():
        asked = False
        for hop in hops:
            document = _without_room(masked(hop.reply), warm.rooms)
            asked = asked or hop.fields.get("Digits") == "3"
            if document not in anybody | (_of_her(warm.told.get(leg, ())) if asked else set()):
                yield f"{hop.path[:16]} says {words(hop.reply)!r}"


def _without_room(document: bytes, rooms: list[str]) -> bytes:
    for room in rooms:
        document = document.replace(f">{room}<".encode(), b">ROOM<").replace(f"/{room}#".encode(), b"/ROOM#")
    return document


def _of_nobody() -> Iterator[bytes]:
    """All that the staff flow says that is of no caller."""
    voice = Voice(staff(), STAFF_HERE)
    yield voice.sorry()
    yield from (voice.alone(language) for language in staff().languages)
    for turn in every_turn(staff()):
        if not any(one.prompt in ABOUT for one in turn.said):
            then = Meet("ROOM", 900, is_caller=False) if isinstance(turn.then, Meet) else turn.then
            yield voice.encode(Turn(turn.call, turn.said, then), ANY_TOKEN)


def _of_her(told: tuple[str, ...]) -> set[bytes]:
    """What somebody who asks may be told of a caller who keyed this: in either language, of either."""
    voice, answered = Voice(staff(), STAFF_HERE), begin(staff(), seed=bytes(16), at=BEGINNING)
    documents = set()
    for language in staff().languages:
        call = changed(answered, step="whisper.about", language=language)
        call = advance(staff(), call, Began(), now=BEGINNING).call
        for hers in flow().languages:
            for seconds in WAITED:
                turn = advance(staff(), call, Answered(About(hers, seconds, told)), now=BEGINNING)
                documents.add(masked(voice.encode(turn, ANY_TOKEN)))
    return documents


def test_nothing_of_a_caller_is_told_to_a_phone_or_kept(warm: Warm, record: Record) -> None:
    scanner = Scanner(wanted(warm, [*identifiers(warm), *typed()]))
    record(scanner.count, "encoded identifiers and digits searched for on phones and in REST")
    record(len(warm.asked), "requests to the phone company")
    assert {one.method for one in warm.asked} == {"POST", "DELETE"}
    assert any("/Kick/" in one.url for one in warm.asked)
    assert len(warm.legs()) >= 10
    assert any(name.endswith("live.db-wal") and content for name, content in warm.files.items())
    assert b"turn failed" in warm.log
    assert leaks(scanner, told_phones(warm) | warm.files | {"the log": warm.log}) == []


def test_what_she_keyed_is_nowhere_in_clear_and_no_advocate_s_pin_either(warm: Warm) -> None:
    scanner = Scanner(wanted(warm, answers()))
    assert scanner.count > 10_000
    assert leaks(scanner, {**warm.files, "the log": warm.log, "REST": told_phones(warm)["REST"]}) == []


def test_the_keyed_hash_of_a_transfer_is_in_no_other_place_than_its_row(warm: Warm, record: Record) -> None:
    record(len(warm.marks), "live transfers")
    elsewhere = {name: content for name, content in warm.files.items() if "live.db" not in name}
    places = {**told_phones(warm), **elsewhere, "the log": warm.log}
    for mark in warm.marks:
        written = (mark, mark.hex().encode(), hashlib.sha256(mark).digest())
        assert any(mark in content for name, content in warm.files.items() if "live.db" in name)
        assert [place for place, content in places.items() if any(one in content for one in written)] == []


def test_each_phone_hears_what_it_may_and_of_her_only_after_3(warm: Warm, record: Record) -> None:
    record(len(warm.of_advocates()), "documents of phones that were rung")
    told = [leg for leg, hops in warm.legs().items() if any(hop.fields.get("Digits") == "3" for hop in hops)]
    assert set(warm.told) < set(told)
    assert list(misspoken(warm)) == []


def test_the_whisper_is_the_same_for_every_caller_byte_for_byte(warm: Warm) -> None:
    first = [hops[0].reply for hops in warm.legs().values()]
    whispers = [reply for reply in first if b"<GetInput" in reply]
    assert len(whispers) >= 10
    assert len({masked(reply) for reply in whispers}) == 2, "one in each language"
    assert len({len(token) for reply in whispers for token in TOKEN.findall(reply)}) == 1


def test_a_room_is_named_after_nothing_that_can_be_worked_out_again(warm: Warm) -> None:
    assert len(set(warm.rooms)) == len(warm.rooms)
    for room in warm.rooms:
        assert len(room) == 24
        assert int(room, 16)


# ---- mutants: each must be caught ----


def caught(folder: Path, blank: Path, *scenes: Any, **parts: Any) -> list[str]:
    return found_in(asyncio.run(played(folder, blank, *(scenes or (takes,)), **parts)))


def test_the_scenes_of_the_mutants_leave_nothing_without_one(tmp_path: Path, blank: Path) -> None:
    assert caught(tmp_path, blank, takes, passes, hangs_up_ringing) == []


class Cell:
    """What somebody remembers who should have forgotten it."""

    number = uuid = digits = ""


class Remembering(Edge):
    """An edge that remembers whom it let in last."""

    cell = Cell()

    def admit(self, method: str, *, body: bytes, **request: Any) -> Webhook | None:
        fields = dict(Request(b"", (), (body,)).fields)
        if fields.get("Direction") == "inbound":
            self.cell.uuid = fields["CallUUID"]
            self.cell.number = fields["From"]
            self.cell.digits = max(self.cell.digits, fields.get("Digits", "").strip("#"), key=len)
        return super().admit(method, body=body, **request)


def remembering(
    parts: Parts, clock: VirtualClock, world: WorldOf, *, voice: type[Voice] = Voice, asked: str = ""
) -> Router:
    """A line with such an edge. `asked`: a step of the staff flow that a phone that is picked up begins at."""
    if asked:
        parts = replace(parts, staff=replace(parts.staff, offered=asked))
    return build(parts, clock, world, edge=Remembering, voice=voice)


class NamedAfterTheCall(Voice):
    def encode(self, turn: Turn, token: str) -> bytes:
        if isinstance(turn.then, Meet):
            room = Remembering.cell.uuid.replace("-", "")
            turn = Turn(turn.call, turn.said, Meet(room, turn.then.talk_seconds, turn.then.is_caller))
        return super().encode(turn, token)


class Chatty(Voice):
    """Tells whoever asks the digits that were typed, too."""

    def encode(self, turn: Turn, token: str) -> bytes:
        document = super().encode(turn, token)
        if any(one.prompt in ABOUT for one in turn.said):
            spoken = " ".join(Remembering.cell.digits)
            document = document.replace(b"</GetInput>", f"<Speak>{spoken}</Speak></GetInput>".encode())
        return document


@pytest.mark.parametrize(
    ("scene", "changes", "seen"),
    [
        pytest.param(takes, {"voice": NamedAfterTheCall}, "CallUUID in documents", id="a room of her call's id"),
        pytest.param(takes, {"voice": Chatty}, "a client's phone in documents", id="digits after 3"),
        pytest.param(hangs_up_at_whisper, {"asked": "whisper.about"}, "/staff/offered/", id="codes before 3"),
    ],
)
def test_mutant_a_phone_that_is_told_more_is_seen(
    scene: Scene, changes: dict[str, Any], seen: str, tmp_path: Path, blank: Path
) -> None:
    assert any(seen in one for one in caught(tmp_path, blank, scene, builder=partial(remembering, **changes)))


def test_mutant_a_request_with_the_caller_s_number_as_caller_id_is_seen(tmp_path: Path, blank: Path) -> None:
    found = caught(
        tmp_path,
        blank,
        hangs_up_ringing,
        builder=remembering,
        bend=lambda request: saying(request, **{"from": f"+{Remembering.cell.number}"}),
    )
    assert any("From in REST" in one for one in found)
    assert any("From in displays" in one for one in found)


class Unsealed(Envelopes):
    def seal(self, transfer: bytes, told: tuple[str, ...]) -> str | None:
        return "\n".join(told)


def unsealed(world: World) -> World:
    assert isinstance(world, Moody)
    assert isinstance(world.live, LiveWorld)
    own = world.live.envelopes
    world.live = replace(world.live, envelopes=Unsealed(own._keys, own._clock))
    return world


def test_mutant_codes_in_clear_beside_a_transfer_are_seen(tmp_path: Path, blank: Path) -> None:
    found = caught(tmp_path, blank, takes, world_of=unsealed)
    assert any("an answer in line/live/live.db" in one for one in found)


def _keep(column: str, of: Callable[[dict[str, str]], bytes | str]) -> Callable[[dict[str, str], Spot], None]:
    def leak(fields: dict[str, str], spot: Spot) -> None:
        if fields.get("Direction") == "inbound":
            with closing(sqlite3.connect(spot.line / "live" / "live.db")) as file, file:
                file.execute(f"UPDATE live_transfers SET {column} = ? WHERE state = 'ringing'", (of(fields),))

    return leak


@pytest.mark.parametrize(
    ("leak", "seen"),
    [
        (_keep("caller", lambda fields: bytes.fromhex(fields["CallUUID"].replace("-", ""))), "CallUUID"),
        (_keep("told", lambda fields: fields["From"]), "From"),
        (_keep("caller", lambda fields: hashlib.sha256(fields["CallUUID"].encode()).digest()[:16]), "CallUUID"),
    ],
    ids=["her call's id", "her number", "a hash of her call's id without a key"],
)
def test_mutant_a_row_that_knows_the_caller_is_seen(
    leak: Callable[[dict[str, str], Spot], None], seen: str, tmp_path: Path, blank: Path
) -> None:
    found = caught(tmp_path, blank, hangs_up_ringing, wrapped=forgetful(leak, tmp_path))
    assert any(f"{seen} in line/live/live.db" in one for one in found)


def test_what_reports_says_is_what_was_typed(warm: Warm) -> None:
    """Else the digits would be searched for in vain."""
    keyed = {hop.fields.get("Digits", "") for hop in warm.hops if hop.call is not None}
    assert {f"{PLATE}#", f"{PHONE}#"} <= keyed & set(REPORTS)
