"""A1, of texts: no number, message id or word of whoever writes is in any byte that is stored, logged, backed up or
sent, whatever is written and whatever breaks; but for the address of a reply while it is sent, and the keyed hash that
names a conversation, in its column (gone in time: test_a2_texts)."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog

from ivr.channels.texted import Texted, TextReply
from ivr.line.text_edge import TextEdge
from ivr.services import conversations as conversing
from ivr.services.conversations import Conversations
from ivr.vault.conversations import ConversationKey
from ivr.vault.derivation import derive
from tests.promises.canary import AS_WRITTEN, HASHED, Canary, Needle, Scanner, needles
from tests.promises.house import BEGINNING
from tests.promises.ledger import Record
from tests.promises.letters import SCENES, Kept, reports_in_spanish, the_hour_ends, written
from tests.promises.seizing import purposes
from tests.promises.test_a1_identifiers import CONFIGURED, Spot, forgetful
from tests.promises.texting import phone

SECRETS = ("a receipt", "a client's phone")
"""What she types and we may tell her again, and seal: only in clear it may be nowhere."""
PEOPLE = ("From", "MessageUUID")
"""Who and which text: searched for in every keyed hash there could be. Other fields with the configuration only."""
NAMED = "conversation id with"


def wanted(kept: Kept) -> Iterator[Needle]:
    keys = CONFIGURED | {name: key for name, key in kept.keys.items() if not name.startswith("token")}
    for canary in kept.planted:
        yield from needles(canary, keys if canary.field in PEOPLE else CONFIGURED if canary.kind != "text" else {})
        if canary.field in PEOPLE:
            yield from _drawn(canary, keys)


def _drawn(canary: Canary, keys: Mapping[str, bytes]) -> Iterator[Needle]:
    """Hashes as this program itself makes them: keyed, with a purpose."""
    forms = {"plain": canary.value, "with plus": f"+{canary.value.lstrip('+')}", "of a text": f"text {canary.value}"}
    for (form, value), (where, key) in ((one, other) for one in forms.items() for other in keys.items()):
        for purpose in purposes():
            for size in (16, 32):
                drawn = derive(key[:64], value.encode(), purpose=purpose, size=size)
                for written_as, write in AS_WRITTEN.items():
                    whole = write(drawn)
                    core = write(drawn[:HASHED])[: HASHED if written_as == "raw" else 10]
                    yield Needle(canary, f"{form}, {purpose} with {where} of {size}, {written_as}", core, whole)


def leaks(scanner: Scanner, places: Mapping[str, bytes]) -> list[str]:
    return [
        f"{hit.canary.field} in {place}: {hit.encoding}"
        for place, content in places.items()
        for hit in scanner.hits(content)
        if not _is_allowed(hit, place)
    ]


def _is_allowed(hit: Needle, place: str) -> bool:
    """The name of a conversation, as it is, among the live rows. (`misnamed` looks at the column.) And what she typed
    where she was asked for it, to herself or inside the seal."""
    if hit.canary.field in SECRETS:
        return place in ("REST", "documents", "reports") or place.startswith("the seal")
    is_name = f"{NAMED} text." in hit.encoding and hit.encoding.endswith("of 16, raw")
    return hit.canary.field == "From" and is_name and "live.db" in place


def misnamed(kept: Kept) -> list[str]:
    """Conversations that do not lie under a hash keyed with a K_text, and values of other columns that are one."""
    found = [f"a conversation lies under {one.hex()}" for one in kept.ids - kept.named]
    for name, content in kept.columns.items():
        found += [f"the name of a conversation in {name}" for one in kept.named if one in content]
    return found


def found_in(kept: Kept) -> list[str]:
    """Every leak of one run."""
    return leaks(Scanner(wanted(kept)), {**kept.kept(), **kept.sent(), **kept.inside}) + misnamed(kept)


@pytest.fixture(scope="module", params=["rest", "xml"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Kept:
    """All that is left when everything was written and everything broke, once for each way in which replies go."""
    return asyncio.run(written(tmp_path_factory.mktemp("texts"), blank, *SCENES, replies=request.param))


def test_no_number_message_id_or_word_of_hers_is_kept_or_sent(kept: Kept, record: Record) -> None:
    scanner = Scanner(wanted(kept))
    record(scanner.count, "encoded numbers, ids and words of texts searched for")
    record(kept.texts, "deliveries of texts that planted them")
    assert len(kept.planted) >= 200
    assert scanner.count > 300_000
    assert len(kept.ids) >= 12
    assert kept.inside
    assert any(name.endswith("live.db-wal") and content for name, content in kept.files.items())
    assert {"backup/keys.db", f"backup/data-{BEGINNING.date()}.db"} <= kept.files.keys()
    assert b"text failed" in kept.log
    assert "weapon" not in kept.opened
    assert leaks(scanner, {**kept.kept(), **kept.sent(), **kept.inside, "reports": kept.opened.encode()}) == []


def test_a_conversation_is_named_by_the_keyed_hash_and_nothing_else_is(kept: Kept, record: Record) -> None:
    record(len(kept.ids), "conversations looked at, in every column of every table")
    assert misnamed(kept) == []


def test_replies_go_to_whoever_wrote_and_to_nobody_else(kept: Kept) -> None:
    to = set(kept.addresses())
    assert to <= {phone(who) for who in range(12)}
    assert len(to) > 8


def test_every_failure_was_there_to_be_met(kept: Kept) -> None:
    """Else they would leave nothing because they did not happen."""
    assert {200} <= kept.statuses <= {200, 503}
    assert "text again in a few minutes" in kept.heard.lower()
    assert "receipt number, to come back" in kept.heard
    assert {name.partition(".")[0] for name in kept.keys} == {"text"}


# ---- mutants: each must be caught ----


def caught(folder: Path, blank: Path, **parts: Any) -> list[str]:
    """Two who report, one of them over the end of an hour."""
    return found_in(asyncio.run(written(folder, blank, reports_in_spanish, the_hour_ends, **parts)))


def test_the_texts_of_the_mutants_leave_nothing_without_one(tmp_path: Path, blank: Path) -> None:
    assert caught(tmp_path, blank) == []


def _in_clear(fields: dict[str, str], spot: Spot) -> None:
    with closing(sqlite3.connect(spot.line / "live" / "live.db")) as file, file:
        file.execute("UPDATE live_conversations SET body = ?", (f"+{fields['From'].lstrip('+')}",))


def _logs_the_sender(fields: dict[str, str], _spot: Spot) -> None:
    structlog.get_logger().info(f"a text of {fields['From']}")


def _logs_the_id(fields: dict[str, str], _spot: Spot) -> None:
    structlog.get_logger().info("answered", where=fields["MessageUUID"])


def _keeps_pictures(fields: dict[str, str], spot: Spot) -> None:
    (spot.line / "last").write_text(json.dumps(fields))


LEAKS: dict[str, tuple[Callable[[dict[str, str], Spot], None], str]] = {
    "a row with the number in clear": (_in_clear, "From in line/live/live.db"),
    "a log line with the sender": (_logs_the_sender, "From in the log"),
    "a log line with the message's id": (_logs_the_id, "MessageUUID in the log"),
    "a file with the last text": (_keeps_pictures, "Text in line/last"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_mutant_a_line_that_remembers_who_wrote_is_seen(leak: str, tmp_path: Path, blank: Path) -> None:
    do, seen = LEAKS[leak]
    assert any(seen in one for one in caught(tmp_path, blank, wrapped=forgetful(do, tmp_path)))


class Talkative(TextEdge):
    """Logs what it let in."""

    def admit(self, method: str, **request: Any) -> Texted | None:
        texted = super().admit(method, **request)
        if texted is not None:
            structlog.get_logger().info(f"admitted: {texted.words}")
        return texted


class Echoing(Conversations):
    """Tells her what she wrote."""

    async def _sent(self, text: Texted, words: str) -> TextReply:
        return await super()._sent(text, f"You wrote: {text.words}. {words}")


@pytest.mark.parametrize(
    ("exchanged", "replies", "seen"),
    [
        pytest.param({"text_edge": Talkative}, "rest", "Text in the log", id="an edge that logs words"),
        pytest.param({"texts_of": Echoing}, "rest", "Text in REST", id="a reply that echoes"),
        pytest.param({"texts_of": Echoing}, "xml", "Text in documents", id="a document that echoes"),
    ],
)
def test_mutant_a_line_that_repeats_her_words_is_seen(
    exchanged: dict[str, Any], replies: str, seen: str, tmp_path: Path, blank: Path
) -> None:
    assert any(seen in one for one in caught(tmp_path, blank, exchanged=exchanged, replies=replies))


@pytest.mark.parametrize(
    "kept_as",
    [
        pytest.param(lambda _secret, message_id: message_id.encode(), id="as it is"),
        pytest.param(lambda _secret, message_id: hashlib.sha256(message_id.encode()).digest()[:16], id="without a key"),
    ],
)
def test_mutant_a_service_that_keeps_ids_of_messages_is_seen(
    kept_as: Callable[[bytes, str], bytes], tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversing, "mark", kept_as)  # no constructor takes it
    assert any("MessageUUID in the seal of" in one for one in caught(tmp_path, blank))


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(lambda number: hashlib.sha256(number).digest()[:16], id="SHA-256"),
        pytest.param(lambda number: hashlib.blake2b(number, digest_size=16).digest(), id="BLAKE2b"),
    ],
)
def test_mutant_a_row_named_by_a_hash_without_a_key_is_seen(
    named: Callable[[bytes], bytes], tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Named(ConversationKey):
        @classmethod
        def of(cls, k_text: bytes, number: str) -> ConversationKey:
            return ConversationKey(named(number.encode()), super().of(k_text, number)._key)

    monkeypatch.setattr(conversing, "ConversationKey", Named)  # no constructor takes it
    found = caught(tmp_path, blank)
    assert any("From in line/live/live.db" in one for one in found)
    assert any("a conversation lies under" in one for one in found)
