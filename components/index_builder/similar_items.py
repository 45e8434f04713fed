"""More like this: the candidates nearest to given items, by the candidate tower."""

from __future__ import annotations

import tensorflow as tf

from components.index_builder import drop_and_rank


def nearest(
    embedding: tf.Tensor,
    row: tf.Tensor,
    dropped_row: tf.Tensor,
    num_found: tf.Tensor,
    k: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the k candidates most like the given ones together.

    Likeness is the cosine with the sum of the items' unit vectors, so that each item
    has an equal say, however popular it is.

    Args:
      embedding: [num_candidates, dim] float32 of the candidate tower.
      row: [batch, n] int32 of the given items; -1: no candidate.
      dropped_row: [batch, m] int32 that are not to be found; -1 drops nothing.
      num_found: [] int32, enough that k are left of them once some are dropped.
      k: [] int32, at most num_found.

    Returns:
      score: [batch, k] float32 in [-1, 1], descending; -inf where candidates ran out,
        or no given item is one.
      row: [batch, k] int32, meaningless where the score is -inf.
    """
    unit = tf.math.l2_normalize(embedding, axis=1)
    is_known = row >= 0
    given = (
        tf.gather(unit, tf.maximum(row, 0)) * tf.cast(is_known, tf.float32)[..., None]
    )
    query = tf.math.l2_normalize(tf.reduce_sum(given, axis=1), axis=1)
    score = tf.matmul(query, unit, transpose_b=True)
    any_known = tf.reduce_any(is_known, axis=1)
    score = tf.where(any_known[:, None], score, drop_and_rank.NO_SCORE)
    found = tf.math.top_k(score, k=num_found)
    return drop_and_rank.drop_and_rank(found.values, found.indices, dropped_row, k)
