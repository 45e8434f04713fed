"""Statistics of one target's ranking; a metric is a mean of them.

Every target has one relevant item, so recall@K is a hit, NDCG@K a discounted one, and
the ideal DCG is 1. A target that was not served within the list counts 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def target_rank(
    top_item_ids: NDArray[Any], target_item_id: NDArray[Any]
) -> NDArray[np.int64]:
    """Returns the 0-based position of each target in its list.

    Args:
      top_item_ids: [num_targets, length] items in served order, in any form that
        compares; what pads must not be a target.
      target_item_id: [num_targets], the same form.

    Returns:
      [num_targets] int64; `length` where the target is missing.
    """
    found = top_item_ids == target_item_id[:, None]
    return np.where(found.any(axis=1), found.argmax(axis=1), top_item_ids.shape[1])


def hit(rank: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns 1 where the target is among the first k, else 0."""
    return (rank < k).astype(np.float64)


def discounted_hit(rank: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns 1 / log2(rank + 2) where the target is among the first k, else 0."""
    return np.where(rank < k, 1.0 / np.log2(rank + 2.0), 0.0)


def reciprocal_rank(rank: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Returns 1 / (rank + 1) where the target is in the list, else 0."""
    return np.where(rank < length, 1.0 / (rank + 1.0), 0.0)


def overlap(
    top: NDArray[np.int32], exact: NDArray[np.int32], k: int
) -> NDArray[np.float64]:
    """Returns which share of the exact first k the served first k holds.

    Args:
      top: [num_requests, at least k] int32 items, -1 pads.
      exact: the same from exact search.
      k: cut-off.

    Returns:
      [num_requests] float64; 1 where exact search finds nothing either.
    """
    shares = np.ones(len(top))
    for row, (served, wanted) in enumerate(zip(top[:, :k], exact[:, :k], strict=True)):
        wanted = wanted[wanted >= 0]
        if len(wanted):
            shares[row] = np.isin(wanted, served).mean()
    return shares


def ideal_gain(num_relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns the DCG@k of a list that begins with all relevant items, float64.

    Args:
      num_relevant: [n] int64, at least 1.
      k: cut-off.
    """
    gains = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    return np.asarray(gains[np.minimum(num_relevant, k)])
