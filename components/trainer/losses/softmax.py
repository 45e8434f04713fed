"""The candidates that a step's softmax runs over: all, or a corrected sample.

Small catalogues use the exact softmax. Large ones draw negatives, a part from the
labels of the batch and a part uniformly, and subtract from each drawn logit the log of
the number of times it was expected to be drawn:

    sum_j exp(z_j)  ~  exp(z_y) + sum over drawn j != y of exp(z_j - log c_j)
    c_j = n_b q_j + n_u / N

which is unbiased. The label itself is neither drawn nor corrected. With uncorrected
draws p, and with it the whole not-to-recommend gradient, would grow with the number of
draws and shrink with an item's rarity.

Sources: Yi et al., RecSys 2019 (logQ); Khrylchenko et al., RecSys 2025,
arXiv:2507.09331 (the label is left uncorrected).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from components.trainer import precision
from components.trainer.losses import losses


class Corpus(NamedTuple):
    """The candidates of one step."""

    row: tf.Tensor
    """[num_drawn] int32; repeats are draws of their own."""
    embedding: tf.Tensor
    """[num_drawn, dim] float32."""
    log_expected_count: tf.Tensor | None
    """[num_drawn] float32; None: all candidates, row = column, nothing corrected."""
    mixed_precision: bool = False
    """See `precision.product`."""

    def scores(self, query: tf.Tensor) -> tf.Tensor:
        """Returns the logits of queries and candidates, corrected where drawn.

        Args:
          query: [num_labels, dim] float32.

        Returns:
          [num_labels, num_drawn] float32.
        """
        logits = self.product(query, self.embedding, transpose_b=True)
        if self.log_expected_count is not None:
            logits -= self.log_expected_count
        return logits

    def product(self, a: tf.Tensor, b: tf.Tensor, **transpose: bool) -> tf.Tensor:
        """Returns `precision.product` of this step."""
        return precision.product(a, b, self.mixed_precision, **transpose)


def draw(
    label_row: tf.Tensor,
    num_in_batch: int,
    num_uniform: int,
    num_candidates: int,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Returns the rows of the drawn negatives.

    Args:
      label_row: [num_labels] int32 labels of the batch, at least one.
      num_in_batch: draws from the labels, with replacement.
      num_uniform: draws from all candidates, with replacement.
      num_candidates: candidates seen in training.
      seed: [2] int32, new for every step.

    Returns:
      [num_in_batch + num_uniform] int32.
    """
    at = tf.random.stateless_uniform(
        [num_in_batch], seed, maxval=tf.size(label_row), dtype=tf.int32
    )
    uniform = tf.random.stateless_uniform(
        [num_uniform], seed + 1, maxval=num_candidates, dtype=tf.int32
    )
    return tf.concat([tf.gather(label_row, at), uniform], axis=0)


def log_expected_count(
    row: tf.Tensor,
    label_share: tf.Tensor,
    num_in_batch: int,
    num_uniform: int,
    num_candidates: int,
) -> tf.Tensor:
    """Returns log(n_b q_j + n_u / N) of each drawn row.

    Args:
      row: [num_drawn] int32.
      label_share: [num_candidates] float32, share of each candidate among the
        training labels (q); never clipped, so that rare items are not flattened.
      num_in_batch: draws from the labels (n_b).
      num_uniform: draws from all candidates (n_u).
      num_candidates: candidates seen in training (N).

    Example:
      >>> q = tf.constant([.5, .5])
      >>> tf.exp(log_expected_count(tf.constant([0]), q, 4, 2, 2))   # 4 * .5 + 2 / 2
      <tf.Tensor: shape=(1,), dtype=float32, numpy=array([3.], dtype=float32)>
    """
    share = tf.gather(label_share, row)
    return tf.math.log(num_in_batch * share + num_uniform / num_candidates)


def label_odds(
    query: tf.Tensor,
    label_row: tf.Tensor,
    label_embedding: tf.Tensor,
    corpus: Corpus,
    met_row: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns log(p / (1 - p)) of each label against the corpus.

    The backward pass is written out: the gradient of the logits, as large as they
    are, is never formed, only the softmax is multiplied.

    Args:
      query: [num_labels, dim] float32.
      label_row: [num_labels] int32.
      label_embedding: [num_labels, dim] float32.
      corpus: the candidates.
      met_row: [num_labels, length] int32, candidates that cannot be recommended;
        negative: none. Where the label itself is among them, it stays. Only of the
        corpus of all candidates: a drawn one holds few of them.

    Returns:
      [num_labels] float32; above 5e8 where there is no other candidate.
    """
    masked = None
    if corpus.log_expected_count is None:
        masked = _cells(label_row, met_row, tf.shape(corpus.embedding)[0])

    @tf.custom_gradient
    def log_partition(
        query: tf.Tensor, candidate: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
        logits = corpus._replace(embedding=candidate).scores(query)
        if masked is None:
            is_label = corpus.row[None, :] == label_row[:, None]
            logits = tf.where(is_label, losses.MASKED_LOGIT, logits)
        else:
            nothing = tf.fill(tf.shape(masked)[:1], losses.MASKED_LOGIT)
            logits = tf.tensor_scatter_nd_update(logits, masked, nothing)
        total, share = losses.partition(logits)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            weight = upstream[:, None]
            return (
                weight * corpus.product(share, candidate),
                corpus.product(share, weight * query, transpose_a=True),
            )

        return total, gradient

    own = tf.reduce_sum(query * label_embedding, axis=1)
    return own - log_partition(query, corpus.embedding)


def _cells(
    label_row: tf.Tensor, met_row: tf.Tensor | None, num_candidates: tf.Tensor
) -> tf.Tensor:
    """Returns [num_cells, 2] int32 (label, candidate): itself, and what was met."""
    own = tf.stack([tf.range(tf.size(label_row)), label_row], axis=1)
    if met_row is None:
        return own
    where = tf.where((met_row >= 0) & (met_row < num_candidates))
    column = tf.gather_nd(met_row, where)
    met = tf.stack([tf.cast(where[:, 0], tf.int32), column], axis=1)
    return tf.concat([own, met], axis=0)
