"""Trained towers over a newer catalogue, without training.

The weights stay; what changes is the candidate table. A new item gets the embedding of
its creator and categories, as an item that training knew only from the catalogue does;
creators and categories that training never saw count as missing. A changed item moves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from components.trainer import (
    candidates,
    feedback_signal,
    model,
    signatures,
)
from components.trainer import config as trainer_config
from schema import errors, features

_RAW_SPEC = {
    features.ITEM_ID: tf.io.FixedLenFeature([], tf.string),
    features.CREATOR_ID: tf.io.VarLenFeature(tf.string),
    features.CATEGORIES: tf.io.VarLenFeature(tf.string),
    features.ATTRIBUTES: tf.io.VarLenFeature(tf.string),
    features.TITLE: tf.io.VarLenFeature(tf.string),
}
_WEIGHT = "two_tower/candidate_tower/{}_embedding/.ATTRIBUTES/VARIABLE_VALUE"


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

    def size(name: str) -> int:
        # A feature that the tower does not read has no embedding.
        return int(shapes.get(_WEIGHT.format(name), [1])[0])

    id_weight = _WEIGHT.format("id")
    if id_weight not in shapes:
        raise errors.InputError(_cannot(towers_dir, f"it has no {id_weight}"))
    id_size = size("id")
    table = _read_table(
        catalog_files,
        catalog_transform,
        event_transform,
        config,
        candidates.Sizes(size("creator"), size("category"), size("attribute")),
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
        feedback_signal.FeedbackSignal.of(config),
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
    towers.embed_candidates()
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
    config: trainer_config.TrainerConfig,
    sizes: candidates.Sizes,
) -> candidates.CandidateTable:
    """Returns the candidate table, transformed by the graph of the training run."""
    transform = catalog_transform.transform_features_layer()
    records = tf.data.TFRecordDataset(sorted(catalog_files), compression_type="GZIP")
    columns = candidates.CatalogColumns()
    for serialized in records.batch(10_000):
        columns.append(transform(tf.io.parse_example(serialized, _RAW_SPEC)))
    return columns.table(event_transform, config.model, sizes)
