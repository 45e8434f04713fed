"""Trained towers over a newer catalogue, without training.

The weights stay; what changes is the candidate table. A new item gets the embedding of
its creator and categories, as an item that training knew only from the catalogue does;
creators and categories that training never saw count as missing. A changed item moves.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.trainer import (
    candidates,
    feedback_signal,
    input_fn,
    model,
    signatures,
)
from components.trainer import config as trainer_config
from schema import errors, features

_RAW_SPEC = {
    features.ITEM_ID: tf.io.FixedLenFeature([], tf.string),
    features.CREATOR_ID: tf.io.VarLenFeature(tf.string),
    features.CATEGORIES: tf.io.VarLenFeature(tf.string),
}
_WEIGHT = "two_tower/candidate_tower/{}/.ATTRIBUTES/VARIABLE_VALUE"


@dataclasses.dataclass(frozen=True)
class _TableOfTrainedSizes(candidates.CandidateTable):
    """A table that may lack the highest creators and categories of the training."""

    sizes: tuple[int, int] = (1, 1)

    @property
    def num_creators(self) -> int:
        """Size of the trained creator embedding."""
        return self.sizes[0]

    @property
    def num_categories(self) -> int:
        """Size of the trained category embedding."""
        return self.sizes[1]


def refreshed_towers(
    towers_dir: str,
    catalog_files: Sequence[str],
    catalog_transform: tft.TFTransformOutput,
    event_transform: tft.TFTransformOutput,
    config: trainer_config.TrainerConfig,
) -> signatures.Towers:
    """Returns the trained towers with the candidates of a newer catalogue.

    Args:
      towers_dir: the Trainer's SavedModel.
      catalog_files: raw examples of the newer catalogue.
      catalog_transform: of the training run; its vocabularies are those of the weights.
      event_transform: of the training run.
      config: what the towers were trained with.

    Raises:
      InputError: the weights are not those of this configuration and code.
    """
    variables = os.path.join(towers_dir, "variables", "variables")
    shapes = tf.train.load_checkpoint(variables).get_variable_to_shape_map()
    try:
        id_size, *sizes = (
            shapes[_WEIGHT.format(f"{name}_embedding")][0]
            for name in ("id", "creator", "category")
        )
    except KeyError as error:
        raise errors.InputError(_cannot(towers_dir, f"it has no {error}")) from error
    table = _read_table(
        catalog_files,
        catalog_transform,
        event_transform,
        config.model.max_categories,
        (sizes[0], sizes[1]),
    )
    if table.num_trained + 1 != id_size:
        raise errors.InputError(
            _cannot(
                towers_dir,
                f"its weights are of {id_size - 1} items, the vocabulary of "
                f"{table.num_trained}",
            )
        )
    two_tower = model.TwoTowerModel(
        table,
        feedback_signal.FeedbackSignal(
            config.feedback,
            config.model.negative_signal,
            config.control_action,
            config.control_value,
        ),
        config.model,
        config.train,
        config.history.max_length,
    )
    towers = signatures.Towers(
        two_tower, event_transform, table, config.history.max_length
    )
    # Weights exist only after a first call.
    nothing = tf.zeros((1, 1), tf.string)
    time, value = tf.zeros((1, 1), tf.int64), tf.fill((1, 1), float("nan"))
    towers.embed_query(nothing, nothing, time, value)
    checkpoint = tf.train.Checkpoint(two_tower=two_tower)
    # The optimiser's state is not needed; all of the model's is.
    status = checkpoint.read(variables).expect_partial()
    try:
        status.assert_existing_objects_matched()
    except AssertionError as error:
        raise errors.InputError(
            _cannot(towers_dir, "the model's code has changed since")
        ) from error
    towers.candidate_embedding.assign(two_tower.candidate_tower.embed_all())
    return towers


def _cannot(towers_dir: str, reason: str) -> str:
    return (
        f"the towers in {towers_dir} cannot take a newer catalogue: {reason}; train "
        "again with `heed run`"
    )


def _read_table(
    catalog_files: Sequence[str],
    catalog_transform: tft.TFTransformOutput,
    event_transform: tft.TFTransformOutput,
    max_categories: int,
    sizes: tuple[int, int],
) -> _TableOfTrainedSizes:
    """Returns the candidate table, transformed by the graph of the training run."""
    transform = catalog_transform.transform_features_layer()
    item_ids: list[bytes] = []
    creators: list[int] = []
    categories: list[list[int]] = []
    records = tf.data.TFRecordDataset(sorted(catalog_files), compression_type="GZIP")
    for serialized in records.batch(10_000):
        found = transform(tf.io.parse_example(serialized, _RAW_SPEC))
        item_ids += found[features.ITEM_ID].numpy().tolist()
        creator = tf.sparse.to_dense(found[features.CREATOR_INDEX]).numpy()
        creators += creator.max(axis=1, initial=0).tolist()
        rows = tf.RaggedTensor.from_sparse(found[features.CATEGORY_INDEX])
        categories += [[c for c in row if 0 < c < sizes[1]] for row in rows.to_list()]
    vocabulary = event_transform.vocabulary_by_name(features.ITEM_VOCABULARY)
    table = candidates.build_candidate_table(
        [item for item in vocabulary if item],
        input_fn.read_item_counts(event_transform),
        item_ids,
        np.where(np.array(creators, np.int64) < sizes[0], creators, 0).tolist(),
        categories,
        max_categories,
    )
    columns = {f.name: getattr(table, f.name) for f in dataclasses.fields(table)}
    return _TableOfTrainedSizes(**columns, sizes=sizes)
