"""Conversations by text, whatever is written and whatever breaks meanwhile; and all that a line kept, asked and
answered when it had been through all of them."""

import json
import re
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ivr.carrier.rest_api import Fault, garbage, hangs, refuses, unreachable
from ivr.engine.asks import SaveReport
from ivr.services.backup import Backup
from ivr.store import live
from ivr.store.folder import Folder
from tests.promises.canary import Canary
from tests.promises.evidence import temporary_files_in
from tests.promises.house import logs_captured
from tests.promises.texting import Street, street
from tests.promises.warm import Absent, Asked, files_in

FAULTS: tuple[Fault, ...] = (
    refuses(503, only="Message"),
    refuses(429, only="Message"),
    hangs(only="Message"),
    hangs(is_done=True, only="Message"),
    unreachable(),
    garbage(),
)
HERS, HIS = "3475550167", "6465550134"
"""Numbers in what is texted: one that nobody asked for, and a client's, which is asked for and sealed."""

Scene = Callable[[Street], Awaitable[None]]


# ---- what people write ----


async def reports(of: Street) -> None:
    """In English, a few answers at a time and much beside them; then she comes back, in every way there is."""
    begun = ("VOICE {}", "1, {}", "2 1 # {}", "{} 2 1 #", "2 1 #", "1 1, {}, {}", "# # # # # # # # #", "# #")
    await of.writes(0, "hello, my name is {} and I am at {}")
    receipt = await of.report(0, *begun)
    for words in ("# {}", "2", "2", receipt, "1, {}", "2", "1", "{} 3 #", "MENU 2", receipt, "3 2, {}", "#", "BACK"):
        await of.writes(0, words)
    for words in ("MENU 2", receipt, "4", "{}", "1", "SKIP", "BYE {}", "thank you, {}"):
        await of.writes(0, words)


async def reports_in_spanish(of: Street) -> None:
    of.plant("a client's phone", HIS, "number")
    for words in ("Voz {}", "1", "2 1 # 1 # # # # # # # # {}", "{} # #"):
        await of.writes(1, words)
    await of.writes(2, "VOZ 1 1 1 # 1 # # # # # # # # # #")
    await of.writes(2, f"{HIS}#")
    for words in ("# {}", "# 1", "1 #", "2, {}", "1 1 1 1", "ADIÓS, {}", "{}"):
        await of.writes(2, words)


async def asks_for_a_person(of: Street) -> None:
    for words in ("0", "VOICE 0", "1 0, {}", "0 0 0", "9"):
        await of.writes(3, words)


async def guesses_a_receipt(of: Street) -> None:
    for words in ("VOICE 2", "4820 1234 5678", "{} 482012345678", "# 482012345679#", "482012345670", "{}"):
        await of.writes(4, words)


async def writes_whatever(of: Street) -> None:
    """Nonsense, numbers that were not asked for, pictures, nothing, other scripts and signs that no phone has."""
    of.plant("a number in a text", HERS, "number")
    ten = "{}-" * 9 + "{}"
    for words in (
        "VOICE",
        f"call me: 347-555-0167 {{}}, or {HERS} {{}}",
        f"😀{{}} {{}}é Ñandú-{{}} {ten}",
        "",
        "?" * 900,
    ):
        await of.writes(5, words)
    for words in ("look {}", "", "1, {}"):
        await of.writes(
            5, words, pictures=(f"https://media.example/{of.word()}/1.jpg", f"https://media.example/{of.word()}")
        )
    for sender in ("", "anonymous", "ROSA QV 77", "Marisolita", "575759"):
        await of.writes(6, "VOICE {}", From=sender)


async def uses_the_carrier_s_words(of: Street) -> None:
    for words in ("VOICE", "HELP", "1", "START", "STOP", "VOICE {}", "UNSTOP", "VOICE", "Stop.", "1, {}", "info"):
        await of.writes(7, words)
    await of.writes(7, "unstop")


async def are_doubled_and_late(of: Street) -> None:
    ids = [await of.writes(8, words) for words in ("VOZ {}", "1", "2 1 # {}", "1", "1 1, {}")]
    for message_id in (*ids[::-1], ids[2], ids[-1]):
        await of.exchange.deliver_again(message_id, after=7.0)
    await of.writes(8, "# {}", after=60.0)
    await of.writes(8, "# #")
    await of.exchange.quiet()


# ---- what breaks meanwhile ----


async def rest_fails(of: Street) -> None:
    await of.writes(9, "VOICE 1")
    for fault in FAULTS:
        of.exchange.rest.fails(fault)
        for words in ("2, {}", "{}"):
            await of.writes(9, words)
        await of.exchange.run(30)
        of.exchange.rest.recovers()
        await of.exchange.quiet()


async def databases_go_away(of: Street) -> None:
    for name in ("live", "database"):
        await of.writes(10, "VOICE 1 2, {}")
        _be(of, name, away=True)
        for words in ("1 # {}", "1 1", "{}", "MENU 2 482012345678", "VOICE 1 2 1 # 1 1, {}"):
            await of.writes(10, words)
        _be(of, name, away=False)
        await of.writes(10, "{} #")


