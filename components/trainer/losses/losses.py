"""The losses: softmax for positive labels, not-to-recommend for negative ones.

For one query the model gives the candidate y the probability
p(y|s) = exp(z_y) / sum_j exp(z_j). A positive label adds -log p(y|s), a negative one
-log(1 - p(y|s)):

    z = [2, 0, 0], y = 0:   p = .787   positive .240   negative 1.546
    d negative / d z_0 = p = .787
    d negative / d z_j = -p p_j / (1 - p) = -.393 for j = 1, 2

The negative gradient sums to 0, is bounded by 1 and vanishes as p -> 0: a dislike
pushes only where the model would really recommend the item.

Both are functions of the log odds u = log(p / (1 - p)) = z_y - logsumexp of the others,
which is exact at both ends: softplus(-u) and softplus(u). Its gradient has a closed
form, du/dz_y = 1 and du/dz_j = -softmax over the others, which costs one pass where
differentiating two logsumexps costs six.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

MASKED_LOGIT = -1e9
"""Far below any logit, yet finite, so that masked gradients are 0 and never NaN."""
_NOTHING_LEFT = 0.5 * MASKED_LOGIT

Gradient = Callable[[tf.Tensor], tf.Tensor]


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


def log_odds(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Returns log(p / (1 - p)) of the label; p = softmax(logits)[label].

    Args:
      logits: [batch, num_candidates] float32.
      label: [batch] int32 column of the label.

    Returns:
      [batch] float32; above 5e8 where the label is the only candidate.
    """
    column = tf.stack([tf.range(tf.size(label), dtype=label.dtype), label], axis=1)

    @tf.custom_gradient
    def of(logits: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        own = tf.gather_nd(logits, column)
        masked = tf.fill(tf.shape(label), MASKED_LOGIT)
        others, share = partition(tf.tensor_scatter_nd_update(logits, column, masked))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            change = -upstream[:, None] * share
            return tf.tensor_scatter_nd_update(change, column, upstream)

        return own - others, gradient

    return of(logits)


def softmax_loss(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Returns the negative log-likelihood of retrieving the label.

    Args:
      logits: [batch, num_candidates] float32.
      label: [batch] int32 column of the positive candidate.

    Returns:
      [batch] float32, unreduced. The caller applies feedback weights.
    """
    return tf.nn.softplus(-log_odds(logits, label))


def not_to_recommend_loss(logits: tf.Tensor, disliked: tf.Tensor) -> tf.Tensor:
    """Returns the negative log-likelihood of not retrieving the disliked candidate.

    loss_i = -log(1 - softmax(logits_i)[disliked_i])

    Args:
      logits: [batch, num_candidates] float32.
      disliked: [batch] int32 column of the negative-feedback candidate.

    Returns:
      [batch] float32, unreduced; 0 where there is no other candidate. The caller
      applies feedback weights.

    Example:
      >>> not_to_recommend_loss(tf.constant([[2., 0., 0.]]), tf.constant([0]))
      <tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.5464], dtype=float32)>
    """
    odds = log_odds(logits, disliked)
    return feedback_loss(odds, tf.ones_like(disliked, tf.bool))


def feedback_loss(odds: tf.Tensor, is_negative: tf.Tensor) -> tf.Tensor:
    """Returns each label's loss: softmax, or not-to-recommend where negative.

    Args:
      odds: [batch] float32 log odds of each label.
      is_negative: [batch] bool.

    Returns:
      [batch] float32, unreduced.
    """
    # A label without other candidates cannot be pushed away.
    only = is_negative & (odds > -_NOTHING_LEFT)
    signed = tf.where(is_negative, odds, -odds)
    return tf.where(only, 0.0, tf.nn.softplus(tf.where(only, 0.0, signed)))


def not_to_recommend_set_loss(logits: tf.Tensor, members: tf.Tensor) -> tf.Tensor:
    """Returns the negative log-likelihood of retrieving no member of a set.

    loss_i = -log(1 - sum over members j of softmax(logits_i)[j])
           = softplus(logsumexp(members) - logsumexp(others))

    The second form has no 1 - p and stays finite as p -> 1.

    Args:
      logits: [batch, num_candidates] float32.
      members: [batch, num_candidates] bool; a row may be all False (loss 0). A row
        that is all True has no candidate left to recommend and also gives 0.

    Returns:
      [batch] float32, unreduced.
    """

    @tf.custom_gradient
    def odds(logits: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        inside, of_members = partition(tf.where(members, logits, MASKED_LOGIT))
        outside, of_others = partition(tf.where(members, MASKED_LOGIT, logits))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return upstream[:, None] * (of_members - of_others)

        return inside - outside, gradient

    proper = tf.reduce_any(members, axis=1) & ~tf.reduce_all(members, axis=1)
    return tf.where(proper, tf.nn.softplus(odds(logits)), 0.0)
