"""What the Trainer exports: both towers, from raw strings."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from components.trainer import candidates, input_fn, model
from schema import features
from serving.bundle import signature

HISTORY_SIGNATURE = (
    tf.TensorSpec([None, None], tf.string, name="history_item_id"),
    tf.TensorSpec([None, None], tf.string, name="history_action"),
    tf.TensorSpec([None, None], tf.int64, name="history_timestamp"),
    tf.TensorSpec([None, None], tf.float32, name="history_value"),
)
CONTROLLED_SIGNATURE = (
    *HISTORY_SIGNATURE,
    tf.TensorSpec([None], tf.float32, name="user_control"),
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
        """Of requests that name none; IndexBuilder sets it."""
        has_path = two_tower.avoidance is not None
        self.has_avoidance_path = tf.Variable(has_path, trainable=False)
        """Without the path user control has no effect."""
        # Embeddings are fixed once trained: a request must not recompute them.
        candidate, query_code, category_set = two_tower.served_tables()
        self.candidate_embedding = tf.Variable(candidate, trainable=False)
        self.query_code = tf.Variable(query_code, trainable=False)
        self.category_set = tf.Variable(category_set, trainable=False)

    @tf.function(input_signature=HISTORY_SIGNATURE, autograph=False)
    def embed_query(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Returns `query_embedding` [batch, dim] float32, as `candidates` has it."""
        named = tf.fill([tf.shape(history_item_id)[0]], self.user_control)
        return self._embed(
            history_item_id, history_action, history_timestamp, history_value, named
        )

    @tf.function(input_signature=CONTROLLED_SIGNATURE, autograph=False)
    def embed_controlled_query(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
        user_control: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Returns the same, with a user control of each request.

        Args:
          history_item_id: see `raw_history`, and so are the three that follow.
          history_action: see `raw_history`.
          history_timestamp: see `raw_history`.
          history_value: see `raw_history`.
          user_control: [batch] float32, clipped to [0, 2]; NaN: the served default.
        """
        named = tf.where(
            tf.math.is_nan(user_control),
            self.user_control,
            tf.clip_by_value(user_control, 0.0, signature.MAX_USER_CONTROL),
        )
        return self._embed(
            history_item_id, history_action, history_timestamp, history_value, named
        )

    def _embed(
        self,
        item_id: tf.Tensor,
        action: tf.Tensor,
        timestamp: tf.Tensor,
        value: tf.Tensor,
        user_control: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        raw = raw_history(item_id, action, timestamp, value, self._max_length)
        batch = input_fn.model_inputs(self.transform_layer(raw), self.lookup)
        query = self.two_tower.served_query(
            batch,
            self.candidate_embedding,
            self.query_code,
            self.category_set,
            user_control,
        )
        return {"query_embedding": query}

    def embed_candidates(self) -> None:
        """Computes the fixed embeddings anew, after the weights have changed."""
        candidate, query_code, category_set = self.two_tower.served_tables()
        self.candidate_embedding.assign(candidate)
        self.query_code.assign(query_code)
        self.category_set.assign(category_set)

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
