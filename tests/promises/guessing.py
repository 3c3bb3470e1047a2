"""How likely a guess is, how even some codes are, and how many tries a budget lets through: counted, not believed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import sqrt
from random import Random

from ivr.services.receipts import BURST, LONGEST_WAIT, TRIES_A_DAY, Budget

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


# ---- budgets ----


def arrivals(chance: Random) -> Iterator[tuple[str, Iterator[timedelta]]]:
    """Gaps between tries: all at once, one after the other, in waves, as they come; each for three days or more."""
    second = timedelta(seconds=1)
    yield "all at once", (timedelta() for _ in range(5000))
    yield "one a second", (second for _ in range(2 * 86_400))
    yield "as the budget fills", (DAY / TRIES_A_DAY for _ in range(3 * TRIES_A_DAY))
    yield "a little faster than it fills", (DAY / TRIES_A_DAY * 0.9 for _ in range(4 * TRIES_A_DAY))
    yield "a burst every hour", (timedelta(hours=1) if n % 80 == 0 else timedelta() for n in range(80 * 80))
    yield "at random", (second * chance.expovariate(1 / 40) for _ in range(9000))


def leaks(make: Callable[[], Budget], chance: Random) -> Iterator[str]:
    """What a budget lets through that it must not, or keeps from whom it must not."""
    for name, gaps in arrivals(chance):
        budget, now, free, before = make(), BEGINNING, list[datetime](), timedelta()
        for gap in gaps:
            now += gap
            wait = budget.wait(now)
            if not timedelta() <= wait <= LONGEST_WAIT:
                yield f"{name}: a wait of {wait}"
            if wait and wait <= before < LONGEST_WAIT:
                yield f"{name}: {wait} after {before}"
            free += [now] if not wait else []
            before = wait
        yield from (f"{name}: {count} free in a day" for count in [_most_in_a_day(free)] if count > BURST + TRIES_A_DAY)


def _most_in_a_day(moments: Sequence[datetime]) -> int:
    """The most of these in any 24 hours."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= DAY:
            first += 1
        most = max(most, last - first + 1)
    return most


def tries_of_one_who_waits(budget: Budget, *, days: int) -> float:
    """How often a day somebody tries who does nothing else, waits as long as she is told and tries again."""
    now, tries = BEGINNING, 0
    while now < BEGINNING + days * DAY:
        now += budget.wait(now)
        tries += 1
    return tries / days
