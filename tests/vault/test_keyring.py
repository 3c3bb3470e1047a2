"""Short-lived keys: workers agree on them, and they are destroyed in time, by the clock that is handed in."""

import errno
import gc
import os
import stat
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.kit.clock import VirtualClock
from ivr.vault.keyring import KeyRing, KeysFull, KeysUnavailable
from ivr.vault.receipts import seed_keys

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_ring(directory: Path, kind: str = "token") -> KeyRing[bytes]:
    return KeyRing(directory, kind, rolls=6 * HOUR, lives=12 * HOUR, make=lambda _kid, secret: secret)


def everything_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_two_workers_agree_on_the_key_of_now(tmp_path: Path) -> None:
    assert a_ring(tmp_path).current(NOON) == a_ring(tmp_path).current(NOON + 5 * HOUR)


def test_many_workers_that_need_the_first_key_at_once_agree(tmp_path: Path) -> None:
    rings = [a_ring(tmp_path / "run") for _ in range(32)]
    with ThreadPoolExecutor(16) as threads:
        keys = set(threads.map(lambda ring: ring.current(NOON), rings))
    assert len(keys) == 1
    assert len([path for path in (tmp_path / "run").iterdir() if path.suffix[1:].isdecimal()]) == 1


def test_a_restarted_worker_finds_the_keys_of_calls_in_progress(tmp_path: Path) -> None:
    before = a_ring(tmp_path).current(NOON)
    assert list(a_ring(tmp_path).living(NOON + 7 * HOUR)) == [before]


