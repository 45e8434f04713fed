"""The retrieval task with negative feedback, which trains the towers.

For one query s the model gives the candidate y the probability
p(y|s) = exp(z_y) / sum_j exp(z_j). A positive label adds -log p(y|s), a negative one
the not-to-recommend loss -log(1 - p(y|s)):

    z = [2, 0, 0], y = 0:   p = .787   positive .240   negative 1.546
    d negative / d z_0 = p = .787
    d negative / d z_j = -p p_j / (1 - p) = -.393 for j = 1, 2

The negative gradient sums to 0, is bounded by the label's weight and vanishes as
p -> 0: a dislike pushes only where the model would really recommend the item.

Both are functions of the log odds u = log(p / (1 - p)) = z_y - logsumexp of the others,
which is exact at both ends: softplus(-u) and softplus(u). There is no 1 - p.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_recommenders as tfrs

from components.trainer.losses import chunks, corpus

MASKED_LOGIT = -1e9
"""Far below any logit, yet finite, so that masked gradients are 0 and never NaN."""
_NOTHING_LEFT = 0.5 * MASKED_LOGIT


class FeedbackRetrieval(tf.keras.layers.Layer, tfrs.tasks.Task):
    """Compares labels with a corpus: some to be recommended, some not to be.

    It takes the place of `tfrs.tasks.Retrieval` in any TFRS model whose log tells what
    users did not want. The label's own logit is never corrected, and the label leaves
    the corpus that it is compared with, so that p means the same for a sample as for
    all candidates.

    Example:
      >>> task = FeedbackRetrieval()
      >>> three = corpus.Corpus(tf.range(3), tf.constant([[1.], [0.], [0.]]))
      >>> loss = task(
      ...     query_embeddings=tf.constant([[2.], [2.]]),  # logits 2, 0, 0
      ...     candidate_embeddings=tf.constant([[1.], [1.]]),
      ...     candidate_ids=tf.constant([0, 0]),
      ...     is_negative=tf.constant([False, True]),
      ...     candidates=three,
      ... )
      >>> round(float(loss), 3)  # .240 + 1.546
      1.786

    Within a batch, with logQ, as `tfrs.tasks.Retrieval` is called:

      >>> loss = task(
      ...     query_embeddings=tf.constant([[1.], [0.]]),
      ...     candidate_embeddings=tf.constant([[1.], [3.]]),
      ...     candidate_ids=tf.constant(["a", "b"]),
      ...     is_negative=tf.constant([False, True]),
      ...     candidate_sampling_probability=tf.constant([.5, .5]),
      ... )
      >>> round(float(loss), 3)  # log(1 + e^2) + log(1 + e^0)
      2.82
    """

    def __init__(self, temperature: float = 1.0, name: str = "feedback_retrieval"):
        """Creates the task; it has no weights.

        Args:
          temperature: divides the logits; above 0.
          name: of the layer.
        """
        super().__init__(name=name)
        self.temperature = temperature

    def call(
        self,
        query_embeddings: tf.Tensor,
        candidate_embeddings: tf.Tensor,
        candidate_ids: tf.Tensor,
        is_negative: tf.Tensor | None = None,
        sample_weight: tf.Tensor | None = None,
        candidates: corpus.Corpus | None = None,
        candidate_sampling_probability: tf.Tensor | None = None,
        excluded_ids: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns the weighted sum of the labels' losses.

        Args:
          query_embeddings: [num_labels, dim] float32, the state before each label.
          candidate_embeddings: [num_labels, dim] float32 of the labels.
          candidate_ids: [num_labels] of the labels.
          is_negative: [num_labels] bool, not to recommend; absent: all are positive.
          sample_weight: [num_labels] float32, 0 or more; absent: 1.
          candidates: what the labels are compared with; absent: each other, as
            `corpus.in_batch`.
          candidate_sampling_probability: see `corpus.in_batch`; only without
            `candidates`.
          excluded_ids: [num_labels, n] int32 of what cannot be recommended to each
            query, negative: none. A label among them stays. Only where `candidates`
            holds all: a sample holds few of them.

        Returns:
          [] float32. A negative label without other candidates costs nothing. There is
          no second derivative.
        """
        if candidates is None:
            candidates = corpus.in_batch(
                candidate_ids, candidate_embeddings, candidate_sampling_probability
            )
        if is_negative is None:
            is_negative = tf.zeros_like(candidate_ids, tf.bool)
        if sample_weight is None:
            sample_weight = tf.ones_like(query_embeddings[:, 0])
        aligned = [candidate_ids, sample_weight, is_negative]
        aligned += [] if excluded_ids is None else [excluded_ids]

        def piece_loss(
            query: tf.Tensor,
            label_embedding: tf.Tensor,
            embedding: tf.Tensor,
            label_id: tf.Tensor,
            weight: tf.Tensor,
            is_negative: tf.Tensor,
            excluded_id: tf.Tensor | None = None,
        ) -> tf.Tensor:
            odds = label_odds(
                query,
                label_id,
                label_embedding,
                candidates._replace(embedding=embedding),
                excluded_id,
            )
            return tf.reduce_sum(weight * _loss_of_odds(odds, is_negative))

        return chunks.sum_in_chunks(
            piece_loss,
            query_embeddings / self.temperature,
            candidate_embeddings,
            candidates.embedding,
            aligned,
        )


