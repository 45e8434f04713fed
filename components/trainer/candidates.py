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
class Sizes:
    """Rows of the features' embeddings, index 0 included."""

    creators: int
    categories: int
    attributes: int


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
    attribute_index: np.ndarray
    """[num_candidates, max_categories] int32 declared features; 0 pads."""
    title_token: np.ndarray
    """[num_candidates, most words of a title, at most max_title_words] int64 hash of
    each word, plus 1; 0 pads."""

    sizes: Sizes
    """Of the embeddings that the indices point into."""

    def __len__(self) -> int:
        return len(self.item_id)


def build_candidate_table(
    vocabulary: Sequence[bytes],
    counts: Mapping[bytes, int],
    catalog_item_id: Sequence[bytes],
    catalog_creator: Sequence[int],
    catalog_categories: Sequence[Sequence[int]],
    max_categories: int,
    catalog_attributes: Sequence[Sequence[int]] | None = None,
    catalog_title_tokens: Sequence[Sequence[int]] | None = None,
    max_title_words: int = 1,
    sizes: Sizes | None = None,
) -> CandidateTable:
    """Returns the table of vocabulary and catalogue items together.

    An item of the log that the catalogue lacks stays a candidate without features.

    Args:
      vocabulary: item ids of the training labels, most frequent first.
      counts: training labels of each item id.
      catalog_item_id: distinct item ids.
      catalog_creator: creator index of each catalogue item; 0: none.
      catalog_categories: category indices of each catalogue item.
      max_categories: categories kept of one item, and declared features.
      catalog_attributes: indices of declared features of each item; None: none.
      catalog_title_tokens: word hashes of each catalogue item's title; None: none.
      max_title_words: words kept of one title.
      sizes: of embeddings that exist; None: as large as the indices need.

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
    attribute_index = np.zeros((len(item_ids), max_categories), np.int32)
    longest = max(map(len, catalog_title_tokens or [()]), default=0)
    # A catalogue without titles has no column: the table is a constant of the graph.
    title_token = np.zeros((len(item_ids), min(longest, max_title_words)), np.int64)
    # Numbered by what they hold, so that the catalogue's order does not matter.
    sets = sorted({tuple(sorted(set(held))) for held in catalog_categories} - {()})
    set_ids = {held: number for number, held in enumerate(sets, start=1)}
    nothing = [()] * len(catalog_item_id)
    for item, creator, categories, attributes, words in zip(
        catalog_item_id,
        catalog_creator,
        catalog_categories,
        catalog_attributes or nothing,
        catalog_title_tokens or nothing,
        strict=True,
    ):
        row = row_of[item]
        given = list(attributes)[:max_categories]
        attribute_index[row, : len(given)] = given
        tokens = np.array(list(words)[:max_title_words], np.int64) + 1
        title_token[row, : len(tokens)] = tokens
        creator_index[row] = creator
        key = tuple(sorted(set(categories)))
        if key:
            category_set[row] = set_ids[key]
            kept = key[:max_categories]
            category_index[row, : len(kept)] = kept
    return CandidateTable(
        item_id=np.array(item_ids, dtype=object),
        num_trained=len(vocabulary),
        count=np.array([counts.get(item, 0) for item in item_ids], np.int64),
        creator_index=creator_index,
        category_index=category_index,
        category_set=category_set,
        attribute_index=attribute_index,
        title_token=title_token,
        sizes=sizes
        or Sizes(
            *(
                int(index.max(initial=0)) + 1
                for index in (creator_index, category_index, attribute_index)
            )
        ),
    )


def similar_set_key(
    table: CandidateTable, sets: Sequence[str] = ("creator", "categories")
) -> np.ndarray:
    """Returns what makes two candidates similar: creator and category set.

    Args:
      table: the candidates.
      sets: which of `creator` and `categories` count.

    Returns:
      [num_candidates, 2] int32; column 0 the creator, column 1 the category set; -1
      where there is none, which resembles nothing.
    """
    key = np.stack([table.creator_index, table.category_set], axis=1).astype(np.int32)
    counts = np.array(["creator" in sets, "categories" in sets])
    return np.where((key == 0) | ~counts, -1, key)
