"""A4: a seized host of a line opens no report of the past. A real line, made by `ivr init` and served by `ivr serve`,
takes reports by signed webhooks, is killed, started again, and takes a few more calls; then its memory, environment and
files are searched. Its newest process is looked at, because Python cannot wipe memory: what was said in calls of the
process that is running may still be in it ("the calls of that moment", and of those before it since it was started). An
advocate's session on the same host is what the same searches do find. Needs /proc: Linux."""

import asyncio
import signal
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from nacl import pwhash
from nacl.utils import random
from sqlalchemy import Connection, select

from ivr.carrier.loopback import Line
from ivr.carrier.states import Over
from ivr.carrier.transport import HttpTransport
from ivr.kit.clock import SystemClock, VirtualClock
from ivr.services.custody import recovering, sessions
from ivr.store.database import Database
from ivr.store.reports import ENDED
from ivr.store.tables import advocates, epoch_wraps, epochs, recovery_keys, report_keys, reports
from ivr.vault import recovery, sealing
from ivr.vault.derivation import derive, digest
from ivr.vault.organisation import read_pin
from ivr.vault.sealing import Body, Place, Sealed
from ivr.vault.wrapping import public_of, unwrap, wrap
from tests.cli.test_calling import WHOLE_REPORT
from tests.cli.test_serving import IVR, environment, ivr, wait_until_healthy
from tests.promises.breaking import Attack, Lock, Prize, broken_by
from tests.promises.house import PROVE
from tests.promises.ledger import Record
from tests.promises.seizing import ENCODINGS, HAS_MEMORY, MEMORY, Known, candidates, purposes, seized
from tests.shipped import ROOT

PASSPHRASE = "seven lanterns by the ferry"
PAST = 20 if PROVE == 1 else 1_000
"""Reports that were made before the line was started again."""
DERIVED = 500 if PROVE == 1 else 50_000
"""Windows, in the order of their bytes, whose derived keys are tried too."""

T = TypeVar("T")

pytestmark = [
    pytest.mark.skipif(
        not HAS_MEMORY, reason="NO /proc HERE: the memory of a seized line was NOT SEARCHED, promise A4 is NOT tested"
    ),
]


@dataclass
class Host:
    """A seized host: what it had, and what lies in its database for whoever has a key."""

    pid: int
    folder: Path
    settings: dict[str, str]
    taken: dict[str, bytes] = field(default_factory=dict)
    attack: Attack = field(default_factory=lambda: Attack([], []))
    known: Known = field(default_factory=Known)

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'data' / 'porchlight.db'}"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A line that took reports, was killed and serves again."""
    folder = tmp_path_factory.mktemp("host")
    settings = environment(folder / "data")
    (folder / "passphrase").write_text(PASSPHRASE)
    made = ivr(
        settings,
        *("init", "--advocate", "ana", "--passphrase-file", str(folder / "passphrase")),
        *("--shares-file", str(folder / "shares")),
    )
    assert made.returncode == 0, made.stderr
    with served(settings) as line:
        asyncio.run(report(settings, PAST))
        line.send_signal(signal.SIGKILL)
        line.wait(20)
    of = Host(0, folder, settings)
    past = asyncio.run(prizes(of))
    assert len(past) == PAST
    with served(settings) as line:
        asyncio.run(report(settings, 2, seed="since"))
        of.pid = line.pid
        of.taken = seized(line.pid, folder / "data")
        of.attack = Attack(past, asyncio.run(locks(of)))
        asyncio.run(learn(of))
        yield of


