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
import tensorflow as tf
import tensorflow_transform as tft
from numpy.typing import NDArray

from schema import features, settings


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Rows of the features' embeddings, index 0 included."""

    creators: int
    categories: int
    attributes: int


@dataclasses.dataclass(frozen=True)
class CandidateTable:
    """Aligned columns; one row a candidate."""

    item_id: NDArray[np.object_]
    """[num_candidates] object (bytes)."""
    num_trained: int
    """Rows below it have an id embedding of their own."""
    count: NDArray[np.int64]
    """[num_candidates] int64, labels of the training split."""
    creator_index: NDArray[np.int32]
    """[num_candidates] int32; 0: none."""
    category_index: NDArray[np.int32]
    """[num_candidates, max_categories] int32; 0 pads."""
    attribute_index: NDArray[np.int32]
    """[num_candidates, max_categories] int32 declared features; 0 pads."""
    title_token: NDArray[np.int64]
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
    attribute_index = np.zeros((len(item_ids), max_categories), np.int32)
    longest = max(map(len, catalog_title_tokens or [()]), default=0)
    # A catalogue without titles has no column: the table is a constant of the graph.
    title_token = np.zeros((len(item_ids), min(longest, max_title_words)), np.int64)
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
        kept = sorted(set(categories))[:max_categories]
        category_index[row, : len(kept)] = kept
    return CandidateTable(
        item_id=np.array(item_ids, dtype=object),
        num_trained=len(vocabulary),
        count=np.array([counts.get(item, 0) for item in item_ids], np.int64),
        creator_index=creator_index,
        category_index=category_index,
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


class CatalogColumns:
    """What the candidate table needs of each catalogue item."""

    def __init__(self) -> None:
        """Starts without items."""
        self._item_ids: list[bytes] = []
        self._creators: list[int] = []
        self._lists: dict[str, list[list[int]]] = {
            features.CATEGORY_INDEX: [],
            features.ATTRIBUTE_INDEX: [],
            features.TITLE_TOKEN: [],
        }

    def append(self, found: dict[str, tf.Tensor]) -> None:
        """Adds a batch of what the catalogue's Transform returns."""
        self._item_ids += found[features.ITEM_ID].numpy().tolist()
        creator = tf.sparse.to_dense(found[features.CREATOR_INDEX]).numpy()
        self._creators += creator.max(axis=1, initial=0).tolist()
        for name, lists in self._lists.items():
            rows = tf.RaggedTensor.from_sparse(found[name]).to_list()
            # 0 is what the vocabularies do not know; a hash has no such value.
            is_hash = name == features.TITLE_TOKEN
            lists += rows if is_hash else [[v for v in row if v > 0] for row in rows]

    def table(
        self,
        event_transform: tft.TFTransformOutput,
        model: settings.ModelSettings,
        sizes: Sizes | None = None,
    ) -> CandidateTable:
        """Returns the candidates of the training vocabulary and the catalogue.

        Args:
          event_transform: of the events; holds vocabulary and counts.
          model: the limits of what is read of one item.
          sizes: of the embeddings that the table is for, whose further creators,
            categories and features count as missing; None: of the table itself.
        """
        creators, lists = np.array(self._creators, np.int64), self._lists
        if sizes is not None:
            creators = np.where(creators < sizes.creators, creators, 0)
            for name, size in (
                (features.CATEGORY_INDEX, sizes.categories),
                (features.ATTRIBUTE_INDEX, sizes.attributes),
            ):
                known = [[v for v in row if v < size] for row in lists[name]]
                lists = {**lists, name: known}
        vocabulary = event_transform.vocabulary_by_name(features.ITEM_VOCABULARY)
        return build_candidate_table(
            [item for item in vocabulary if item],
            read_item_counts(event_transform),
            self._item_ids,
            creators.tolist(),
            lists[features.CATEGORY_INDEX],
            model.max_categories,
            lists[features.ATTRIBUTE_INDEX],
            lists[features.TITLE_TOKEN],
            model.max_title_words,
            sizes,
        )


def read_item_counts(event_transform: tft.TFTransformOutput) -> dict[bytes, int]:
    """Returns the number of training labels of each item."""
    counts: dict[bytes, int] = {}
    path = event_transform.vocabulary_file_by_name(features.ITEM_COUNTS)
    with tf.io.gfile.GFile(path, "rb") as lines:
        for line in lines:
            count, item = line.rstrip(b"\n").split(b" ", 1)
            counts[item] = int(count)
    return counts


def read_candidate_table(
    catalog_files: list[str],
    catalog_transform: tft.TFTransformOutput,
    event_transform: tft.TFTransformOutput,
    model: settings.ModelSettings,
) -> CandidateTable:
    """Returns the candidate table from transformed catalogue examples."""
    spec = catalog_transform.transformed_feature_spec()
    records = tf.data.TFRecordDataset(sorted(catalog_files), compression_type="GZIP")
    columns = CatalogColumns()
    for serialized in records.batch(10_000):
        columns.append(tf.io.parse_example(serialized, spec))
    return columns.table(event_transform, model)
