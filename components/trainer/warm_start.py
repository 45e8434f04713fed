"""What a later training needs to start where this one ended.

Rows of an embedding belong to strings, and the vocabularies that number them are new
in every run: by count, with items that came and went. The record therefore holds the
strings beside the rows, and a row finds its place again by its string. What the base
model did not know starts as it was served: an item at the shared id embedding, a
creator or category at zero. Before its first step the new model thus embeds every
candidate as the base model would.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from numpy.typing import NDArray

from components.trainer import candidates, model
from components.trainer import config as trainer_config
from schema import errors, features

_MEANING = "meaning"
_EMBEDDING_OF = {
    "item": "id_embedding",
    "creator": "creator_embedding",
    "category": "category_embedding",
    "attribute": "attribute_embedding",
}
"""Kind of string to the name of its weight in a tower of candidates."""


@dataclasses.dataclass(frozen=True)
class Vocabularies:
    """The strings behind the embeddings; string i owns row i + 1."""

    item: Sequence[bytes]
    creator: Sequence[bytes]
    category: Sequence[bytes]
    attribute: Sequence[bytes]


def read_vocabularies(
    table: candidates.CandidateTable, catalog_transform: tft.TFTransformOutput
) -> Vocabularies:
    """Returns the strings behind the embeddings of `table`."""
    strings = catalog_transform.vocabulary_by_name
    sizes = table.sizes
    return Vocabularies(
        item=table.item_id[: table.num_trained].tolist(),
        creator=strings(features.CREATOR_VOCABULARY)[: sizes.creators - 1],
        category=strings(features.CATEGORY_VOCABULARY)[: sizes.categories - 1],
        attribute=strings(features.ATTRIBUTE_VOCABULARY)[: sizes.attributes - 1],
    )


def carry_rows(
    old: NDArray[np.float32],
    old_strings: Sequence[bytes],
    new_strings: Sequence[bytes],
    unknown: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Returns the rows of a new vocabulary, each where its string has gone.

    Args:
      old: [1 + num_old, dim] float32; row 0 belongs to no string.
      old_strings: [num_old].
      new_strings: [num_new].
      unknown: [dim] row of a string that is new.

    Returns:
      [1 + num_new, dim] float32.

    Example:
      >>> old = np.array([[9.0], [1.0], [2.0]])
      >>> carry_rows(old, [b"a", b"b"], [b"b", b"c"], np.array([0.0])).tolist()
      [[9.0], [2.0], [0.0]]
    """
    row_of = {string: row for row, string in enumerate(old_strings, start=1)}
    source = np.array([0] + [row_of.get(s, -1) for s in new_strings], np.int64)
    return np.where(source[:, None] >= 0, old[source], unknown).astype(np.float32)


def _meaning(config: trainer_config.TrainerConfig) -> dict[str, Any]:
    """Returns what gives weights of equal shape their meaning."""
    negative = config.feedback.negative_names()
    meaning: dict[str, Any] = {
        "model.query_tower": config.model.query_tower,
        "model.candidate_features": sorted(config.model.candidate_features),
        # Settings of earlier versions, in whose records they stand.
        "model.tied_embeddings": True,
        "model.normalize": False,
        "feedback.actions": [a for a in config.feedback.names() if a not in negative],
    }
    if config.model.query_tower == "transformer":
        meaning["model.num_heads"] = config.model.num_heads
    return meaning


def _candidate_weights(two_tower: model.TwoTowerModel) -> dict[str, tf.Variable]:
    return {_own_name(v): v for v in two_tower.candidate_tower.trainable_variables}


def _embeddings(two_tower: model.TwoTowerModel) -> dict[str, tuple[str, tf.Variable]]:
    """Returns the embeddings that vocabularies number: kind to name and weight."""
    weights = _candidate_weights(two_tower)
    return {
        kind: (f"candidate_tower/{name}", weights[name])
        for kind, name in _EMBEDDING_OF.items()
        if name in weights
    }


def _other_weights(two_tower: model.TwoTowerModel) -> dict[str, tf.Variable]:
    """Returns all other weights under names that are the same in every process."""
    weights = {
        f"candidate_tower/{name}": variable
        for name, variable in _candidate_weights(two_tower).items()
        if name not in _EMBEDDING_OF.values()
    }
    # Keras numbers the layers of a process: here the place is what identifies one.
    for place, variable in enumerate(two_tower.query_tower.trainable_variables):
        weights[f"query_tower/{place:03d}"] = variable
    return weights


def _term_weights(two_tower: model.TwoTowerModel) -> dict[str, tf.Variable]:
    """Returns the weights of a term of the loss that a configuration may leave out."""
    layer = two_tower.consumption_query
    if layer is None:
        return {}
    return {f"{layer.name}/{_own_name(v)}": v for v in layer.trainable_variables}


