"""Exact quantiles in rounds."""

import numpy as np
import pytest

from components.event_example_gen import cuts


def found(parts, shares, span):
    """Returns the quantiles of values in several places, below `span`."""
    searches = [cuts.Search(share) for share in shares]
    for left in range(cuts.num_rounds(span), 0, -1):
        counted = [cuts.count_digits(part, searches, left) for part in parts]
        halves = [
            cuts.add_histograms(counted[:3]),
            cuts.add_histograms(counted[3:]),
        ]
        searches = cuts.advance(searches, cuts.add_histograms(halves))
    return [search.prefix for search in searches]


@pytest.mark.parametrize(
    ("values", "shares", "expected"),
    [
        ([50, 10, 40, 20, 30], [0.0, 0.2, 0.5, 0.8, 1.0], [10, 20, 30, 50, 50]),
        ([7], [0.8, 0.9], [7, 7]),
        ([1, 1, 1, 2], [0.5, 0.75], [1, 2]),
        # 0.29 * 100 is 28.999... in floating point; 29 values lie below 29.
        (list(range(100)), [0.29, 0.57], [29, 57]),
        ([2**41 + 5, 2**41 + 70_000, 3], [0.4, 0.7], [2**41 + 5, 2**41 + 70_000]),
    ],
)
def test_the_value_that_so_many_precede(values, shares, expected):
    assert found([np.array(values)], shares, max(values) + 1) == expected


def test_parts_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2**40, 5_000)
    values[:2_000] = values[0]
    expected = np.sort(values)[[500, 4_000, 4_500]].tolist()
    assert found(np.array_split(values, 7), (0.1, 0.8, 0.9), 2**40) == expected


def test_adding_does_not_change_its_parts():
    part = {0: np.array([1, 2])}
    cuts.add_histograms([part, part])
    assert part[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("span", "rounds"), [(1, 1), (2**16, 1), (2**16 + 1, 2), (2**32, 2), (2**42, 3)]
)
def test_rounds(span, rounds):
    assert cuts.num_rounds(span) == rounds


def test_no_values():
    assert found([np.zeros(0, np.int64)], [0.8, 0.9], 1) == [0, 0]
