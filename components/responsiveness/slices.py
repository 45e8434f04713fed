"""Kinds of simulations that responsiveness is measured for apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.branches import Branches
from components.responsiveness.similarity import ClusterSimilarity, Similarity, coded


def masks(
    branches: Branches,
    user_count: Mapping[bytes, int],
    item_count: Mapping[bytes, int],
    by: Similarity | None,
    label: Mapping[bytes, str],
    num_clusters: int,
) -> dict[str, NDArray[np.bool_]]:
    """Returns the slices: name to [simulations].

    Args:
      branches: users and item k.
      user_count: training labels of each user, the activity.
      item_count: training labels of each item.
      by: whose clusters get a slice each; None, or one without clusters: none.
      label: item to the name of its cluster.
      num_clusters: the most frequent ones.
    """
    activity = coded(branches.user_id, user_count, missing=0)
    low, high = np.quantile(activity, [1 / 3, 2 / 3])
    count = coded(branches.item_id, item_count, missing=0)
    ordered = np.sort(np.array(list(item_count.values()), np.int64))[::-1]
    # The head is the smallest set of items that holds half of the training labels.
    half = int(np.searchsorted(np.cumsum(ordered), ordered.sum() / 2.0))
    head = max(1, int(ordered[min(half, len(ordered) - 1)])) if len(ordered) else 1
    found = {
        "activity:low": activity <= low,
        "activity:middle": (activity > low) & (activity <= high),
        "activity:high": activity > high,
        "item:head": count >= head,
        "item:tail": (count > 0) & (count < head),
        "item:cold": count == 0,
    }
    if isinstance(by, ClusterSimilarity):
        cluster = coded(branches.item_id, by.cluster)
        frequency = Counter(cluster[cluster >= 0].tolist())
        ranked = sorted(frequency, key=lambda c: (-frequency[c], c))
        for number in ranked[:num_clusters]:
            member = branches.item_id[int(np.argmax(cluster == number))]
            found[f"cluster:{label.get(member) or number}"] = cluster == number
    return found
