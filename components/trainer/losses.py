"""The losses: softmax for positive labels, not-to-recommend for negative ones.

For one query the model gives the candidate y the probability
p(y|s) = exp(z_y) / sum_j exp(z_j). A positive label adds -log p(y|s), a negative one
-log(1 - p(y|s)):

    z = [2, 0, 0], y = 0:   p = .787   positive .240   negative 1.546
    d negative / d z_0 = p = .787
    d negative / d z_j = -p p_j / (1 - p) = -.393 for j = 1, 2

The negative gradient sums to 0, is bounded by 1 and vanishes as p -> 0: a dislike
pushes only where the model would really recommend the item.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

import tensorflow as tf

# Far below any logit, yet finite, so that masked gradients are 0 and never NaN.
_MASKED_LOGIT = -1e9


def softmax_loss(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Returns the negative log-likelihood of retrieving the label.

    Args:
      logits: [batch, num_candidates] float32.
      label: [batch] int32 column of the positive candidate.

    Returns:
      [batch] float32, unreduced. The caller applies feedback weights.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)


def not_to_recommend_loss(logits: tf.Tensor, disliked: tf.Tensor) -> tf.Tensor:
    """Returns the negative log-likelihood of not retrieving the disliked candidate.

    loss_i = -log(1 - softmax(logits_i)[disliked_i])

    Args:
      logits: [batch, num_candidates] float32.
      disliked: [batch] int32 column of the negative-feedback candidate.

    Returns:
      [batch] float32, unreduced. The caller applies feedback weights.

    Example:
      >>> not_to_recommend_loss(tf.constant([[2., 0., 0.]]), tf.constant([0]))
      <tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.5464], dtype=float32)>
    """
    columns = tf.range(tf.shape(logits)[1], dtype=disliked.dtype)
    return not_to_recommend_set_loss(logits, columns[None, :] == disliked[:, None])


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
    inside = tf.reduce_logsumexp(tf.where(members, logits, _MASKED_LOGIT), axis=1)
    outside = tf.reduce_logsumexp(tf.where(members, _MASKED_LOGIT, logits), axis=1)
    loss = tf.nn.softplus(inside - outside)
    proper = tf.reduce_any(members, axis=1) & ~tf.reduce_all(members, axis=1)
    return tf.where(proper, loss, tf.zeros_like(loss))