@contextmanager
def served(settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`ivr serve`, with nobody's passphrase beside it."""
    process = subprocess.Popen(
        [IVR, "serve"], cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_until_healthy(process, settings["PORT"])
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate()


async def report(settings: dict[str, str], count: int, *, seed: str = "past") -> None:
    """So many calls, each with a report that its caller ends."""
    token = (Path(settings["IVR_DATA_DIR"]) / "loopback-token").read_text().strip()
    url = f"http://127.0.0.1:{settings['PORT']}/voice"
    async with httpx2.AsyncClient(timeout=30) as client:
        for n in range(count):
            clock = VirtualClock(SystemClock().now())
            line = Line(f"{url}/answer", f"{url}/hangup", token, HttpTransport(client), clock, seed=f"{seed} {n}")
            rosa = await line.call()
            for key in WHOLE_REPORT["English"].split():
                await rosa.press(key)
            assert isinstance(rosa.state, Over)


async def prizes(of: Host) -> list[Prize]:
    """Every report that has ended, as it lies there."""

    def look(connection: Connection) -> list[Prize]:
        joined = select(reports, report_keys.c.sealed_key).join(report_keys).where(reports.c.turn > ENDED)
        return [
            Prize(Place(row.id, row.form, row.epoch), Sealed(row.body, row.sealed_key), row.week)
            for row in connection.execute(joined)
        ]

    return await _read(of, look)


async def locks(of: Host) -> list[Lock]:
    """Every public key of which the private half would open reports: epochs', and those that epochs are wrapped to."""

    def look(connection: Connection) -> list[Lock]:
        wraps: dict[bytes, list[tuple[str, bytes]]] = {}
        for row in connection.execute(select(epoch_wraps)):
            wraps.setdefault(row.holder, []).append((row.epoch, row.wrapped))
        holders = [(row.id, row.sealing_key) for row in connection.execute(select(advocates))]
        holders += [(row.id, row.public_key) for row in connection.execute(select(recovery_keys))]
        found = [Lock(public_key, wraps[holder]) for holder, public_key in holders]
        return found + [Lock(row.public_key) for row in connection.execute(select(epochs))]

    return await _read(of, look)


async def _read(of: Host, look: Callable[[Connection], T]) -> T:
    database = Database(of.database)
    try:
        return await database.read(look)
    finally:
        await database.close()


async def learn(of: Host) -> None:
    """Every secret that opens something, as those know it who have passphrase and shares."""
    pin = read_pin((of.folder / "data" / "organisation-key").read_text())
    texts = ["".join(block.splitlines(keepends=True)[1:]) for block in (of.folder / "shares").read_text().split("\n\n")]
    one, other, _ = (recovery.typed(text) for text in texts)
    database = Database(of.database)
    try:
        ana = await sessions.unlock(database, pin=pin, passphrase=PASSPHRASE, now=SystemClock().now())
        drilled = await recovering.open_with_shares(database, one, other, pin=pin)
        row = (await database.read(lambda connection: connection.execute(select(advocates)).one()))._mapping
    finally:
        await database.close()
    assert drilled.epoch_keys == ana.epoch_keys
    stretched = pwhash.argon2id.kdf(
        32, PASSPHRASE.encode(), row["salt"], opslimit=row["passes"], memlimit=row["memory"]
    )
    of.known.add("the passphrase", PASSPHRASE.encode(), stretched)
    of.known.add("an advocate's key", ana.own.sealing_key, ana.own.signing_key)
    of.known.add("the organisation's key", ana.lead())
    of.known.add("the recovery key", recovery.join(one, other).private_key, *one.parts, *other.parts)
    of.known.add("an epoch's key", *ana.epoch_keys.values())
    for prize in of.attack.prizes:
        data_key = unwrap(prize.sealed.key, by=ana.epoch_keys[prize.place.epoch])
        assert data_key is not None
        of.known.add("a data key", data_key)


def broken_open(attack: Attack, taken: Mapping[str, bytes]) -> tuple[int, set[bytes]]:
    """How many windows were tried as keys, and the reports that they open."""
    windows = candidates(taken, every_offset=PROVE > 1)
    return len(windows), broken_by(attack, windows, derived=DERIVED)


def test_a_seized_line_holds_no_secret_that_opens_a_report(host: Host, record: Record) -> None:
    record(len(host.attack.prizes), "reports of the past")
    record(host.known.count, "halves of secrets, encoded, searched for")
    record(sum(map(len, host.taken.values())), "bytes of memory, environment and files searched")
    assert any(place.startswith(MEMORY) and "[heap]" in place for place in host.taken)
    assert any(place.endswith("porchlight.db-wal") for place in host.taken)
    assert b"IVR_DATA_DIR" in host.taken["environment"]
    assert host.known.found_in(host.taken) == []


def test_no_window_of_a_seized_line_opens_a_report(host: Host, record: Record) -> None:
    tried, opened = broken_open(host.attack, host.taken)
    record(tried, "windows tried as keys")
    record(min(tried, DERIVED) * 2 * len(purposes()), "keys derived of windows, tried too")
    assert tried > 10_000
    assert opened == set()


def test_the_same_searches_find_the_keys_of_an_advocate_who_is_signed_in_and_open_every_report(host: Host) -> None:
    with signed_in(host) as pid:
        taken = {place: content for place, content in seized(pid).items() if place.startswith(MEMORY)}
    assert any(one.startswith("an epoch's key, raw in memory") for one in host.known.found_in(taken))
    _, opened = broken_open(host.attack, taken)
    assert opened == {prize.place.id for prize in host.attack.prizes}


@contextmanager
def signed_in(host: Host) -> Iterator[int]:
    """The process id of an advocate's session."""
    pin = (host.folder / "data" / "organisation-key").read_text().strip()
    words = [sys.executable, "-m", "tests.promises.unlocked", host.database, pin, str(host.folder / "passphrase")]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "unlocked\n"
        yield process.pid
        process.communicate()


# ---- mutants: each must be caught ----


def a_small_attack() -> tuple[Attack, dict[str, bytes]]:
    """One report, and every key that leads to it, by name."""
    origin, holder = random(32), random(32)
    epoch = derive(origin, b"", purpose="recovery key")
    of_digest = digest(origin, purpose="host key")
    place = Place(random(16), "bad_date", "2026-11")
    body = Body(day="2026-11-22", handle=random(16), answers=(("what", ("weapon",)),))
    sealed = sealing.seal(body, place, epoch_key=public_of(epoch))
    data_key = unwrap(sealed.key, by=epoch)
    assert data_key is not None
    keys = {"epoch": epoch, "holder": holder, "data": data_key, "origin": origin, "of digest": of_digest}
    locks = [Lock(public_of(epoch))]
    locks += [Lock(public_of(one), [("2026-11", wrap(epoch, to=public_of(one)))]) for one in (holder, of_digest)]
    return Attack([Prize(place, sealed, "2026-W47")], locks), keys


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda key: random(7) + key,
    "hex": lambda key: b"k" + key.hex().encode() + b"\n",
    "hex, upper case, among other digits": lambda key: b"0" + (random(3) + key + random(2)).hex().upper().encode(),
    "base64": lambda key: b'{"key": "' + b64encode(key) + b'"}',
    "base64 of something longer": lambda key: b64encode(random(4) + key + random(5)),
    "base64 for URLs, after a letter": lambda key: b"A" + urlsafe_b64encode(key).rstrip(b"="),
}


@pytest.mark.parametrize("key", ["epoch", "holder", "data", "origin", "of digest"])
@pytest.mark.parametrize("form", FORMS)
def test_mutant_a_key_that_lies_somewhere_opens_its_report(key: str, form: str) -> None:
    attack, keys = a_small_attack()
    left = {"a file": FORMS[form](keys[key])}
    assert broken_by(attack, candidates(left), derived=1_000 if key == "origin" else 0)


def test_mutant_a_key_in_memory_opens_its_report() -> None:
    attack, keys = a_small_attack()
    assert broken_by(attack, candidates({"noise": random(640)}), derived=100) == set()
    for name, key in keys.items():
        left = {f"{MEMORY} 7f00": random(64) + key + random(64)}
        assert broken_by(attack, candidates(left), derived=100), name


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_mutant_half_a_secret_that_lies_somewhere_is_found(encoding: str) -> None:
    known, secret = Known(), random(32)
    known.add("a secret", secret)
    whole = ENCODINGS[encoding](secret)
    for half in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
        for at in range(9):
            left = {"a file": random(1_000 + at) + half + random(100), "another": random(1_000)}
            assert f"a secret, {encoding} in a file" in known.found_in(left)


def test_mutant_a_line_with_the_passphrase_beside_it_is_seen(host: Host) -> None:
    """As the one of a demo: which is why it warns."""
    left = {"data/demo-passphrase": PASSPHRASE.encode() + b"\n"}
    assert host.known.found_in(left) == [
        f"the passphrase, {encoding} in data/demo-passphrase" for encoding in ("as Python writes it", "raw")
    ]
