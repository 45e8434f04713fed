"""The loss of the labels: each against the step's candidates, positive or negative."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.trainer import feedback_signal
from components.trainer.losses import chunks, losses, softmax


class Elements(NamedTuple):
    """The elements of a step's windows, any of which may be labels."""

    row: tf.Tensor
    """[batch, length] int32 of the items; -1: unknown."""
    embedding: tf.Tensor
    """[batch, length, dim] float32 of the items."""
    temperature: float
    """Divides the logits."""
    filters_history: bool
    """Whether what a window met before a label leaves its softmax."""

    def loss(
        self,
        query: tf.Tensor,
        chosen: tf.Tensor,
        weight: tf.Tensor,
        is_negative: tf.Tensor,
        corpus: softmax.Corpus,
    ) -> tf.Tensor:
        """Returns the weighted sum over the chosen elements as labels.

        Args:
          query: [batch, length, dim] float32 before each element.
          chosen: [batch, length] bool.
          weight: [batch, length] float32.
          is_negative: [batch, length] bool: not-to-recommend instead of softmax.
          corpus: the step's candidates.

        Returns:
          [] float32.
        """
        return total(
            tf.boolean_mask(query, chosen) / self.temperature,
            tf.boolean_mask(self.embedding, chosen),
            corpus,
            tf.boolean_mask(self.row, chosen),
            tf.boolean_mask(weight, chosen),
            tf.boolean_mask(is_negative, chosen),
            met_before(self.row, chosen) if self.filters_history else None,
        )


class Step(NamedTuple):
    """A step's windows, encoded, with what their elements are labels against."""

    corpus: softmax.Corpus
    elements: Elements
    state: tf.Tensor
    """[batch, length + 1, dim] float32 queries before each element and after the last,
    the avoidance path left out."""
    item: tf.Tensor
    """[batch, length, dim] float32 of the history tower."""
    weights: feedback_signal.LabelWeights
    """[batch, length] float32 each."""
    is_element: tf.Tensor
    """[batch, length] bool."""
    usable: tf.Tensor
    """[batch, length] bool: labels whose item is a candidate."""
    fresh: tf.Tensor
    """[batch, length] bool: those of them that could have been recommended."""


def total(
    query: tf.Tensor,
    label_embedding: tf.Tensor,
    corpus: softmax.Corpus,
    row: tf.Tensor,
    weight: tf.Tensor,
    is_negative: tf.Tensor,
    met_row: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns the weighted sum over labels.

    Args:
      query: [num_labels, dim] float32, temperature applied.
      label_embedding: [num_labels, dim] float32 of the labels.
      corpus: the step's candidates.
      row: [num_labels] int32 of the labels.
      weight: [num_labels] float32.
      is_negative: [num_labels] bool: not-to-recommend instead of softmax.
      met_row: see `softmax.label_odds`.

    Returns:
      [] float32.
    """
    aligned = [row, weight, is_negative]
    aligned += [] if met_row is None else [met_row]

    def piece_loss(
        query: tf.Tensor,
        label_embedding: tf.Tensor,
        candidate: tf.Tensor,
        row: tf.Tensor,
        weight: tf.Tensor,
        is_negative: tf.Tensor,
        met_row: tf.Tensor | None = None,
    ) -> tf.Tensor:
        pieces = corpus._replace(embedding=candidate)
        odds = softmax.label_odds(query, row, label_embedding, pieces, met_row)
        return tf.reduce_sum(weight * losses.feedback_loss(odds, is_negative))

    return chunks.sum_in_chunks(
        piece_loss, query, label_embedding, corpus.embedding, aligned
    )


def met_before(row: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """Returns the rows that each window met before its labels.

    Args:
      row: [batch, length] int32.
      chosen: [batch, length] bool, the labels.

    Returns:
      [num_labels, length] int32; -1: none.
    """
    where = tf.where(chosen)
    position = tf.range(tf.shape(row)[1], dtype=tf.int64)
    is_before = position[None] < where[:, 1:]
    return tf.where(is_before, tf.gather(row, where[:, 0]), -1)


def is_repeated(row: tf.Tensor) -> tf.Tensor:
    """Returns at which elements a window meets an item again.

    Args:
      row: [batch, length] int32; negative: unknown, which is never met again.

    Returns:
      [batch, length] bool.
    """
    position = tf.range(tf.shape(row)[1])
    is_before = position[None, :] < position[:, None]
    same = (row[:, :, None] == row[:, None, :]) & is_before
    return tf.reduce_any(same, axis=2) & (row >= 0)
