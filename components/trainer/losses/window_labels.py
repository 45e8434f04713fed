"""The elements of a step's windows as labels: each against the query before it."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.trainer.losses import corpus, feedback_retrieval


class WindowLabels(NamedTuple):
    """The elements of a step's windows, any of which may be labels."""

    candidate_id: tf.Tensor
    """[batch, length] int32 row of the items in the candidate table; -1: unknown."""
    embedding: tf.Tensor
    """[batch, length, dim] float32 of the items."""
    filters_history: bool
    """Whether what a window met before a label leaves its softmax."""

    def loss(
        self,
        task: feedback_retrieval.FeedbackRetrieval,
        query: tf.Tensor,
        is_label: tf.Tensor,
        weight: tf.Tensor,
        is_negative: tf.Tensor,
        candidates: corpus.Corpus,
    ) -> tf.Tensor:
        """Returns the task's weighted sum over the elements that are labels.

        Args:
          task: compares labels with candidates.
          query: [batch, length, dim] float32 before each element.
          is_label: [batch, length] bool.
          weight: [batch, length] float32.
          is_negative: [batch, length] bool: not-to-recommend instead of softmax.
          candidates: the step's.

        Returns:
          [] float32.
        """
        excluded = met_before(self.candidate_id, is_label)
        return task(
            query_embeddings=tf.boolean_mask(query, is_label),
            candidate_embeddings=tf.boolean_mask(self.embedding, is_label),
            candidate_ids=tf.boolean_mask(self.candidate_id, is_label),
            is_negative=tf.boolean_mask(is_negative, is_label),
            sample_weight=tf.boolean_mask(weight, is_label),
            candidates=candidates,
            excluded_ids=excluded if self.filters_history else None,
        )


def met_before(candidate_id: tf.Tensor, is_label: tf.Tensor) -> tf.Tensor:
    """Returns the items that each window met before its labels.

    Args:
      candidate_id: [batch, length] int32.
      is_label: [batch, length] bool.

    Returns:
      [num_labels, length] int32; -1: none.
    """
    where = tf.where(is_label)
    position = tf.range(tf.shape(candidate_id)[1], dtype=tf.int64)
    is_before = position[None] < where[:, 1:]
    return tf.where(is_before, tf.gather(candidate_id, where[:, 0]), -1)


def is_repeated(candidate_id: tf.Tensor) -> tf.Tensor:
    """Returns at which elements a window meets an item again.

    Args:
      candidate_id: [batch, length] int32; negative: unknown, never met again.

    Returns:
      [batch, length] bool.
    """
    position = tf.range(tf.shape(candidate_id)[1])
    is_before = position[None, :] < position[:, None]
    same = (candidate_id[:, :, None] == candidate_id[:, None, :]) & is_before
    return tf.reduce_any(same, axis=2) & (candidate_id >= 0)
