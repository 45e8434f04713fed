"""What the Trainer exports: both towers, from raw strings."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from components.trainer import candidates, input_fn, model
from schema import features

HISTORY_SIGNATURE = (
    tf.TensorSpec([None, None], tf.string, name="history_item_id"),
    tf.TensorSpec([None, None], tf.string, name="history_action"),
    tf.TensorSpec([None, None], tf.int64, name="history_timestamp"),
    tf.TensorSpec([None, None], tf.float32, name="history_value"),
)


def raw_history(
    item_id: tf.Tensor,
    action: tf.Tensor,
    timestamp: tf.Tensor,
    value: tf.Tensor,
    max_length: int,
) -> dict[str, tf.SparseTensor]:
    """Returns the raw features that Transform reads, from a request's arrays.

    Args:
      item_id: [batch, length] string, "" pads (anywhere), oldest first.
      action: [batch, length] string.
      timestamp: [batch, length] int64 ms.
      value: [batch, length] float32, NaN: absent.
      max_length: only so many of the newest elements are kept.
    """
    is_element = item_id != ""

    def newest(tensor: tf.Tensor) -> tf.SparseTensor:
        ragged = tf.ragged.boolean_mask(tensor, is_element)
        return ragged[:, -max_length:].to_sparse()

    present = ~tf.math.is_nan(value)
    raw = {
        features.ITEM_ID: newest(item_id),
        features.ACTION: newest(action),
        features.TIMESTAMP: newest(timestamp),
        features.VALUE: newest(tf.where(present, value, 0.0)),
        features.VALUE_PRESENT: newest(tf.cast(present, tf.int64)),
    }
    nothing = tf.zeros_like(raw[features.VALUE_PRESENT].values)
    raw[features.IS_LABEL] = raw[features.ITEM_ID].with_values(nothing)
    return raw


class Towers(tf.Module):
    """The trained towers behind raw strings; IndexBuilder builds on it."""

    def __init__(
        self,
        two_tower: model.TwoTowerModel,
        transform_output: tft.TFTransformOutput,
        table: candidates.CandidateTable,
        max_length: int,
    ):
        super().__init__()
        self.two_tower = two_tower
        # The layer's tables must be tracked to be saved with the model.
        self.transform_layer = transform_output.transform_features_layer()
        self.lookup = input_fn.row_lookup(table.item_id)
        self._max_length = max_length
        self._num_candidates = len(table)
        self._item_id = tf.constant(table.item_id.tolist(), tf.string)
        self._count = tf.constant(table.count)
        self.user_control = tf.Variable(1.0, trainable=False, name="user_control")
        """Multiplies what a dislike takes out of the query; IndexBuilder sets it."""
        has_path = two_tower.avoidance is not None
        self.has_avoidance_path = tf.Variable(has_path, trainable=False)
        """Without the path `user_control` multiplies nothing."""
        # Embeddings are fixed once trained: a request must not recompute them.
        self.candidate_embedding = tf.Variable(
            two_tower.served_candidates(), trainable=False
        )

    @tf.function(input_signature=HISTORY_SIGNATURE, autograph=False)
    def embed_query(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Returns `query_embedding` [batch, dim] float32, as `candidates` has it."""
        raw = raw_history(
            history_item_id,
            history_action,
            history_timestamp,
            history_value,
            self._max_length,
        )
        batch = input_fn.model_inputs(self.transform_layer(raw), self.lookup)
        # Of it the query tower reads the towers' dimensions, not the path's codes.
        states = self.two_tower.served_queries(
            batch, self.candidate_embedding, user_control=self.user_control
        )
        return {"query_embedding": states[:, -1]}

    def embed_candidates(self) -> None:
        """Computes the fixed embeddings anew, after the weights have changed."""
        self.candidate_embedding.assign(self.two_tower.served_candidates())

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.string, name="item_id")],
        autograph=False,
    )
    def rows(self, item_id: tf.Tensor) -> tf.Tensor:
        """Returns the candidate row of each item id, int32; -1: unknown."""
        return self.lookup.lookup(item_id)

    @tf.function(input_signature=[], autograph=False)
    def candidates(self) -> dict[str, tf.Tensor]:
        """Returns `item_id` [n] string, `embedding` [n, dim], `count` [n] int64."""
        return {
            "item_id": self._item_id,
            "embedding": tf.identity(self.candidate_embedding),
            "count": self._count,
        }


def export(towers: Towers, directory: str) -> None:
    """Writes the SavedModel with signatures `serving_default` and `candidates`."""
    tf.saved_model.save(
        towers,
        directory,
        signatures={
            "serving_default": towers.embed_query,
            "candidates": towers.candidates,
        },
    )
