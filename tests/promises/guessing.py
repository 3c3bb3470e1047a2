"""How likely a guess is, how even some codes are, and how many tries a budget lets through: counted, not believed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import sqrt
from random import Random

from ivr.services.rate_limit import Limit
from ivr.services.receipt_limit import LONGEST_WAIT
from ivr.store.live import ONE_TRY

DAY = timedelta(days=1)
BEGINNING = datetime(2027, 3, 10, tzinfo=UTC)
TOO_UNLIKELY = 5.0
"""Standard deviations: less than one in a million, for each of the few dozen counts."""


def hit_chance(*, space: int, tries: int, living: int) -> Fraction:
    """That one of so many different guesses is one of so many living codes, exactly."""
    missed = Fraction(1)
    for n in range(tries):
        missed *= Fraction(space - living - n, space - n)
    return 1 - missed


# ---- codes ----


def uneven(codes: Sequence[str], *, digits: int) -> Iterator[str]:
    """Whatever tells these codes from so many drawn evenly from all of that length."""
    if {len(code) for code in codes} != {digits} or not all(code.isascii() and code.isdigit() for code in codes):
        yield "they are not all so many digits"
        return
    for at in range(digits):
        yield from _against(f"digit {at + 1}", Counter(code[at] for code in codes), [Fraction(1, 10)] * 10, codes)
    for at in range(digits - 1):
        pairs = Counter(code[at : at + 2] for code in codes)
        yield from _against(f"digits {at + 1} and {at + 2}", pairs, [Fraction(1, 100)] * 100, codes)
    ends = Counter(code[0] + code[-1] for code in codes)
    yield from _against("first and last", ends, [Fraction(1, 100)] * 100, codes)
    zeros = Counter(str(min(3, digits - len(code.lstrip("0")))) for code in codes)
    yield from _against(
        "leading zeros", zeros, [Fraction(9, 10), Fraction(9, 100), Fraction(9, 1000), Fraction(1, 1000)], codes
    )
    doubles = len(codes) - len(set(codes))
    expected = len(codes) ** 2 / (2 * 10**digits)
    if doubles > expected + TOO_UNLIKELY * sqrt(expected) + 3:
        yield f"{doubles} came twice, where {expected:.2f} should"


def _against(what: str, counts: Counter[str], shares: Sequence[Fraction], codes: Sequence[str]) -> Iterator[str]:
    """Pearson's chi-square against the expected shares, in the order of the sorted keys of all that may be."""
    width = max(map(len, counts))
    keys = [f"{n:0{width}}" for n in range(len(shares))]
    statistic = sum(
        (counts[key] - float(share * len(codes))) ** 2 / float(share * len(codes))
        for key, share in zip(keys, shares, strict=True)
    )
    freedom = len(shares) - 1
    # Wilson and Hilferty: the cube root of it is as good as normal.
    deviation = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / sqrt(2 / (9 * freedom))
    if deviation > TOO_UNLIKELY:
        yield f"{what}: {deviation:.1f} standard deviations"


# ---- the limit ----

SIXTY_AT_ONCE = 60
A_TRY_TAKES = timedelta(seconds=35)
"""As measured on the line: a call, a language, a key, and twelve digits."""
TRIES_IN_A_CALL = 3
HONEST_TRIES = 12
"""So often somebody calls again within an hour, every five minutes."""


class Bucket:
    """What all workers share, without a database; `Limit` itself decides."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.level = limit.full(BEGINNING)

    def take(self, now: datetime, *, is_first: bool) -> timedelta | None:
        """How long a try that comes now must wait; None: it may not be made."""
        self.level, wait = self.limit.drawn(self.level, now, is_first=is_first)
        return wait

    def give_back(self) -> None:
        self.level = self.level._replace(left=self.level.left + ONE_TRY)


@dataclass(slots=True)
class Attack:
    """What came of it: when something was looked up for a liar, and in how many of how many hours somebody honest
    opened a receipt, calling every five minutes until it opens."""

    guessed_at: list[datetime] = field(default_factory=list)
    opened: int = 0
    hours: int = 0

    @property
    def most_in_a_day(self) -> int:
        return _most_in_a_day(sorted(self.guessed_at))


def attacked(bucket: Bucket, chance: Random, *, liars: int, days: int = 2) -> Attack:
    """Liars who do nothing else, each in call after call, wait as they are told, and never guess right."""
    found = Attack()
    events: list[tuple[datetime, int, int]] = []
    for liar in range(liars):
        now = BEGINNING
        for n in range(int(days * DAY / A_TRY_TAKES)):
            now += A_TRY_TAKES * chance.uniform(0.5, 1.5)
            events.append((now, liar, n % TRIES_IN_A_CALL))
    for hour in range(1, days * 24):
        begins_at = BEGINNING + timedelta(hours=hour, minutes=5 * chance.random())
        events += [(begins_at + n * timedelta(minutes=5), -hour, 0) for n in range(HONEST_TRIES)]
    served = set[int]()
    for now, who, tries in sorted(events):
        if who in served:
            continue
        wait = bucket.take(now, is_first=not tries)
        if wait is not None and who < 0:
            served.add(who)
            bucket.give_back()
        elif wait is not None:
            found.guessed_at.append(now + wait)
    found.opened, found.hours = len(served), days * 24 - 1
    return found


def arrivals(chance: Random) -> Iterator[tuple[str, Iterator[timedelta]]]:
    """Gaps between tries: all at once, one after the other, in waves, as they come; each for three days or more."""
    second = timedelta(seconds=1)
    yield "all at once", (timedelta() for _ in range(5000))
    yield "one a second", (second for _ in range(2 * 86_400))
    yield "as it fills", (DAY / 1000 for _ in range(3 * 1000))
    yield "a burst every hour", (timedelta(hours=1) if n % 80 == 0 else timedelta() for n in range(80 * 80))
    yield "at random", (second * chance.expovariate(1 / 40) for _ in range(9000))


def leaks(make: Callable[[], Bucket], chance: Random, *, most: int) -> Iterator[str]:
    """What a limit lets through that it must not, or keeps from whom it must not."""
    for name, gaps in arrivals(chance):
        bucket, now, free, refused_at = make(), BEGINNING, list[datetime](), None
        for gap in gaps:
            now += gap
            wait = bucket.take(now, is_first=bool(chance.getrandbits(1)))
            if wait is not None and not timedelta() <= wait <= LONGEST_WAIT:
                yield f"{name}: a wait of {wait}"
            free += [now + wait] if wait is not None else []
            refused_at = now if wait is None else refused_at
        if (count := _most_in_a_day(sorted(free))) > most:
            yield f"{name}: {count} in a day"
        if (
            refused_at is not None
            and bucket.take(now + max(2 * DAY / most, timedelta(minutes=2)), is_first=True) is None
        ):
            yield f"{name}: nobody is let in when there should be tries again"


def _most_in_a_day(moments: Sequence[datetime]) -> int:
    """The most of these in any 24 hours."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= DAY:
            first += 1
        most = max(most, last - first + 1)
    return most
