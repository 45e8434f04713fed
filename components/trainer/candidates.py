"""The candidate table: every item that can be recommended, with its features.

Rows 0 .. num_trained - 1 are the items of the training vocabulary in its order, the
rest are catalogue items never seen in training, sorted by id. The table is built once
by the Trainer and stored inside the SavedModel, so that a request carries item ids
only and a served model never meets features other than those it was checked with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class CandidateTable:
    """Aligned columns; one row a candidate."""

    item_id: np.ndarray
    """[num_candidates] object (bytes)."""
    num_trained: int
    """Rows below it have an id embedding of their own."""
    count: np.ndarray
    """[num_candidates] int64, labels of the training split."""
    creator_index: np.ndarray
    """[num_candidates] int32; 0: none."""
    category_index: np.ndarray
    """[num_candidates, max_categories] int32; 0 pads."""
    category_set: np.ndarray
    """[num_candidates] int32 id of the identical category set; 0: no category."""

    def __len__(self) -> int:
        return len(self.item_id)

    @property
    def num_creators(self) -> int:
        """Size of the creator embedding, index 0 included."""
        return int(self.creator_index.max(initial=0)) + 1

    @property
    def num_categories(self) -> int:
        """Size of the category embedding, index 0 included."""
        return int(self.category_index.max(initial=0)) + 1


def build_candidate_table(
    vocabulary: Sequence[bytes],
    counts: Mapping[bytes, int],
    catalog_item_id: Sequence[bytes],
    catalog_creator: Sequence[int],
    catalog_categories: Sequence[Sequence[int]],
    max_categories: int,
) -> CandidateTable:
    """Returns the table of vocabulary and catalogue items together.

    An item of the log that the catalogue lacks stays a candidate without features.

    Args:
      vocabulary: item ids of the training labels, most frequent first.
      counts: training labels of each item id.
      catalog_item_id: distinct item ids.
      catalog_creator: creator index of each catalogue item; 0: none.
      catalog_categories: category indices of each catalogue item.
      max_categories: categories kept of one item.

    Raises:
      ValueError: there is no candidate at all.
    """
    known = set(vocabulary)
    unseen = sorted(item for item in catalog_item_id if item not in known)
    item_ids = [*vocabulary, *unseen]
    if not item_ids:
        raise ValueError("no candidate: neither training labels nor catalogue items")
    row_of = {item: row for row, item in enumerate(item_ids)}

    creator_index = np.zeros(len(item_ids), np.int32)
    category_index = np.zeros((len(item_ids), max_categories), np.int32)
    category_set = np.zeros(len(item_ids), np.int32)
    set_ids: dict[tuple[int, ...], int] = {}
    for item, creator, categories in zip(
        catalog_item_id, catalog_creator, catalog_categories, strict=True
    ):
        row = row_of[item]
        creator_index[row] = creator
        key = tuple(sorted(set(categories)))
        if key:
            category_set[row] = set_ids.setdefault(key, len(set_ids) + 1)
            kept = key[:max_categories]
            category_index[row, : len(kept)] = kept
    return CandidateTable(
        item_id=np.array(item_ids, dtype=object),
        num_trained=len(vocabulary),
        count=np.array([counts.get(item, 0) for item in item_ids], np.int64),
        creator_index=creator_index,
        category_index=category_index,
        category_set=category_set,
    )


def similar_set_key(table: CandidateTable) -> np.ndarray:
    """Returns what makes two candidates similar: creator and category set.

    Returns:
      [num_candidates, 2] int32; column 0 the creator, column 1 the category set; -1
      where there is none, which resembles nothing.
    """
    key = np.stack([table.creator_index, table.category_set], axis=1).astype(np.int32)
    return np.where(key == 0, -1, key)