def _loss_of_odds(odds: tf.Tensor, is_negative: tf.Tensor) -> tf.Tensor:
    # A label without other candidates cannot be pushed away.
    only = is_negative & (odds > -_NOTHING_LEFT)
    signed = tf.where(is_negative, odds, -odds)
    return tf.where(only, 0.0, tf.nn.softplus(tf.where(only, 0.0, signed)))


def label_odds(
    query: tf.Tensor,
    label_id: tf.Tensor,
    label_embedding: tf.Tensor,
    candidates: corpus.Corpus,
    excluded_id: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns log(p / (1 - p)) of each label.

    The backward pass is written out: the gradient of the logits, as large as they
    are, is never formed, only the softmax is multiplied.

    Args:
      query: [num_labels, dim] float32.
      label_id: [num_labels].
      label_embedding: [num_labels, dim] float32.
      candidates: what the labels are compared with.
      excluded_id: see `FeedbackRetrieval.call`.

    Returns:
      [num_labels] float32; above 5e8 where there is no other candidate.
    """
    masked = None
    if candidates.log_expected_count is None:
        num_candidates = tf.shape(candidates.embedding)[0]
        masked = _cells(label_id, excluded_id, num_candidates)

    @tf.custom_gradient
    def log_partition(
        query: tf.Tensor, embedding: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
        logits = candidates._replace(embedding=embedding).scores(query)
        if masked is None:
            is_label = candidates.candidate_id[None, :] == label_id[:, None]
            logits = tf.where(is_label, MASKED_LOGIT, logits)
        else:
            nothing = tf.fill(tf.shape(masked)[:1], MASKED_LOGIT)
            logits = tf.tensor_scatter_nd_update(logits, masked, nothing)
        total, share = corpus.partition(logits)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            weight = upstream[:, None]
            return (
                weight * candidates.product(share, embedding),
                candidates.product(share, weight * query, transpose_a=True),
            )

        return total, gradient

    own = tf.reduce_sum(query * label_embedding, axis=1)
    return own - log_partition(query, candidates.embedding)


def _cells(
    label_id: tf.Tensor, excluded_id: tf.Tensor | None, num_candidates: tf.Tensor
) -> tf.Tensor:
    """Returns [num_cells, 2] int32 (label, candidate): itself, and what is excluded."""
    own = tf.stack([tf.range(tf.size(label_id)), label_id], axis=1)
    if excluded_id is None:
        return own
    where = tf.where((excluded_id >= 0) & (excluded_id < num_candidates))
    column = tf.gather_nd(excluded_id, where)
    excluded = tf.stack([tf.cast(where[:, 0], tf.int32), column], axis=1)
    return tf.concat([own, excluded], axis=0)
