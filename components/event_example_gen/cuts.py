"""The time cuts of the splits: exact quantiles of timestamps over many workers.

A value is found 16 bits at a time: each round counts, among the values that share the
digits found so far, how often each next digit occurs. No worker ever holds all values,
and the result depends on the set of values alone.
"""

from __future__ import annotations

import dataclasses
import fractions
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from components.ingestion import shuffle
from schema import settings

_DIGIT_BITS = 16
_DIGITS = 1 << _DIGIT_BITS

Histogram = dict[int, NDArray[np.int64]]
"""Prefix to [65536] int64 counts of the next digit."""


class Search(NamedTuple):
    """One value that is looked for."""

    quantile: float
    """Share of the values below it."""
    prefix: int = 0
    """The digits found so far."""
    rank: int = -1
    """How many values with that prefix lie below it; -1 before the first round."""


def num_rounds(span: int) -> int:
    """Returns the rounds needed for values in [0, span)."""
    return max(1, -(-(max(span, 1) - 1).bit_length() // _DIGIT_BITS))


def count_digits(
    values: NDArray[np.int64], searches: Sequence[Search], rounds_left: int
) -> Histogram:
    """Returns how often each next digit occurs after each search's prefix.

    Args:
      values: int64, not negative, below 2 ** (16 * all rounds).
      searches: what is looked for.
      rounds_left: rounds still to do, this one included.
    """
    shift = _DIGIT_BITS * (rounds_left - 1)
    histogram = {}
    for prefix in {search.prefix for search in searches}:
        chosen = values[values >> (shift + _DIGIT_BITS) == prefix] >> shift
        histogram[prefix] = np.bincount(chosen & (_DIGITS - 1), minlength=_DIGITS)
    return histogram


def add_histograms(histograms: Iterable[Histogram]) -> Histogram:
    """Returns the sum of histograms; {} of none."""
    total: Histogram = {}
    for histogram in histograms:
        for prefix, counts in histogram.items():
            total[prefix] = total[prefix] + counts if prefix in total else counts
    return total


def advance(searches: Sequence[Search], histogram: Histogram) -> list[Search]:
    """Returns the searches with one more digit found."""
    result = []
    for search in searches:
        counts = histogram.get(search.prefix)
        if counts is None or not counts.any():
            result.append(search._replace(prefix=search.prefix << _DIGIT_BITS))
            continue
        rank = search.rank
        if rank < 0:
            total = int(counts.sum())
            # As a fraction: 0.29 * 100 is below 29 in floating point.
            rank = int(fractions.Fraction(repr(search.quantile)) * total)
            rank = min(rank, total - 1)
        ends = np.cumsum(counts)
        digit = int(np.searchsorted(ends, rank, side="right"))
        below = int(ends[digit] - counts[digit])
        result.append(
            search._replace(
                prefix=(search.prefix << _DIGIT_BITS) | digit, rank=rank - below
            )
        )
    return result


@dataclasses.dataclass(eq=False)
class FindCuts(beam.PTransform):
    """Finds the exact time cuts of the splits; see the module."""

    data: settings.DataSettings

    def expand(self, times: beam.PCollection) -> beam.PCollection:
        """Returns the two cuts, milliseconds UTC, as one element."""
        low = self.data.min_timestamp_ms
        rounds = num_rounds(self.data.max_timestamp_ms - low)
        searches = times.pipeline | "Quantiles" >> beam.Create(
            [[Search(q) for q in self.data.split_quantiles]]
        )
        for left in range(rounds, 0, -1):
            histogram = (
                times
                | f"Count{left}"
                >> beam.Map(_count_digits, beam.pvalue.AsSingleton(searches), left)
                | f"Sum{left}" >> beam.CombineGlobally(add_histograms)
            )
            searches = searches | f"Advance{left}" >> beam.Map(
                advance, beam.pvalue.AsSingleton(histogram)
            )
        return searches | "Cuts" >> beam.Map(_as_cuts, low)


def _count_digits(times: shuffle.Piece, searches: list[Search], left: int) -> Histogram:
    return count_digits(np.frombuffer(shuffle.get(times), np.int64), searches, left)


def _as_cuts(searches: list[Search], low: int) -> tuple[int, int]:
    return searches[0].prefix + low, searches[1].prefix + low
