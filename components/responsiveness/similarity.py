"""The similarities that responsiveness is measured by, each with its stated method.

`content` and `creator` come from the catalogue, `cooccurrence` and `neighbours` from
the training log. Where the catalogue has no categories, `content` takes the
co-occurrence clusters, which is how clusters of items without categories are commonly
made; its method says so.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.responsiveness import clusters
from components.responsiveness.branches import Strings
from schema import reports, settings
from serving.bundle import catalog

_CHUNK = 256
"""Items whose neighbours are looked up at once."""
_ROUNDING = 1e-9
"""One cosine computed in two ways differs in its last bits."""


@dataclasses.dataclass(frozen=True)
class Similarity(abc.ABC):
    """Tells how much the items of a slate resemble item k."""

    name: str
    """The first half of the report's keys."""
    method: str
    """How it was made, in words."""
    source: Literal["catalogue", "log"]
    """What it was made from."""

    @property
    @abc.abstractmethod
    def reason(self) -> str | None:
        """Why it can compare nothing; None: it can."""

    @abc.abstractmethod
    def likeness(self, slates: Strings, item_id: Strings) -> NDArray[np.float64]:
        """Returns how much each shown item resembles item k.

        Args:
          slates: [simulations, slate_size] bytes, b"" pads.
          item_id: [simulations] bytes: item k.

        Returns:
          [simulations, slate_size] in [0, 1]; 0 for pads.
        """

    def share(self, slates: Strings, item_id: Strings) -> NDArray[np.float64]:
        """Returns the mean likeness of each slate, [simulations] in [0, 1]."""
        shown = np.maximum((slates != b"").sum(axis=1), 1)
        mean: NDArray[np.float64] = self.likeness(slates, item_id).sum(axis=1) / shown
        return mean

    def described(self) -> reports.Similarity:
        """Returns what a reader is told of it."""
        return reports.Similarity(
            method=self.method, source=self.source, supported=self.reason is None
        )


def coded(
    item_id: Strings, code: Mapping[bytes, int], missing: int = -1
) -> NDArray[np.int64]:
    """Returns a code for each item, the input's shape."""
    names, index = np.unique(item_id.astype(bytes), return_inverse=True)
    # Numpy strips trailing zero bytes only; ids are text, which has none.
    of_name = np.array([code.get(name, missing) for name in names.tolist()], np.int64)
    codes: NDArray[np.int64] = of_name[index.reshape(item_id.shape)]
    return codes


@dataclasses.dataclass(frozen=True)
class ClusterSimilarity(Similarity):
    """Items of the same cluster are alike; one without resembles nothing."""

    cluster: clusters.Clusters
    missing: str
    """The reason where nothing can be compared."""

    @property
    def reason(self) -> str | None:
        """Why it can compare nothing; None: it can."""
        return None if clusters.compares_anything(self.cluster) else self.missing

    def likeness(self, slates: Strings, item_id: Strings) -> NDArray[np.float64]:
        """Returns 1 for what lies in the cluster of item k, else 0."""
        wanted = coded(item_id, self.cluster)[:, None]
        found = coded(slates, self.cluster)
        return np.where((found == wanted) & (wanted >= 0), 1.0, 0.0)


@dataclasses.dataclass(frozen=True)
class NeighbourSimilarity(Similarity):
    """The `count` nearest items of a fixed reference space are alike to item k."""

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

    def likeness(self, slates: Strings, item_id: Strings) -> NDArray[np.float64]:
        """Returns 1 for what is among the nearest of item k, else 0."""
        if self.space is None:
            return np.zeros(slates.shape)
        code = {item: row for row, item in enumerate(self.space.item_id)}
        row, shown = coded(item_id, code), coded(slates, code)
        last = self._last_cosine(row, self.space.direction)
        cosine = np.einsum(
            "nd,nsd->ns", self.space.direction[row], self.space.direction[shown]
        )
        known = (row >= 0)[:, None] & (shown >= 0) & (shown != row[:, None])
        near = cosine >= last[:, None] - _ROUNDING
        return np.where(known & near, 1.0, 0.0)

    def _last_cosine(
        self, row: NDArray[np.int64], direction: NDArray[np.float64]
    ) -> NDArray[np.float64]:
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
      items: of the catalogue.
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
    content = clusters.of_equal(
        {item: tuple(sorted({*entry.categories})) for item, entry in items.items()}
    )
    if content:
        by_content = ClusterSimilarity(
            "content",
            "identical category sets of the catalogue",
            "catalogue",
            content,
            "no two items of the catalogue have the same categories",
        )
    else:
        by_content = ClusterSimilarity(
            "content", f"no categories in the catalogue: {audience}", "log", together,
            f"no item of the catalogue has categories, and there are {too_few}",
        )  # fmt: skip
    return (
        by_content,
        ClusterSimilarity(
            "creator",
            "equal creators of the catalogue",
            "catalogue",
            clusters.of_equal(
                {item: entry.creator_id for item, entry in items.items()}
            ),
            "no two items of the catalogue have the same creator",
        ),
        ClusterSimilarity("cooccurrence", audience, "log", together, too_few),
        NeighbourSimilarity(
            "neighbours",
            f"the {policy.neighbours} nearest items by cosine in the co-occurrence "
            "space of the training split",
            "log",
            space,
            policy.neighbours,
        ),
    )
