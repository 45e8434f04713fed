"""The served model: raw history in, item ids and scores out.

History and excluded items are filtered inside the graph. So many more candidates are
fetched that the filter cannot eat into the k asked for, and a request whose searched
leaves hold too few is searched exactly.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_NO_SCORE = float("-inf")

REQUEST_SIGNATURE = (
    tf.TensorSpec([None, None], tf.string, name="history_item_id"),
    tf.TensorSpec([None, None], tf.string, name="history_action"),
    tf.TensorSpec([None, None], tf.int64, name="history_timestamp"),
    tf.TensorSpec([None, None], tf.float32, name="history_value"),
    tf.TensorSpec([None, None], tf.string, name="exclude_item_id"),
    tf.TensorSpec([None], tf.int32, name="k"),
)


def drop_and_rank(
    score: tf.Tensor, row: tf.Tensor, dropped_row: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the k best candidates that are not dropped.

    Args:
      score: [batch, num_found] float32; not finite where nothing was found.
      row: [batch, num_found] int32.
      dropped_row: [batch, num_dropped] int32; -1 drops nothing.
      k: [] int32, at most num_found.

    Returns:
      score: [batch, k] float32, descending, -inf where candidates ran out.
      row: [batch, k] int32, meaningless where the score is -inf.
    """
    dropped = tf.reduce_any(row[:, :, None] == dropped_row[:, None, :], axis=-1)
    score = tf.where(dropped | ~tf.math.is_finite(score), _NO_SCORE, score)
    best = tf.math.top_k(score, k=k)
    return best.values, tf.gather(row, best.indices, batch_dims=1)


class RetrievalEndpoint(tf.Module):
    """The towers of the Trainer with an index over their candidates."""

    def __init__(self, towers: Any, scann_layer: Any | None):
        """Wraps loaded towers.

        Args:
          towers: the loaded SavedModel of the Trainer (`signatures.Towers`).
          scann_layer: the index; absent: exact search with stock operations.
        """
        super().__init__()
        self.towers = towers
        self.scann_layer = scann_layer
        candidates = towers.candidates()
        self._embedding = tf.Variable(candidates["embedding"], trainable=False)
        self._item_id = tf.constant(candidates["item_id"])
        self._num_candidates = int(candidates["item_id"].shape[0])

    def _search_exactly(
        self, query: tf.Tensor, dropped_row: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        score = tf.matmul(query, self._embedding, transpose_b=True)
        num_found = tf.minimum(self._num_candidates, k + tf.shape(dropped_row)[1])
        found = tf.math.top_k(score, k=num_found)
        return drop_and_rank(found.values, found.indices, dropped_row, k)

    def _search(
        self,
        query: tf.Tensor,
        dropped_row: tf.Tensor,
        k: tf.Tensor,
        asked: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if self.scann_layer is None:
            return self._search_exactly(query, dropped_row, k)
        num_wanted = tf.minimum(self._num_candidates, k + tf.shape(dropped_row)[1])
        score, row = self.scann_layer(query, k=num_wanted)
        # Searched leaves that hold too few give narrower results.
        missing = tf.maximum(k - tf.shape(score)[1], 0)
        score = tf.pad(score, [[0, 0], [0, missing]], constant_values=_NO_SCORE)
        row = tf.pad(tf.cast(row, tf.int32), [[0, 0], [0, missing]])
        score, row = drop_and_rank(score, row, dropped_row, k)
        num_found = tf.reduce_sum(tf.cast(tf.math.is_finite(score), tf.int32), axis=1)
        short = num_found < tf.minimum(asked, k)

        def complete() -> tuple[tf.Tensor, tf.Tensor]:
            # The others keep their answer: it must not depend on who else asks.
            exact_score, exact_row = self._search_exactly(query, dropped_row, k)
            return (
                tf.where(short[:, None], exact_score, score),
                tf.where(short[:, None], exact_row, row),
            )

        return tf.cond(tf.reduce_any(short), complete, lambda: (score, row))

    @tf.function(input_signature=REQUEST_SIGNATURE, autograph=False)
    def recommend(
        self,
        history_item_id: tf.Tensor,
        history_action: tf.Tensor,
        history_timestamp: tf.Tensor,
        history_value: tf.Tensor,
        exclude_item_id: tf.Tensor,
        k: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch of requests.

        Args:
          history_item_id: [batch, length] string, oldest first, "" pads.
          history_action: [batch, length] string, several joined by `|`.
          history_timestamp: [batch, length] int64 milliseconds UTC.
          history_value: [batch, length] float32, NaN: absent.
          exclude_item_id: [batch, n] string, "" pads.
          k: [batch] int32, results asked for.

        Returns:
          item_id: [batch, max k] string, best first, "" pads.
          score: [batch, max k] float32, -inf pads.
        """
        query = self.towers.embed_query(
            history_item_id, history_action, history_timestamp, history_value
        )["query_embedding"]
        dropped_row = tf.concat(
            [self.towers.rows(history_item_id), self.towers.rows(exclude_item_id)],
            axis=1,
        )
        width = tf.reduce_max(tf.concat([k, [0]], axis=0))
        num_results = tf.clip_by_value(width, 0, self._num_candidates)
        score, row = self._search(query, dropped_row, num_results, k)
        padding = [[0, 0], [0, tf.maximum(width - num_results, 0)]]
        score = tf.pad(score, padding, constant_values=_NO_SCORE)
        row = tf.pad(row, padding)

        asked = tf.range(tf.shape(score)[1])[None, :] < k[:, None]
        score = tf.where(asked, score, _NO_SCORE)
        item_id = tf.where(tf.math.is_finite(score), tf.gather(self._item_id, row), "")
        return {"item_id": item_id, "score": score}


def export(endpoint: RetrievalEndpoint, directory: str) -> None:
    """Writes the SavedModel with the signature `serving_default`."""
    tf.saved_model.save(
        endpoint, directory, signatures={"serving_default": endpoint.recommend}
    )
