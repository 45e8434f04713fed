"""What "similar" means: content, creator and co-occurrence clusters.

The co-occurrence space comes from who met which items together in the training split.
No loss ever sees it, so a model cannot win by training on its judge.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import scipy.cluster.vq
import scipy.sparse
import scipy.sparse.linalg

Clusters = Mapping[bytes, int]
"""Item id to cluster; an item without one is missing."""

_DIMENSIONS = 32


@dataclasses.dataclass(frozen=True)
class Space:
    """A fixed reference space of items."""

    item_id: tuple[bytes, ...]
    """[items], sorted."""
    direction: np.ndarray
    """[items, dimensions] float64, rows of length 1 (0 where an item has none)."""


def compares_anything(cluster: Clusters) -> bool:
    """Returns whether some cluster holds two items: else nothing can resemble."""
    return len(set(cluster.values())) < len(cluster)


def content_clusters(categories: Mapping[bytes, Sequence[bytes]]) -> dict[bytes, int]:
    """Returns the clusters of identical category sets.

    Args:
      categories: item id to its categories; items without any get no cluster.
    """
    ids: dict[tuple[bytes, ...], int] = {}
    clusters: dict[bytes, int] = {}
    for item in sorted(categories):
        key = tuple(sorted(set(categories[item])))
        if key:
            clusters[item] = ids.setdefault(key, len(ids))
    return clusters


def creator_clusters(creators: Mapping[bytes, bytes]) -> dict[bytes, int]:
    """Returns the clusters of equal creators."""
    ids: dict[bytes, int] = {}
    return {
        item: ids.setdefault(creators[item], len(ids))
        for item in sorted(creators)
        if creators[item]
    }


def cooccurrence_space(pairs: Sequence[tuple[bytes, bytes]], seed: int) -> Space | None:
    """Returns the directions of items that users met.

    The user-item matrix, each item scaled to unit length, is reduced to 32 dimensions
    by a singular value decomposition.

    Args:
      pairs: (user_id, item_id) of the training split; repeats count once.
      seed: of the start vector.

    Returns:
      The space; None where there are too few users or items to compare.
    """
    pairs = sorted(set(pairs))
    users, user = np.unique([p[0] for p in pairs], return_inverse=True)
    items, item = np.unique([p[1] for p in pairs], return_inverse=True)
    dimensions = min(_DIMENSIONS, len(users) - 1, len(items) - 1)
    if dimensions < 1:
        return None
    length = np.sqrt(np.bincount(item))
    matrix = scipy.sparse.csr_matrix(
        (1.0 / length[item], (item, user)), shape=(len(items), len(users))
    )
    rng = np.random.default_rng(seed)
    left, scale, _ = scipy.sparse.linalg.svds(
        matrix, k=dimensions, v0=rng.normal(size=min(matrix.shape))
    )
    points = left * scale
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    return Space(tuple(bytes(name) for name in items), points)


def space_clusters(
    space: Space | None, num_clusters: int, seed: int
) -> dict[bytes, int]:
    """Returns the k-means clusters of a space's directions.

    Args:
      space: None: no clusters.
      num_clusters: clusters asked for; fewer where there are fewer items.
      seed: of k-means.
    """
    if space is None:
        return {}
    wanted = min(num_clusters, len(space.item_id))
    _, label = scipy.cluster.vq.kmeans2(
        space.direction, wanted, minit="++", seed=seed, missing="warn"
    )
    return {name: int(c) for name, c in zip(space.item_id, label, strict=True)}


def cooccurrence_clusters(
    pairs: Sequence[tuple[bytes, bytes]], num_clusters: int, seed: int
) -> dict[bytes, int]:
    """Returns clusters of items that the same users met; see the two above."""
    return space_clusters(cooccurrence_space(pairs, seed), num_clusters, seed)
