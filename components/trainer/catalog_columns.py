"""Columns of the transformed catalogue, gathered batch by batch into a table."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.trainer import candidates
from schema import features, settings


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
        sizes: candidates.Sizes | None = None,
    ) -> candidates.CandidateTable:
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
        return candidates.build_candidate_table(
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
) -> candidates.CandidateTable:
    """Returns the candidate table from transformed catalogue examples."""
    spec = catalog_transform.transformed_feature_spec()
    records = tf.data.TFRecordDataset(sorted(catalog_files), compression_type="GZIP")
    columns = CatalogColumns()
    for serialized in records.batch(10_000):
        columns.append(tf.io.parse_example(serialized, spec))
    return columns.table(event_transform, model)