def _be(of: Street, name: str, *, away: bool) -> None:
    for one in of.houses:
        database = getattr(one.parts, name)
        assert isinstance(database, Absent)
        database.away = away


async def workers_die(of: Street) -> None:
    for when in ("before", "after"):
        await of.writes(11, "VOICE 1 2 1 # {}")
        for one in of.deadly:
            one.at, one.when = SaveReport, when
        await of.writes(11, "1 1, {}")
        await of.exchange.quiet()
        for one in of.deadly:
            one.at = None
        await of.writes(11, "BYE")


async def the_world_breaks(of: Street) -> None:
    await of.writes(0, "VOICE 1 2 1 # {}")
    for one in of.deadly:
        one.raises = True
    await of.writes(0, "1 1, {}")
    await of.exchange.run(200)
    for one in of.deadly:
        one.raises = False
    await of.exchange.quiet()


async def the_hour_ends(of: Street) -> None:
    for words in ("VOICE {}", "1 2", "{} 1 #"):
        await of.writes(1, words)
        of.clock.advance(timedelta(minutes=35))


SCENES: tuple[Scene, ...] = (
    reports,
    reports_in_spanish,
    asks_for_a_person,
    guesses_a_receipt,
    writes_whatever,
    uses_the_carrier_s_words,
    are_doubled_and_late,
    rest_fails,
    databases_go_away,
    workers_die,
    the_world_breaks,
    the_hour_ends,
)


# ---- all that came of it ----


@dataclass
class Kept:
    """`files`: while the lines were open, and afterwards. `inside`: what each sealed conversation opens to, with the
    number that it belongs to."""

    planted: list[Canary] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    log: bytes = b""
    keys: dict[str, bytes] = field(default_factory=dict)
    ids: set[bytes] = field(default_factory=set)
    named: set[bytes] = field(default_factory=set)
    """The ids that conversations may have: the keyed hashes of numbers."""
    columns: dict[str, bytes] = field(default_factory=dict)
    """What lies in every other column, of every table."""
    inside: dict[str, bytes] = field(default_factory=dict)
    opened: str = ""
    """What advocates read."""
    asked: list[Asked] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    texts: int = 0
    heard: str = ""

    def sent(self) -> dict[str, bytes]:
        """What left the line, without the address of each reply."""
        return {
            "REST": b"\n".join(_without_address(one) for one in self.asked),
            "documents": b"\n".join(re.sub(rb' dst="\+[0-9]+"', b"", one) for one in self.answers),
        }

    def addresses(self) -> Iterator[str]:
        """To whom replies went."""
        yield from (json.loads(one.body)["dst"] for one in self.asked if one.url.endswith("/Message/"))
        yield from (found.decode() for one in self.answers for found in re.findall(rb' dst="(\+[0-9]+)"', one))

    def kept(self) -> dict[str, bytes]:
        """Everything that was written down, sealed or not."""
        return {**self.files, "the log": self.log}


def _bytes(value: Any) -> bytes:  # Any: of a column
    return value if isinstance(value, bytes) else str(value).encode()


def _without_address(asked: Asked) -> bytes:
    body = json.loads(asked.body)
    body.pop("dst", None)
    told = json.dumps(body, ensure_ascii=False).encode()
    return Asked(asked.method, asked.url, asked.headers, told).bytes()


async def written(folder: Path, blank: Path, *scenes: Scene, **parts: Any) -> Kept:
    """These scenes on one line, and all that came of it."""
    kept = Kept()
    with logs_captured() as log, temporary_files_in(folder / "tmp"):
        settings: dict[str, Any] = {"database_of": Absent} | parts
        async with street(folder / "line", blank, **settings) as of:
            for scene in scenes:
                await scene(of)
                await _note(of, kept)
            await Backup(of.of.database, of.of.parts.pin, of.clock).into(Folder(folder / "backup"))
            kept.files = files_in(folder)
            kept.opened = repr(await of.of.reports())
            kept.asked, kept.planted = of.recorder.asked, list(of.planted.values())
            kept.answers = [one.body for one in of.post.answered]
            kept.statuses = {one.status for one in of.post.answered}
            kept.texts = len(of.exchange.deliveries)
            kept.heard = "\n".join(text.words for text in of.exchange.texts if text.by == "line")
        later = files_in(folder)
        kept.files |= {f"{name}, later": content for name, content in later.items() if kept.files.get(name) != content}
        kept.log = log()
    return kept


async def _note(of: Street, kept: Kept) -> None:
    kept.keys |= {path.name: path.read_bytes() for path in of.of.keys.glob("*.*")}
    names = of.names()
    kept.named |= names.keys()
    for table, rows in {**await of.of.rows(), **await of.of.live_rows()}.items():
        values = [row[1:] if table == live.conversations.name else row for row in rows]
        kept.columns[f"{table}, {len(kept.columns)}"] = b"\n".join(_bytes(one) for row in values for one in row)
    for row_id, body in await of.rows():
        kept.ids.add(row_id)
        if body is not None and row_id in names:
            plain = names[row_id].open(body)
            kept.inside[f"the seal of a conversation, {len(kept.inside)}"] = zlib.decompress(plain) if plain else b""
