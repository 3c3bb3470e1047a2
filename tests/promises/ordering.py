"""Does an order tell another? Rank correlation, by hand: of where rows lie with when they came, and of every byte of
every column with it. In standard deviations of what chance would do: above six, it is no chance."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import sqrt
from typing import TypeVar

import numpy
from numpy.typing import NDArray

NO_CHANCE = 6.0
PAGE = 4096

K = TypeVar("K")


def correlation(order: Sequence[K], arrived: Sequence[K]) -> float:
    """Spearman's rho of two orders of the same things: 1 if they are one, -1 if one is the other backwards."""
    at = {one: n for n, one in enumerate(arrived)}
    n = len(order)
    squares = sum((here - at[one]) ** 2 for here, one in enumerate(order))
    return 1 - 6 * squares / (n * (n * n - 1))


def deviation_within_pages(offsets: Sequence[tuple[K, int]], arrived: Sequence[K]) -> float:
    """Within the pages of a file: do rows that came later lie further on, or further back? In standard deviations of
    the number of pairs that agree (Kendall)."""
    at = {one: n for n, one in enumerate(arrived)}
    agreeing, variance = 0, 0.0
    for _, page in groupby(sorted(offsets, key=lambda row: row[1]), key=lambda row: row[1] // PAGE):
        came = [at[one] for one, _ in page]
        k = len(came)
        agreeing += sum((one < other) - (one > other) for n, one in enumerate(came) for other in came[n + 1 :])
        variance += k * (k - 1) * (2 * k + 5) / 18
    return agreeing / sqrt(variance or 1)


def telling(rows: Sequence[dict[str, object]], groups: Sequence[str]) -> Iterator[str]:
    """The columns of rows, in the order in which they came, that tell something of it within a group (a week): as a
    whole, or at one of their bytes. Each with the deviation."""
    for name in rows[0]:
        for group in sorted(set(groups)):
            values = [row[name] for row, its in zip(rows, groups, strict=True) if its == group]
            worst = max(_deviations(_ranks(values)).max(), _deviations(_bytes(values)).max())
            if worst > NO_CHANCE:
                yield f"{name}: {worst:.1f} deviations in {group}"
                break


def _deviations(values: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Of each column (rows of `values` in the order in which they came): how far its correlation is from none."""
    n = len(values)
    arrived = numpy.arange(n) - (n - 1) / 2
    centred = values - values.mean(axis=0)
    spread = numpy.sqrt((centred**2).sum(axis=0) * (arrived**2).sum())
    found = numpy.abs(arrived @ centred) / numpy.where(spread > 0, spread, numpy.inf) * sqrt(n - 1)
    return numpy.asarray(found, dtype=numpy.float64)


def _ranks(values: Sequence[object]) -> NDArray[numpy.float64]:
    """As one column; equal values have equal ranks."""
    known = {value: rank for rank, value in enumerate(sorted({_encoded(value) for value in values}))}
    return numpy.array([[known[_encoded(value)]] for value in values], dtype=numpy.float64)


def _bytes(values: Sequence[object]) -> NDArray[numpy.float64]:
    """Each byte as a column."""
    encoded = [_encoded(value) for value in values]
    size = max(8, *map(len, encoded))
    return numpy.array([list(one.ljust(size, b"\0")) for one in encoded], dtype=numpy.float64)


def _encoded(value: object) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(8)
    return bytes(value) if isinstance(value, bytes | memoryview) else str("" if value is None else value).encode()
