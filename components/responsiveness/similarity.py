"""Ways in which the items of a slate resemble item k: by cluster, degree, or place."""

from __future__ import annotations

import abc
import dataclasses
import functools
from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from components.responsiveness import clusters
from components.responsiveness.branches import Strings
from schema import reports

_CHUNK = 64
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
    source: Literal["catalogue", "log", "judge"]
    """What it was made from: `judge` is the log of users of whom nothing is learnt."""

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
            method=self.method,
            source=self.source,
            supported=self.reason is None,
            read_by_training=self.source != "judge",
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


class ItemSpace(Protocol):
    """Tells how much any two items are alike, in degrees."""

    @property
    def item_id(self) -> tuple[bytes, ...]:
        """[items], sorted."""

    def pairs(
        self, row: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the likeness of pairs of items, by their rows of `item_id`."""

    def rows(self, row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the likeness of items to all, [rows, items]."""


@dataclasses.dataclass(frozen=True)
class _SpaceSimilarity(Similarity):
    """Compares by a space of items; one that it lacks resembles nothing."""

    space: ItemSpace | None
    missing: str | None
    """The reason where nothing can be compared."""

    @property
    def reason(self) -> str | None:
        """Why it can compare nothing; None: it can."""
        return "nothing to compare" if self.space is None else self.missing

    def likeness(self, slates: Strings, item_id: Strings) -> NDArray[np.float64]:
        """Returns how much each shown item resembles item k."""
        found = np.zeros(slates.shape)
        if self.space is None:
            return found
        row = np.broadcast_to(coded(item_id, self._row)[:, None], slates.shape)
        shown = coded(slates, self._row)
        known = (row >= 0) & (shown >= 0)
        if known.any():
            found[known] = self._of_pairs(self.space, row[known], shown[known])
        return found

    @functools.cached_property
    def _row(self) -> dict[bytes, int]:
        items = () if self.space is None else self.space.item_id
        return {item: row for row, item in enumerate(items)}

    @abc.abstractmethod
    def _of_pairs(
        self, space: ItemSpace, row: NDArray[np.int64], shown: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns how much each item shown resembles its item k, [pairs] in [0, 1]."""


@dataclasses.dataclass(frozen=True)
class GradedSimilarity(_SpaceSimilarity):
    """Items are alike to the degree that a space says."""

    def _of_pairs(
        self, space: ItemSpace, row: NDArray[np.int64], shown: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        return np.clip(space.pairs(row, shown), 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class NeighbourSimilarity(_SpaceSimilarity):
    """The `count` nearest items of a space are alike to item k, the others are not."""

    count: int
    _nearest: dict[int, float] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )
    """Row of an item to the likeness of its last neighbour; filled when asked for."""

    def _of_pairs(
        self, space: ItemSpace, row: NDArray[np.int64], shown: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        self._find_nearest(space, row)
        last = np.array([self._nearest[r] for r in row.tolist()])
        likeness = space.pairs(row, shown)
        # What shares nothing is no neighbour, however few there are.
        near = (likeness >= last - _ROUNDING) & (likeness != 0.0) & (row != shown)
        return np.where(near, 1.0, 0.0)

    def _find_nearest(self, space: ItemSpace, row: NDArray[np.int64]) -> None:
        """Looks up the likeness of each item to its last neighbour."""
        missing = [r for r in np.unique(row).tolist() if r not in self._nearest]
        for start in range(0, len(missing), _CHUNK):
            rows = np.array(missing[start : start + _CHUNK], np.int64)
            likeness = space.rows(rows)
            likeness[np.arange(len(rows)), rows] = -np.inf  # item k is not its own
            place = max(likeness.shape[1] - self.count, 0)
            last = np.partition(likeness, place, axis=1)[:, place]
            self._nearest.update(zip(rows.tolist(), last.tolist(), strict=True))
