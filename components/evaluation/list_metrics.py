"""Statistics of the served lists themselves: popularity bias, diversity, coverage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components import bootstrap
from schema import reports

_CHUNK = 256
_MOST_DIVERSE_K = 20
"""Diversity is that of a list that one person looks at, and costs its square."""


def popularity_quantile(count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns which share of the items is less popular, equal ones by half.

    Args:
      count: [num_items] training labels of each item.

    Example:
      >>> popularity_quantile(np.array([5, 1, 1, 9]))
      array([0.625, 0.25 , 0.25 , 0.875])
    """
    if not len(count):
        return np.zeros(0)
    _, group, size = np.unique(count, return_inverse=True, return_counts=True)
    below = np.concatenate([[0], np.cumsum(size)[:-1]])
    return np.asarray(((below + size / 2.0) / len(count))[group])


def mean_over_list(
    value: NDArray[np.float64], lists: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Returns the mean value of each list's items, NaN for an empty list.

    Args:
      value: [num_items].
      lists: [n, length] items, -1 pads.
    """
    present = lists >= 0
    total = np.where(present, value[np.maximum(lists, 0)], 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / present.sum(axis=1))


def diversity_cutoffs(cutoffs: Sequence[int]) -> tuple[int, ...]:
    """Returns at which K diversity is measured."""
    short = tuple(k for k in cutoffs if k <= _MOST_DIVERSE_K)
    return short or (min(cutoffs),)


def category_table(
    categories: Sequence[Sequence[bytes]], max_categories: int = 8
) -> NDArray[np.int32]:
    """Returns the categories of each item as numbers, [num_items, width].

    Args:
      categories: names, item by item.
      max_categories: further ones of an item are left out, as in the model.
    """
    names = sorted({name for item in categories for name in item})
    number = {name: i for i, name in enumerate(names)}
    table = np.full((len(categories), max_categories), -1, np.int32)
    for row, item in enumerate(categories):
        kept = sorted({number[name] for name in item})[:max_categories]
        table[row, : len(kept)] = kept
    width = max(1, int((table >= 0).sum(axis=1).max(initial=0)))
    return table[:, :width]


def diversity(
    lists: NDArray[np.int32], category: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Returns 1 minus the mean similarity of the pairs in each list.

    Similarity is the Jaccard index of the two category sets; pairs with an item that
    has no category do not count (Ziegler et al., WWW 2005: intra-list similarity).

    Args:
      lists: [n, k] items, -1 pads.
      category: [num_items, width], -1 pads.

    Returns:
      [n] in [0, 1]; NaN where no pair counts.
    """
    result = np.full(len(lists), np.nan)
    if not len(category):
        return result
    first, second = np.triu_indices(lists.shape[1], k=1)
    for start in range(0, len(lists), _CHUNK):
        part = lists[start : start + _CHUNK]
        own = np.where((part >= 0)[..., None], category[np.maximum(part, 0)], -1)
        size = (own >= 0).sum(axis=2)
        one, other = own[:, first], own[:, second]
        same = (one[..., :, None] == other[..., None, :]) & (one[..., :, None] >= 0)
        shared = same.any(axis=3).sum(axis=2)
        union = size[:, first] + size[:, second] - shared
        counts = (size[:, first] > 0) & (size[:, second] > 0)
        similar = np.where(counts, shared / np.maximum(union, 1), 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            result[start : start + len(part)] = 1.0 - similar / counts.sum(axis=1)
    return result


def coverage(
    top: NDArray[np.int32], k: int, num_candidates: int, seed: int, samples: int = 200
) -> reports.Interval:
    """Returns the share of candidates that appear in some list's first k.

    A resample holds fewer distinct requests than the data and so covers less; the
    interval is therefore the spread of the resamples laid round the value itself.

    Args:
      top: [num_requests, at least k] items, -1 pads.
      k: cut-off.
      num_candidates: size of the catalogue.
      seed: of the resamples.
      samples: number of resamples of requests.
    """
    lists = top[:, :k]
    if not lists.size:
        return reports.Interval(value=None, low=None, high=None, count=len(top))
    items, index = np.unique(lists, return_inverse=True)
    index = index.reshape(lists.shape).astype(np.int32)
    real = items >= 0
    value = real.sum() / num_candidates
    rng = np.random.default_rng(seed)
    shares = np.empty(samples)
    for sample in range(samples):
        # A request that is drawn twice covers no more: each distinct one once.
        drawn = np.zeros(len(lists), bool)
        drawn[rng.integers(len(lists), size=len(lists))] = True
        seen = np.zeros(len(items), bool)
        seen[index[drawn].ravel()] = True
        shares[sample] = (seen & real).sum() / num_candidates
    low, high = value + np.quantile(shares, [0.025, 0.975]) - shares.mean()
    return reports.Interval(
        value=float(value),
        low=min(float(max(low, 0.0)), float(value)),
        high=max(float(min(high, 1.0)), float(value)),
        count=len(top),
    )


def of_lists(
    top: NDArray[np.int32],
    history: NDArray[np.int32],
    quantile: NDArray[np.float64],
    category: NDArray[np.int32],
    cutoffs: Sequence[int],
) -> dict[str, bootstrap.Mean]:
    """Returns popularity and diversity of the served lists, as means over requests.

    Args:
      top: [num_requests, length] items, -1 pads.
      history: [num_requests, longest] items before each request, -1 pads.
      quantile: [num_items] popularity quantile of each item.
      category: [num_items, width], -1 pads.
      cutoffs: K of the metrics.

    Returns:
      `popularity@K`: mean popularity quantile of what is served; `popularity_lift@K`:
      that minus the mean quantile of the user's own history; `diversity@K`.
    """
    met = mean_over_list(quantile, history)
    found: dict[str, bootstrap.Mean] = {}
    for k in cutoffs:
        served = mean_over_list(quantile, top[:, :k])
        found[f"popularity@{k}"] = _over_finite(served)
        found[f"popularity_lift@{k}"] = _over_finite(served - met)
    for k in diversity_cutoffs(cutoffs):
        found[f"diversity@{k}"] = _over_finite(diversity(top[:, :k], category))
    return found


def _over_finite(statistic: NDArray[np.float64]) -> bootstrap.Mean:
    return bootstrap.Mean(statistic, np.isfinite(statistic))