def test_a_period_has_its_own_key(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    first, second = ring.current(NOON), ring.current(NOON + 6 * HOUR)
    assert first != second
    assert list(ring.living(NOON + 6 * HOUR)) == [second, first]


def test_kinds_do_not_share_keys(tmp_path: Path) -> None:
    assert a_ring(tmp_path, "token").current(NOON) != a_ring(tmp_path, "text").current(NOON)


@settings(deadline=None)
@given(st.lists(st.integers(0, 72), min_size=1, max_size=12))
def test_no_key_outlives_its_time_on_disk(tmp_path_factory: pytest.TempPathFactory, hours: list[int]) -> None:
    """A2: whatever the traffic was, after a sweep no byte of a key older than its limit is in the directory."""
    directory = tmp_path_factory.mktemp("run")
    ring, clock = a_ring(directory), VirtualClock(NOON)
    begun: dict[bytes, datetime] = {}
    for hour in sorted(hours):
        clock.at = NOON + hour * HOUR
        begun.setdefault(ring.current(clock.now()), clock.now() - (clock.now() - NOON) % (6 * HOUR))
        kept = everything_in(directory)
        assert all((key in kept) == (clock.now() - at < 12 * HOUR) for key, at in begun.items())
    clock.advance(12 * HOUR)
    ring.sweep(clock.now())
    assert everything_in(directory).strip(b"\0") == b""


def test_a_destroyed_key_leaves_memory(tmp_path: Path) -> None:
    class Derived:
        """What a ring holds of a key."""

    ring = KeyRing(tmp_path, "seed", rolls=HOUR, lives=2 * HOUR, make=lambda _kid, _secret: Derived())
    remembered = weakref.ref(ring.current(NOON))
    ring.current(NOON + HOUR)
    assert remembered() is not None
    ring.current(NOON + 2 * HOUR)
    gc.collect()
    assert remembered() is None


def test_the_clock_decides_even_while_the_file_is_there(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    ring.current(NOON)
    kid = int(NOON.timestamp() // (6 * HOUR).total_seconds())
    assert ring.get(kid, now=NOON + 12 * HOUR - timedelta(seconds=1)) is not None
    assert ring.get(kid, now=NOON + 12 * HOUR) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unknown_key_is_none_and_none_is_made(tmp_path: Path) -> None:
    ring = a_ring(tmp_path / "run")
    now_kid = int(NOON.timestamp() // (6 * HOUR).total_seconds())
    assert [ring.get(kid, now=NOON) for kid in (now_kid, now_kid - 1, now_kid + 1, 0, 2**32 - 1)] == [None] * 5
    assert not (tmp_path / "run").exists()


def test_the_times_of_files_mean_nothing(tmp_path: Path) -> None:
    key = a_ring(tmp_path).current(NOON)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    ring = a_ring(tmp_path)
    ring.sweep(NOON)
    assert ring.current(NOON) == key


def test_only_this_user_may_look(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir(mode=0o755)
    a_ring(directory).current(NOON)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_what_a_dying_worker_left_is_swept_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    ring.current(NOON)
    (name,) = (path.name for path in tmp_path.iterdir())
    (tmp_path / f"{name}.new-0011").write_bytes(b"half a key")
    (tmp_path / "live.db").write_bytes(b"")
    (tmp_path / "token.txt").write_bytes(b"")
    ring.sweep(NOON + 12 * HOUR)
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith("token.spare-")}
    assert left == {"live.db", "token.txt"}


def test_a_damaged_key_says_what_to_do(tmp_path: Path) -> None:
    a_ring(tmp_path).current(NOON)
    for path in tmp_path.iterdir():
        path.write_bytes(b"short")
    with pytest.raises(KeysUnavailable, match="delete that file"):
        a_ring(tmp_path).current(NOON)


def test_a_directory_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"a file, not a directory")
    with pytest.raises(KeysUnavailable, match="IVR_RUN_DIR"):
        a_ring(tmp_path / "run").current(NOON)


class Full(KeyRing[bytes]):
    """A ring on a disk without room: what is there may be written over, and nothing else be made."""

    is_full = True

    def _write_new(self, path: Path, content: bytes) -> None:
        if self.is_full:
            path.touch()  # a name is there before its first byte finds no room
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write_new(path, content)


def a_full_ring(directory: Path, *, is_full: bool = True) -> Full:
    ring = Full(directory, "token", rolls=6 * HOUR, lives=12 * HOUR, make=lambda _kid, secret: secret)
    ring.is_full = is_full
    return ring


def test_a_full_disk_stops_no_ring_that_was_prepared_once(tmp_path: Path) -> None:
    ring = a_full_ring(tmp_path, is_full=False)
    ring.prepare(NOON)
    ring.is_full = True
    found = []
    for n in range(20):
        now = NOON + n * 6 * HOUR
        ring.prepare(now)
        found.append(ring.current(now))
        assert a_full_ring(tmp_path).current(now) == found[-1], "another worker agrees"
        assert sum(key in everything_in(tmp_path) for key in found) == min(n + 1, 2)
    assert len(set(found)) == 20


def test_workers_that_share_a_full_disk_agree(tmp_path: Path) -> None:
    a_full_ring(tmp_path, is_full=False).prepare(NOON)
    rings = [a_full_ring(tmp_path) for _ in range(8)]
    for n in range(6):
        now = NOON + n * 6 * HOUR
        rings[n].prepare(now)
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(lambda ring, now=now: ring.current(now), rings))) == 1


def test_without_any_room_it_says_so_and_works_once_there_is(tmp_path: Path) -> None:
    ring = a_full_ring(tmp_path)
    with pytest.raises(KeysFull, match="no room"):
        ring.current(NOON)
    assert list(tmp_path.iterdir()) == []
    ring.is_full = False
    assert ring.current(NOON) == a_ring(tmp_path).current(NOON)


def test_the_next_key_is_made_ahead_and_is_nobody_s_before_its_time(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    ring.prepare(NOON)
    kid = int(NOON.timestamp() // (6 * HOUR).total_seconds())
    (ahead,) = (path.read_bytes() for path in tmp_path.glob(f"token.{kid + 1}"))
    assert ring.get(kid + 1, now=NOON) is None
    assert ahead not in {*ring.living(NOON), ring.current(NOON)}
    assert ring.current(NOON + 6 * HOUR) == ahead
    ring.prepare(NOON + 18 * HOUR)
    assert ahead not in everything_in(tmp_path)


def test_a_wiped_key_is_none(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    ring.current(NOON)
    (path,) = tmp_path.iterdir()
    path.write_bytes(bytes(32))  # a worker that destroys it has come so far
    assert list(a_ring(tmp_path).living(NOON)) == []


def test_a_ring_whose_keys_die_within_their_period_cannot_be_built(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lives >= rolls"):
        KeyRing(tmp_path, "token", rolls=2 * HOUR, lives=HOUR, make=lambda _kid, secret: secret)


def test_a_seed_key_lives_twenty_minutes_with_one_predecessor(tmp_path: Path) -> None:
    keys, ten = seed_keys(tmp_path), timedelta(minutes=10)
    first, second = keys.current(NOON), keys.current(NOON + ten)
    assert list(keys.living(NOON + 2 * ten - timedelta(seconds=1))) == [second, first]
    third = keys.current(NOON + 2 * ten)
    assert list(keys.living(NOON + 2 * ten)) == [third, second]
    assert first not in everything_in(tmp_path)
