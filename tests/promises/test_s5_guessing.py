"""S5: receipts cannot be guessed: not by trying, and not by whoever has the database.

What IVR_SECRET and the database together cost is printed, not promised: a slow hash for each of 10^12 codes."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from nacl import pwhash
from sqlalchemy import Connection, Engine, event, select

from ivr.engine.asks import Gone, Opened, Saved, SaveReport
from ivr.engine.call import Call, begin
from ivr.kit.clock import VirtualClock
from ivr.services.custody.trust import LineKeysLost, line_epochs, line_keys_in, line_keys_of
from ivr.services.rate_limit import Limit, RateLimits
from ivr.services.receipt_limit import LONGEST_WAIT, ReceiptTries, limit_for
from ivr.services.receipts import Receipts, SlowHashes
from ivr.services.retention import Night
from ivr.services.tagged import Withdrawal
from ivr.store import live
from ivr.store.database import Database
from ivr.store.live import ONE_TRY
from ivr.store.tables import metadata
from ivr.vault import receipts
from ivr.vault.derivation import derive
from ivr.vault.host import HostKey, WrongSecret
from ivr.vault.wrapping import unwrap
from tests.founded import NOW, UNHURRIED, Office, office
from tests.promises.guessing import SIXTY_AT_ONCE, Bucket, attacked, hit_chance, leaks, uneven
from tests.promises.house import PROVE
from tests.shipped import flow

LIVING = 10_000
TRIES_A_DAY = 1_000
MANY = 1_000_000 if PROVE > 1 else 100_000
REPORT = SaveReport(form="bad_date", visit=1, answers=(("what", ("taken",)),), consent="pass_on", ending=1)


Codes = Callable[[bytes, str, int], str]


def genuine(seed: bytes, form: str, visit: int) -> str:
    return receipts.receipt_code(seed, form, visit=visit)


def drawn(codes: Codes, count: int = MANY) -> list[str]:
    """The receipts of so many calls."""
    return [codes(receipts.call_seed(b"k" * 32, str(n)), "bad_date", 1) for n in range(count)]


def with_office(folder: Path, main: Callable[[Office], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with office(f"sqlite:///{folder / 'porchlight.db'}", folder) as of:
            await main(of)

    asyncio.run(run())


async def keep(of: Office, n: int = 0) -> str:
    """A report; its receipt."""
    kept = of.reports()
    saved = await kept.keep(REPORT, seed=n.to_bytes(16), turn=3, today=of.now.date())
    await kept.close()
    assert isinstance(saved, Saved)
    assert saved.receipt
    return saved.receipt


# ---- by trying ----


def test_a_thousand_tries_a_day_hit_one_of_ten_thousand_receipts_at_most_once_in_a_hundred_thousand_days() -> None:
    chance = hit_chance(space=10**receipts.DIGITS, tries=TRIES_A_DAY, living=LIVING)
    assert Fraction(99, 10**7) < chance <= Fraction(1, 10**5)


def test_every_receipt_is_as_likely_as_every_other(record_property: Callable[[str, object], None]) -> None:
    """Otherwise the space would be smaller than it looks."""
    codes = drawn(genuine)
    record_property("cases", len(codes))
    assert list(uneven(codes, digits=receipts.DIGITS)) == []


def test_another_call_another_form_and_another_pass_give_another_receipt() -> None:
    seeds = [receipts.call_seed(b"k" * 32, str(n)) for n in range(50)]
    asked = [(seed, form, visit) for seed in seeds for form in ("bad_date", "robbery") for visit in range(1, 9)]
    assert len({genuine(*one) for one in asked}) == len(asked)


def test_a_hundred_codes_by_chance_find_nothing_and_change_nothing(tmp_path: Path) -> None:
    chance = Random(5)

    async def main(of: Office) -> None:
        genuine_ones = {await keep(of, n) for n in range(5)}
        desk = Receipts(of.database, of.host, of.pin, of.slow_hashes)
        before = await of.database.read(_everything)
        tried = {f"{chance.randrange(10**12):012}" for _ in range(90 * PROVE)} - genuine_ones
        tried |= {f"{int(code) + 1:012}"[-12:] for code in genuine_ones} | {"0" * 12, "", "9" * 11, "½" * 12}
        found = await asyncio.gather(*(desk.withdraw(code) for code in tried))
        assert set(found) == {Withdrawal.UNKNOWN}
        assert await of.database.read(_everything) == before
        assert await desk.withdraw(genuine_ones.pop()) is Withdrawal.TAKEN_BACK

    with_office(tmp_path, main)


def test_by_phone_too_codes_by_chance_open_nothing_and_open_stays_what_it_was(tmp_path: Path) -> None:
    chance = Random(6)

    async def main(of: Office) -> None:
        genuine_one = await keep(of)
        desk = of.receipts()
        before = await of.database.read(_everything)
        tried = {f"{chance.randrange(10**12):012}" for _ in range(40 * PROVE)} - {genuine_one}
        tried |= {f"{int(genuine_one) + 1:012}"[-12:], "0" * 12, "", "9" * 11, "½" * 12}
        answers = await asyncio.gather(*(desk.open(code) for code in tried))
        assert set(answers) == {Gone()}
        by_chance = [chance.randbytes(32) for _ in range(40)]
        assert {await desk.status(one) for one in by_chance} == {Gone()}
        assert {await desk.withdraw(one) for one in by_chance} == {Gone()}
        changed = [await desk.change_consent(one, "pass_on", change_id=one[:16]) for one in by_chance]
        assert set(changed) == {Gone()}
        assert await of.database.read(_everything) == before
        assert isinstance(await desk.open(genuine_one), Opened)

    with_office(tmp_path, main)


def _everything(connection: Connection) -> dict[str, list[Any]]:
    return {
        name: sorted(tuple(row) for row in connection.execute(select(table))) for name, table in metadata.tables.items()
    }


def test_a_receipt_that_has_expired_is_answered_by_the_same_work_as_one_that_never_was(tmp_path: Path) -> None:
    hashed: list[str] = []

    def slow(code: str, *, site_salt: bytes) -> bytes:
        hashed.append(code)
        return receipts.slow(code, site_salt=site_salt)

    async def main(of: Office) -> None:
        code = await keep(of)
        night = Night(of.database, of.host, of.pin, flow(), VirtualClock(NOW))
        await night.purge((NOW + timedelta(days=400)).date())
        slow_hashes = SlowHashes(slow)
        desk = Receipts(of.database, of.host, of.pin, slow_hashes)
        work = []
        for tried in (code, "271828182845"):
            with statements() as asked:
                assert await desk.withdraw(tried) is Withdrawal.UNKNOWN
            work.append(asked)
        slow_hashes.close()
        assert work[0] == work[1] != []
        assert hashed == [code, "271828182845"]

    with_office(tmp_path, main)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that any database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


# ---- the limit ----


@pytest.mark.parametrize("living", [0, 1, 500, 501, 3_000, LIVING, 100_000])
def test_whatever_comes_the_tries_of_a_day_hit_a_receipt_at_most_once_in_a_hundred_thousand_days(living: int) -> None:
    limit = limit_for(living)
    most = 20_000 if living <= 500 else 10**7 // living
    assert hit_chance(space=10**receipts.DIGITS, tries=most, living=living) <= Fraction(1, 10**5)
    assert list(leaks(lambda: Bucket(limit), Random(6), most=most)) == []


@pytest.mark.parametrize(
    ("living", "liars", "opened"), [(500, SIXTY_AT_ONCE, 0.95), (LIVING, 4, 0.9), (LIVING, 1, 1.0)]
)
def test_liars_in_parallel_stay_under_it_and_somebody_honest_opens_theirs_within_an_hour(
    living: int, liars: int, opened: float, record_property: Callable[[str, object], None]
) -> None:
    found = attacked(Bucket(limit_for(living)), Random(7), liars=liars)
    record_property("opened", f"{found.opened} of {found.hours}, {living} receipts, {liars} liars")
    assert found.most_in_a_day <= min(10**7 // living, 20_000)
    assert found.opened >= opened * found.hours


def test_limit_sixty_liars_and_ten_thousand_receipts_leave_honest_callers_little(
    record_property: Callable[[str, object], None],
) -> None:
    """Who is honest cannot be told from who is not: of 50,000 calls a day a thousand are served."""
    found = attacked(Bucket(limit_for(LIVING)), Random(7), liars=SIXTY_AT_ONCE)
    record_property("opened", f"{found.opened} of {found.hours}")
    assert found.most_in_a_day <= TRIES_A_DAY
    assert 0.05 * found.hours < found.opened < 0.6 * found.hours


def test_two_workers_let_no_more_through_than_one_and_right_receipts_cost_nothing(tmp_path: Path) -> None:
    """On a real database: liars at both at once for a virtual day, and somebody honest in each hour."""

    async def main(of: Office) -> None:
        live_one, live_other = (Database(f"sqlite:///{tmp_path / 'live.db'}") for _ in range(2))
        await live_one.furnish(live.create)
        limits = RateLimits(live_one, UNHURRIED.rate_limit), RateLimits(live_other, UNHURRIED.rate_limit)
        await of.database.write(lambda connection: connection.execute(metadata.tables["reports"].insert(), living()))
        workers = [ReceiptTries(one, of.database) for one in limits]
        passed, opened = 0, 0
        for half_hour in range(48):
            now, worker = NOW + half_hour * timedelta(minutes=30), workers[half_hour % 2]
            honest = called(b"honest %9d" % half_hour)
            if await worker.take(honest, now, has_waited=False) is None:
                worker.give_back(honest, now)
                opened += 1
            liars = [called(b"liar %3d %7d" % (n, half_hour), tries=n % 3) for n in range(SIXTY_AT_ONCE)]
            tried = [workers[n % 2].take(call, now, has_waited=False) for n, call in enumerate(liars)]
            passed += (await asyncio.gather(*tried)).count(None)
        assert TRIES_A_DAY // 2 < passed <= TRIES_A_DAY
        assert opened == 48
        for limit in limits:
            await limit.close()
        await live_one.close()
        await live_other.close()

    with_office(tmp_path, main)


def living() -> list[dict[str, object]]:
    """So many rows that receipts lead to, as far as the limit can tell."""
    clear = {
        "form": "bad_date",
        "epoch": "2026-11",
        "week": "2026-W47",
        "turn": 1,
        "consent": "pass_on",
        "state": "new",
    }
    signed = {"body": b"", "signer": b"", "signature": b""}
    return [{"id": n.to_bytes(16), "receipt_tag": n.to_bytes(16), **clear, **signed} for n in range(LIVING)]


def called(seed: bytes, *, tries: int = 0) -> Call:
    call: Call = begin(flow(), seed=seed, at=NOW)
    return msgspec.structs.replace(call, tries=tries)


# ---- by whoever has the database ----


def test_another_organisation_s_codes_say_nothing_about_these() -> None:
    codes = drawn(genuine, 12)
    keys = [(salt * 16, k * 32) for salt in (b"a", b"b") for k in (b"k", b"l")]
    tags = [
        {receipts.tag(k_receipt, receipts.slow(code, site_salt=salt)) for code in codes} for salt, k_receipt in keys
    ]
    assert len(set().union(*tags)) == len(codes) * len(keys)


@dataclass(frozen=True, slots=True)
class Stolen:
    """Every value of a database, and every window of so many bytes in it."""

    values: frozenset[bytes]

    @classmethod
    def of(cls, connection: Connection) -> "Stolen":
        rows = [row for table in metadata.tables.values() for row in connection.execute(select(table))]
        return cls(frozenset(value for row in rows for value in row if isinstance(value, bytes)))

    def windows(self, size: int) -> set[bytes]:
        """Whatever might be a key of this size."""
        return {value[at : at + size] for value in self.values for at in range(len(value) - size + 1)}


def opens_for_a_thief(connection: Connection, candidates: set[bytes], tagged: bytes) -> list[str]:
    """What of the keys behind receipts opens with one of these, however it is used. `tagged`: a genuine slow hash."""
    line = connection.execute(select(metadata.tables["line_keys"])).one()
    wrapped = [line.site_salt, *(row.receipt_key for row in connection.execute(select(metadata.tables["epochs"])))]
    tags = {row.receipt_tag for row in connection.execute(select(metadata.tables["reports"]))}
    found = []
    for one in candidates:
        if any(unwrap(secret, by=one) is not None for secret in wrapped[:2]):
            found.append("a wrapped key")
        if derive(one, tagged, purpose="receipt tag", size=receipts.TAG_SIZE) in tags:
            found.append("a tag")
        for host in (HostKey.of(one), HostKey(one)):
            try:
                host.open(line.sealed, purpose=b"line identity" + line.signing_key + line.sealing_key)
                found.append("the line's keys")
            except WrongSecret:
                pass
    return found


def test_the_whole_database_without_ivr_secret_tells_nobody_which_code_is_which(tmp_path: Path) -> None:
    """She has not even a way to know that a guess is right: salt and receipt keys are wrapped to the line."""

    async def main(of: Office) -> None:
        code = await keep(of)
        keys = await of.line_keys()
        epochs = await of.database.read(lambda connection: line_epochs(connection, keys, of.pin))
        slow = receipts.slow(code, site_salt=keys.site_salt)
        stolen = await of.database.read(Stolen.of)
        everything = b"\0".join(stolen.values)
        for secret in (keys.site_salt, keys.sealing_key, slow, *(epoch.receipt_key for epoch in epochs.values())):
            assert secret not in everything
        windows = stolen.windows(32)
        assert len(windows) > 1500
        assert await of.database.read(lambda connection: opens_for_a_thief(connection, windows, slow)) == []
        for guess in (b"", b"secret", of.pin, b"6d1f0c9a7be24588a3f21c60d97e54b0"):
            with pytest.raises(LineKeysLost):
                await line_keys_of(of.database, HostKey.of(guess), of.pin)
        known = {keys.sealing_key, *(epoch.receipt_key for epoch in epochs.values())}
        control = await of.database.read(lambda connection: opens_for_a_thief(connection, known, slow))
        assert {"a wrapped key", "a tag"} <= set(control)

    with_office(tmp_path, main)


def test_with_ivr_secret_too_each_guess_costs_what_is_printed(tmp_path: Path) -> None:
    """Two passes of Argon2id over 16 MiB, for each of 10^12 codes; then she knows which of them are receipts here."""

    async def main(of: Office) -> None:
        code = await keep(of)

        def tag_of(slow: bytes) -> Callable[[Connection], bool]:
            def matches(connection: Connection) -> bool:
                keys = line_keys_in(connection, of.host, of.pin)
                epoch = line_epochs(connection, keys, of.pin)["2026-11"]
                stored = connection.execute(select(metadata.tables["reports"].c.receipt_tag)).scalar_one()
                return bool(stored == receipts.tag(epoch.receipt_key, slow))

            return matches

        salt = (await of.line_keys()).site_salt
        for passes, memory, fits in ((2, 16 * 2**20, True), (1, 16 * 2**20, False), (2, 8 * 2**20, False)):
            slow = pwhash.argon2id.kdf(32, code.encode(), salt, opslimit=passes, memlimit=memory)
            assert await of.database.read(tag_of(slow)) is fits

    with_office(tmp_path, main)


# ---- mutants ----


def short(seed: bytes, form: str, visit: int) -> str:
    """Six digits."""
    return genuine(seed, form, visit)[-6:]


def short_and_long(seed: bytes, form: str, visit: int) -> str:
    """Six digits, made to look like twelve."""
    return genuine(seed, form, visit)[-6:] * 2


def biased(seed: bytes, form: str, visit: int) -> str:
    """The remainder of a number that is hardly larger than there are codes."""
    number = int.from_bytes(derive(seed, visit.to_bytes(4) + form.encode(), purpose="receipt code")[:5])
    return f"{number % 10**12:012}"


def first_digit_never_zero(seed: bytes, form: str, visit: int) -> str:
    """Because somebody took the code for a number."""
    code = genuine(seed, form, visit)
    return code if code[0] != "0" else f"1{code[1:]}"


@pytest.mark.parametrize("mutant", [short, short_and_long, biased, first_digit_never_zero])
def test_mutant_a_code_that_is_easier_to_guess_is_seen(mutant: Codes) -> None:
    assert list(uneven(drawn(mutant, 20_000), digits=receipts.DIGITS)) != []


def test_mutant_six_digits_would_be_hit_nearly_every_day() -> None:
    assert hit_chance(space=10**6, tries=TRIES_A_DAY, living=LIVING) > Fraction(99, 100)


class Generous(Bucket):
    """Lets everybody through who waits, as it was once."""

    def take(self, now: datetime, *, is_first: bool) -> timedelta | None:
        wait = super().take(now, is_first=is_first)
        return LONGEST_WAIT if wait is None else wait


class Forgiving(Bucket):
    """Fills anew at once, whenever it is empty."""

    def take(self, now: datetime, *, is_first: bool) -> timedelta | None:
        if (wait := super().take(now, is_first=is_first)) is None:
            self.level = self.level._replace(left=60 * ONE_TRY)
        return wait


class EachHasOne(Bucket):
    """Two workers, each with a bucket of its own."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self.other = Bucket(limit)
        self.turn = False

    def take(self, now: datetime, *, is_first: bool) -> timedelta | None:
        self.turn = not self.turn
        return self.other.take(now, is_first=is_first) if self.turn else super().take(now, is_first=is_first)


class Harsh(Bucket):
    """Once empty, it lets nobody in."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(replace(limit, a_day=1))


@pytest.mark.parametrize("mutant", [Generous, Forgiving, EachHasOne, Harsh])
def test_mutant_a_limit_that_lets_through_or_locks_out_is_seen(mutant: Callable[[Limit], Bucket]) -> None:
    assert next(leaks(lambda: mutant(limit_for(LIVING)), Random(6), most=TRIES_A_DAY), None) is not None


def test_mutant_a_limit_without_a_reserve_for_first_tries_serves_fewer() -> None:
    limit = replace(limit_for(500), reserve=0)
    found = attacked(Bucket(limit), Random(7), liars=SIXTY_AT_ONCE)
    assert found.opened < 0.95 * found.hours
