"""What "similar" means: content, creator and co-occurrence clusters.

The co-occurrence space comes from who met which items together in the training split.
No loss ever sees it, so a model cannot win by training on its judge.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import scipy.cluster.vq
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from components.responsiveness.branches import Strings

Clusters = Mapping[bytes, int]
"""Item id to cluster; an item without one is missing."""

_DIMENSIONS = 32


@dataclasses.dataclass(frozen=True)
class Space:
    """A fixed reference space of items."""

    item_id: tuple[bytes, ...]
    """[items], sorted."""
    direction: NDArray[np.float64]
    """[items, dimensions], rows of length 1 (0 where an item has none)."""

    def pairs(
        self, row: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the cosine of pairs of items, [pairs]."""
        cosine: NDArray[np.float64] = np.einsum(
            "nd,nd->n", self.direction[row], self.direction[other]
        )
        return cosine

    def rows(self, row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the cosine of items to all items, [rows, items]."""
        cosine: NDArray[np.float64] = self.direction[row] @ self.direction.T
        return cosine


def compares_anything(cluster: Clusters) -> bool:
    """Returns whether some cluster holds two items: else nothing can resemble."""
    return len(set(cluster.values())) < len(cluster)


def of_equal(keys: Mapping[bytes, Hashable]) -> dict[bytes, int]:
    """Returns the clusters of items with equal keys.

    Args:
      keys: item id to its key; an item with an empty one gets no cluster.
    """
    ids: dict[Hashable, int] = {}
    return {
        item: ids.setdefault(keys[item], len(ids))
        for item in sorted(keys)
        if keys[item]
    }


def members(cluster: Clusters) -> dict[bytes, Strings]:
    """Returns all items of each item's cluster, itself included, sorted."""
    found: dict[int, list[bytes]] = {}
    for item in sorted(cluster):
        found.setdefault(cluster[item], []).append(item)
    arrays = {number: np.array(items, object) for number, items in found.items()}
    return {item: arrays[number] for item, number in cluster.items()}


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
