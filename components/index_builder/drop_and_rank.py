"""Takes what a request must not be given out of what was found, and ranks the rest."""

from __future__ import annotations

import tensorflow as tf

NO_SCORE = float("-inf")
"""Of places that nothing fills."""


def is_dropped(row: tf.Tensor, dropped_row: tf.Tensor) -> tf.Tensor:
    """Returns which candidates are among the dropped ones, [batch, num_found] bool.

    By binary search: comparing all pairs would cost [batch, num_found, num_dropped].

    Args:
      row: [batch, num_found] int32.
      dropped_row: [batch, num_dropped] int32; -1 drops nothing.
    """
    # One more column, so that there is always something to compare with; one more
    # request, as `searchsorted` refuses to look at none.
    ordered = tf.sort(tf.pad(dropped_row, [[0, 1], [1, 0]], constant_values=-1), axis=1)
    row = tf.pad(row, [[0, 1], [0, 0]])
    place = tf.searchsorted(ordered, row)
    place = tf.minimum(place, tf.shape(ordered)[1] - 1)
    return (tf.gather(ordered, place, batch_dims=1) == row)[:-1]


def drop_and_rank(
    score: tf.Tensor, row: tf.Tensor, dropped_row: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the k best candidates that are not dropped.

    Args:
      score: [batch, num_found] float32; not finite where nothing was found.
      row: [batch, num_found] int32, 0 or more.
      dropped_row: [batch, num_dropped] int32; -1 drops nothing.
      k: [] int32, at most num_found.

    Returns:
      score: [batch, k] float32, descending, -inf where candidates ran out.
      row: [batch, k] int32, meaningless where the score is -inf.
    """
    dropped = is_dropped(row, dropped_row)
    score = tf.where(dropped | ~tf.math.is_finite(score), NO_SCORE, score)
    best = tf.math.top_k(score, k=k)
    return best.values, tf.gather(row, best.indices, batch_dims=1)


def filled_up(
    score: tf.Tensor, row: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what was found for one request, k places wide.

    Args:
      score: [num_found] float32.
      row: [num_found] int32.
      k: [] int32, at least num_found.

    Returns:
      score: [k] float32, -inf where candidates ran out.
      row: [k] int32, meaningless where the score is -inf.
    """
    missing = [[0, k - tf.size(row)]]
    return tf.pad(score, missing, constant_values=NO_SCORE), tf.pad(row, missing)
