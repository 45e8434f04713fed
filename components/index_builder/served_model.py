"""Calls an exported model the way a client does: raw strings in, item ids out."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import tensorflow as tf

MANIFEST_FILE = os.path.join("assets.extra", "manifest.json")
EXACT_TWIN = "exact_twin"
"""Directory of the stock-operation SavedModel inside IndexBuilder's artifact."""
CATALOG_FILE = os.path.join("assets.extra", "catalog.jsonl")

INPUT_NAMES = (
    "history_item_id",
    "history_action",
    "history_timestamp",
    "history_value",
    "exclude_item_id",
    "k",
)


def read_manifest(directory: str) -> dict[str, Any]:
    """Returns what IndexBuilder wrote about the model; empty if there is nothing."""
    path = os.path.join(directory, MANIFEST_FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return dict(json.loads(file.read()))


class ServedModel:
    """An exported SavedModel behind its signature `serving_default`."""

    def __init__(self, directory: str):
        """Loads the model.

        Raises:
          KeyError: the model has no signature `serving_default`, or one with other
            inputs.
        """
        # Registers ScaNN's operations; without it the graph cannot be loaded.
        from scann.scann_ops.py import scann_ops  # noqa: F401

        self.directory = directory
        self._model = tf.saved_model.load(directory)
        signatures = self._model.signatures
        if "serving_default" not in signatures:
            raise KeyError(
                f"the model in {directory} has no signature `serving_default`; it has "
                f"{sorted(signatures)}"
            )
        self._serve = signatures["serving_default"]
        inputs = set(self._serve.structured_input_signature[1])
        if inputs != set(INPUT_NAMES):
            raise KeyError(
                f"`serving_default` of {directory} must take {sorted(INPUT_NAMES)}; it "
                f"takes {sorted(inputs)}"
            )

    @property
    def manifest(self) -> dict[str, Any]:
        """What IndexBuilder wrote about the model."""
        return read_manifest(self.directory)

    def recommend(
        self,
        item_id: np.ndarray,
        action: np.ndarray,
        timestamp: np.ndarray,
        value: np.ndarray,
        k: int,
        exclude_item_id: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the best candidates of each history.

        Args:
          item_id: [batch, length] object (bytes), b"" pads.
          action: [batch, length] object (bytes).
          timestamp: [batch, length] int64 milliseconds UTC.
          value: [batch, length] float32, NaN: absent.
          k: results for every request.
          exclude_item_id: [batch, n] object (bytes); default: none.

        Returns:
          item_id: [batch, k] object (bytes), b"" pads.
          score: [batch, k] float32, -inf pads.
        """
        batch = len(item_id)
        if exclude_item_id is None:
            exclude_item_id = np.zeros((batch, 0), object)
        answer = self._serve(
            history_item_id=string_tensor(item_id),
            history_action=string_tensor(action),
            history_timestamp=tf.constant(timestamp, tf.int64),
            history_value=tf.constant(value, tf.float32),
            exclude_item_id=string_tensor(exclude_item_id),
            k=tf.fill([batch], k),
        )
        return answer["item_id"].numpy(), answer["score"].numpy()


def string_tensor(array: np.ndarray) -> tf.Tensor:
    """Returns an object array of bytes as a string tensor of the same shape."""
    # TensorFlow takes the dtype of an empty object array for float.
    if array.size == 0:
        return tf.zeros(array.shape, tf.string)
    return tf.constant(array, tf.string)