def _own_name(variable: tf.Variable) -> str:
    return str(variable.name.split(":")[0].split("/")[-1])


def write(
    path: str,
    two_tower: model.TwoTowerModel,
    vocabularies: Vocabularies,
    config: trainer_config.TrainerConfig,
) -> None:
    """Writes the record of a trained model as a TensorFlow checkpoint.

    Args:
      path: prefix of the files; see `artifacts.WARM_START_RECORD`.
      two_tower: the model.
      vocabularies: the strings of its embeddings.
      config: what it was trained with.
    """
    tensors: dict[str, Any] = {_MEANING: json.dumps(_meaning(config))}
    for kind, (name, variable) in _embeddings(two_tower).items():
        tensors[name] = variable
        strings = list(getattr(vocabularies, kind))
        tensors[f"{kind}/string"] = tf.constant(strings, tf.string, (len(strings),))
    tensors.update(_other_weights(two_tower))
    tensors.update(_term_weights(two_tower))
    tf.io.gfile.makedirs(os.path.dirname(path))
    tf.raw_ops.SaveV2(
        prefix=path,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.convert_to_tensor(tensor) for tensor in tensors.values()],
    )


def start_from(
    path: str,
    two_tower: model.TwoTowerModel,
    vocabularies: Vocabularies,
    config: trainer_config.TrainerConfig,
) -> dict[str, dict[str, int]]:
    """Gives a model the weights of an earlier one; the optimiser starts afresh.

    Args:
      path: prefix of the record that `write` wrote.
      two_tower: the model; its weights exist.
      vocabularies: the strings of its embeddings.
      config: what it will be trained with.

    Returns:
      Of `item` and of each feature with a vocabulary: how many strings were `carried`,
      are `new`, and were `dropped`.

    Raises:
      InputError: there is no record, or its weights do not fit this configuration.
        The model is then as it was.
    """
    if not tf.io.gfile.exists(path + ".index"):
        raise errors.InputError(
            f"`train.warm_start`: the base model holds no weights to start from "
            f"({path}): train once with `train.warm_start=false`"
        )
    reader = tf.train.load_checkpoint(path)
    _check_meaning(json.loads(reader.get_tensor(_MEANING)), _meaning(config))
    _check_shapes(reader, two_tower)
    told = {}
    for kind, (name, variable) in _embeddings(two_tower).items():
        old_strings = reader.get_tensor(f"{kind}/string").tolist()
        strings = getattr(vocabularies, kind)
        old = reader.get_tensor(name)
        # An item unknown to the base was served with the shared id embedding.
        unknown = old[0] if kind == "item" else np.zeros_like(old[0])
        variable.assign(carry_rows(old, old_strings, strings, unknown))
        carried = len(set(old_strings) & set(strings))
        told[kind] = {
            "carried": carried,
            "new": len(strings) - carried,
            "dropped": len(old_strings) - carried,
        }
    for name, variable in _other_weights(two_tower).items():
        variable.assign(reader.get_tensor(name))
    for name, variable in _term_weights(two_tower).items():
        # A base that was trained without the term has nothing to give for it.
        if reader.has_tensor(name):
            variable.assign(reader.get_tensor(name))
    return told


def _check_meaning(before: dict[str, Any], now: dict[str, Any]) -> None:
    for key in {**before, **now}:
        if before.get(key) != now.get(key):
            raise errors.InputError(
                f"`train.warm_start`: the base model was trained with `{key}` = "
                f"{before.get(key)}, this configuration has {now.get(key)}; set it "
                "back, or `train.warm_start=false`"
            )


def _check_shapes(
    reader: tf.train.CheckpointReader, two_tower: model.TwoTowerModel
) -> None:
    recorded = reader.get_variable_to_shape_map()
    shapes = {
        name: tuple(shape)
        for name, shape in recorded.items()
        if name.startswith(("query_tower/", "candidate_tower/"))
    }
    wanted = {
        name: (variable.name, tuple(variable.shape))
        for name, variable in _other_weights(two_tower).items()
    }
    for kind, (name, variable) in _embeddings(two_tower).items():
        # The number of rows may differ: it is that of the strings.
        shapes[name] = shapes.get(name, ())[1:]
        wanted[name] = (f"{kind} embedding", tuple(variable.shape[1:]))
    for name in sorted(shapes.keys() | wanted.keys()):
        title, shape = wanted.get(name, (name, None))
        if shapes.get(name) != shape:
            raise errors.InputError(
                f"`train.warm_start`: {title} of the base model has the shape "
                f"{shapes.get(name)}, of this configuration {shape}; keep "
                "`model.embedding_dim`, `hidden_dim`, `num_layers`, the actions and "
                "`history.max_length`, or set `train.warm_start=false`"
            )
