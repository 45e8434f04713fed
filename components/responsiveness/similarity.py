"""The similarities that responsiveness is measured by, each with its stated method.

`content` and `creator` come from the catalogue, `cooccurrence` and `neighbours` from
the training log. Where the catalogue has no categories, `content` takes the
co-occurrence clusters, which is how clusters of items without categories are commonly
made; its method says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from components.responsiveness import clusters
from schema import settings
from serving.bundle import catalog

CATALOGUE, LOG = "catalogue", "log"
_CHUNK = 256
"""Items whose neighbours are looked up at once."""
_ROUNDING = 1e-9
"""One cosine computed in two ways differs in its last bits."""


class Similarity(Protocol):
    """Tells which items of a slate resemble item k."""

    @property
    def name(self) -> str:
        """The first half of the report's keys."""
        ...

    @property
    def method(self) -> str:
        """How it was made, in words."""
        ...

    @property
    def source(self) -> str:
        """`catalogue` or `log`: what it was made from."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it can compare nothing; None: it can."""
        ...

    def similar(self, slates: np.ndarray, branch_item_id: np.ndarray) -> np.ndarray:
        """Returns which shown items resemble item k.

        Args:
          slates: [simulations, slate_size] object (bytes), b"" pads.
          branch_item_id: [simulations] object (bytes).

        Returns:
          [simulations, slate_size] bool; False for pads.
        """
        ...


def share(
    similarity: Similarity, slates: np.ndarray, branch_item_id: np.ndarray
) -> np.ndarray:
    """Returns the similar share of each slate, [simulations] float64 in [0, 1]."""
    same = similarity.similar(slates, branch_item_id)
    return same.sum(axis=1) / np.maximum((slates != b"").sum(axis=1), 1)


def coded(
    item_id: np.ndarray, code: Mapping[bytes, int], missing: int = -1
) -> np.ndarray:
    """Returns a code for each item, the input's shape, int64."""
    names, index = np.unique(item_id.astype(bytes), return_inverse=True)
    # Numpy strips trailing zero bytes only; ids are text, which has none.
    of_name = np.array([code.get(name, missing) for name in names.tolist()], np.int64)
    return of_name[index.reshape(item_id.shape)] if len(names) else index


@dataclasses.dataclass(frozen=True)
class ClusterSimilarity:
    """Items of the same cluster resemble each other; one without resembles nothing."""

    name: str
    method: str
    source: str
    cluster: clusters.Clusters
    missing: str
    """The reason where nothing can be compared."""

    @property
    def reason(self) -> str | None:
        """Why it can compare nothing; None: it can."""
        return None if clusters.compares_anything(self.cluster) else self.missing

    def similar(self, slates: np.ndarray, branch_item_id: np.ndarray) -> np.ndarray:
        """Returns which shown items lie in the cluster of item k."""
        wanted = coded(branch_item_id, self.cluster)
        found = coded(slates, self.cluster)
        return (found == wanted[:, None]) & (wanted[:, None] >= 0)


@dataclasses.dataclass(frozen=True)
class NeighbourSimilarity:
    """The `count` nearest items of a fixed reference space resemble item k."""

    name: str
    method: str
    source: str
    space: clusters.Space | None
    count: int
    _nearest: dict[int, float] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )
    """Row of an item to the cosine of its last neighbour; filled when asked for."""

    @property
    def reason(self) -> str | None:
        """Why it can compare nothing; None: it can."""
        if self.space is None or len(self.space.item_id) <= self.count:
            return (
                f"fewer than `responsiveness.neighbours` = {self.count} further items "
                "were met in training"
            )
        return None

    def similar(self, slates: np.ndarray, branch_item_id: np.ndarray) -> np.ndarray:
        """Returns which shown items are among the nearest of item k."""
        if self.space is None:
            return np.zeros(slates.shape, bool)
        code = {item: row for row, item in enumerate(self.space.item_id)}
        branch, shown = coded(branch_item_id, code), coded(slates, code)
        last = self._last_cosine(branch, self.space.direction)
        cosine = np.einsum(
            "nd,nsd->ns", self.space.direction[branch], self.space.direction[shown]
        )
        known = (branch >= 0)[:, None] & (shown >= 0) & (shown != branch[:, None])
        return known & (cosine >= last[:, None] - _ROUNDING)

    def _last_cosine(self, row: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Returns the cosine of each item to its last neighbour, [len(row)]."""
        missing = [r for r in np.unique(row).tolist() if r not in self._nearest]
        for start in range(0, len(missing), _CHUNK):
            rows = missing[start : start + _CHUNK]
            cosine = direction[rows] @ direction.T
            cosine[np.arange(len(rows)), rows] = -np.inf  # item k is not its own
            last = np.partition(cosine, -self.count, axis=1)[:, -self.count]
            self._nearest.update(zip(rows, last.tolist(), strict=True))
        return np.array([self._nearest[r] for r in row.tolist()])


def of_catalog(
    items: Mapping[bytes, catalog.Item],
    pairs: Sequence[tuple[bytes, bytes]],
    policy: settings.ResponsivenessSettings,
) -> tuple[Similarity, ...]:
    """Returns the similarities of a catalogue and a training log.

    Args:
      items: the catalogue, by item id.
      pairs: (user_id, item_id) of the training split.
      policy: the section.
    """
    space = clusters.cooccurrence_space(pairs, policy.seed)
    together = clusters.space_clusters(space, policy.cooccurrence_clusters, policy.seed)
    too_few = "too few users or items to cluster what is met together"
    audience = (
        "k-means of the co-occurrence space of the training split (singular value "
        f"decomposition), seed {policy.seed}"
    )
    content = clusters.content_clusters(
        {item: entry.categories for item, entry in items.items()}
    )
    creator = clusters.creator_clusters(
        {item: entry.creator_id for item, entry in items.items()}
    )
    if content:
        by_content = ClusterSimilarity(
            "content",
            "identical category sets of the catalogue",
            CATALOGUE,
            content,
            "no two items of the catalogue have the same categories",
        )
    else:
        by_content = ClusterSimilarity(
            "content", f"no categories in the catalogue: {audience}", LOG, together,
            f"no item of the catalogue has categories, and there are {too_few}",
        )  # fmt: skip
    return (
        by_content,
        ClusterSimilarity(
            "creator",
            "equal creators of the catalogue",
            CATALOGUE,
            creator,
            "no two items of the catalogue have the same creator",
        ),
        ClusterSimilarity("cooccurrence", audience, LOG, together, too_few),
        NeighbourSimilarity(
            "neighbours",
            f"the {policy.neighbours} nearest items by cosine in the co-occurrence "
            "space of the training split",
            LOG,
            space,
            policy.neighbours,
        ),
    )
