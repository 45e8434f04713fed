"""The candidates that a softmax runs over: all of them, or a corrected sample.

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

from typing import NamedTuple

import tensorflow as tf

from components.trainer import precision


class Corpus(NamedTuple):
    """Candidates with which labels are compared."""

    candidate_id: tf.Tensor
    """[num_candidates] of any type that the labels' ids have; repeats are draws of
    their own."""
    embedding: tf.Tensor
    """[num_candidates, dim] float32."""
    log_expected_count: tf.Tensor | None = None
    """[num_candidates] float32, logQ of a sample: log of how often each was expected to
    be drawn. None: the corpus holds every candidate once, and `candidate_id` is its
    position, int32."""
    mixed_precision: bool = False
    """See `precision.product`."""

    def scores(self, query: tf.Tensor) -> tf.Tensor:
        """Returns the logits of queries and candidates, corrected where drawn.

        Args:
          query: [num_labels, dim] float32.

        Returns:
          [num_labels, num_candidates] float32.
        """
        logits = self.product(query, self.embedding, transpose_b=True)
        if self.log_expected_count is not None:
            logits -= self.log_expected_count
        return logits

    def product(self, a: tf.Tensor, b: tf.Tensor, **transpose: bool) -> tf.Tensor:
        """Returns `precision.product` of this corpus."""
        return precision.product(a, b, self.mixed_precision, **transpose)


def draw(
    label_id: tf.Tensor,
    num_in_batch: int,
    num_uniform: int,
    num_candidates: int,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Returns the positions of drawn negatives.

    Args:
      label_id: [num_labels] int32 labels of the batch, at least one.
      num_in_batch: draws from the labels, with replacement.
      num_uniform: draws from all candidates, with replacement.
      num_candidates: candidates seen in training.
      seed: [2] int32, new for every step.

    Returns:
      [num_in_batch + num_uniform] int32.
    """
    at = tf.random.stateless_uniform(
        [num_in_batch], seed, maxval=tf.size(label_id), dtype=tf.int32
    )
    uniform = tf.random.stateless_uniform(
        [num_uniform], seed + 1, maxval=num_candidates, dtype=tf.int32
    )
    return tf.concat([tf.gather(label_id, at), uniform], axis=0)


def log_expected_count(
    candidate_id: tf.Tensor,
    label_share: tf.Tensor,
    num_in_batch: int,
    num_uniform: int,
    num_candidates: int,
) -> tf.Tensor:
    """Returns log(n_b q_j + n_u / N) of each drawn candidate.

    Args:
      candidate_id: [num_drawn] int32.
      label_share: [num_candidates] float32, share of each candidate among the
        training labels (q); never clipped, so that rare items are not flattened.
      num_in_batch: draws from the labels (n_b).
      num_uniform: draws from all candidates (n_u).
      num_candidates: candidates seen in training (N).

    Example:
      >>> q = tf.constant([.5, .5])
      >>> log_count = log_expected_count(tf.constant([0]), q, 4, 2, 2)
      >>> tf.exp(log_count).numpy().round(4).tolist()  # 4 * .5 + 2 / 2
      [3.0]
    """
    share = tf.gather(label_share, candidate_id)
    return tf.math.log(num_in_batch * share + num_uniform / num_candidates)


def in_batch(
    candidate_id: tf.Tensor,
    embedding: tf.Tensor,
    candidate_sampling_probability: tf.Tensor | None = None,
) -> Corpus:
    """Returns the labels of a batch as the sample that each of them is compared with.

    Args:
      candidate_id: [num_labels].
      embedding: [num_labels, dim] float32.
      candidate_sampling_probability: [num_labels] float32 in (0, 1], how likely one
        draw is the candidate (q); None: draws stay uncorrected.
    """
    num_draws = tf.cast(tf.shape(embedding)[0], tf.float32)
    if candidate_sampling_probability is None:
        log_count = tf.zeros_like(embedding[:, 0])
    else:
        log_count = tf.math.log(num_draws * candidate_sampling_probability)
    return Corpus(candidate_id, embedding, log_count)


def partition(logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns logsumexp [batch] and softmax [batch, num_candidates].

    The second is the gradient of the first, for losses that write theirs out.

    Args:
      logits: [batch, num_candidates] float32, at least one column.
    """
    share = tf.nn.softmax(logits)
    # The largest share is at least 1 / num_candidates: its logarithm is exact.
    largest = tf.reduce_max(share, axis=1)
    return tf.reduce_max(logits, axis=1) - tf.math.log(largest), share
