"""How far the categories of two items agree: a Jaccard index weighted by rarity.

    weight(c) = log(1 + items / items of c)
    likeness(i, j) = weights of the categories of both / weights of those of either

A category that most items have says little; identical sets have likeness 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from components import audience


@dataclasses.dataclass(frozen=True, eq=False)
class CategoryOverlap:
    """The categories of items that have some."""

    item_id: tuple[bytes, ...]
    """[items], sorted."""
    weight: scipy.sparse.csr_matrix
    """[items, categories] float64, the weight of each category that an item has."""

    @property
    def compares_anything(self) -> bool:
        """Whether two items share a category."""
        return bool((np.bincount(self.weight.indices) > 1).any())

    def pairs(
        self, row: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the likeness of pairs of items, [pairs] in [0, 1].

        Args:
          row: [pairs] of `item_id`.
          other: [pairs] of `item_id`.
        """
        both = audience.paired_sums(self.weight.sqrt(), row, other)
        total = self._totals()
        return _ratio(both, total[row] + total[other])

    def rows(self, row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the likeness of items to all items, [rows, items] in [0, 1]."""
        root = self.weight.sqrt()
        both = (root[row] @ root.T).toarray()
        total = self._totals()
        return _ratio(both, total[row, None] + total[None, :])

    def _totals(self) -> NDArray[np.float64]:
        return np.asarray(self.weight.sum(axis=1)).ravel()


def _ratio(
    both: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = both / (total - both)
    return ratio


def of(categories: Mapping[bytes, Sequence[bytes]]) -> CategoryOverlap:
    """Returns the overlap of a catalogue's categories.

    Args:
      categories: of each item; order and repeats mean nothing.
    """
    sets = {item: sorted({*names}) for item, names in sorted(categories.items())}
    sets = {item: names for item, names in sets.items() if names}
    column = {
        name: number
        for number, name in enumerate(
            sorted({n for found in sets.values() for n in found})
        )
    }
    codes = [column[name] for names in sets.values() for name in names]
    number = np.bincount(codes, minlength=len(column))
    weight = np.log1p(len(sets) / np.maximum(number, 1))
    begin = np.cumsum([0, *map(len, sets.values())])
    matrix = scipy.sparse.csr_matrix(
        (weight[codes], codes, begin), shape=(len(sets), len(column))
    )
    return CategoryOverlap(tuple(sets), matrix)
