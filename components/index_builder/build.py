"""The identity of a served model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from schema import settings

# Training leaves these behind; no answer depends on them.
_NOT_OF_THE_MODEL = ("optimizer", "_generator", "_num_steps", "_mean_loss")


def model_id(
    towers_dir: str,
    embedding: np.ndarray,
    catalog_lines: Sequence[str],
    index: settings.IndexSettings,
) -> str:
    """Returns the digest that ties reports to the model they were measured on.

    It is one of content: weights, catalogue and what the index was asked to be. Towers
    that are exported once more keep it, and so does an index that is built once more,
    whose partitions ScaNN draws at random.

    Args:
      towers_dir: the SavedModel of the towers.
      embedding: [num_candidates, dim] float32, of the candidates that are served.
      catalog_lines: the catalogue that is exported with the model.
      index: the section.
    """
    digest = hashlib.sha256()
    reader = tf.train.load_checkpoint(os.path.join(towers_dir, "variables/variables"))
    for name in sorted(reader.get_variable_to_shape_map()):
        is_weight = name.startswith("two_tower/query_tower/")
        if is_weight and not any(part in name for part in _NOT_OF_THE_MODEL):
            digest.update(name.encode() + np.asarray(reader.get_tensor(name)).tobytes())
    digest.update(embedding.tobytes())
    digest.update("".join(catalog_lines).encode())
    digest.update(index.to_json().encode())
    return digest.hexdigest()[:32]
