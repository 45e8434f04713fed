"""What teaches the avoidance path: the similar-set term, and what is liked after."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.trainer import (
    avoidance,
    feedback_signal,
    label_loss,
    replicas,
    similar_set,
    softmax,
)

_WINDOWS_A_LESSON = 4
"""One window of so many teaches the path. It is small, and a quarter of a step's
windows, which come in another order each epoch, teach it as well as all of them
(docs/adr/0045), at a quarter of the time."""


class SimilarSet(NamedTuple):
    """What counts as similar to a disliked item, and how much."""

    key: tf.Tensor
    """[num_candidates, 2] int32, see `similar_set.loss`."""
    num_neighbours: int
    weight: float


class Windows(NamedTuple):
    """A step's windows; the first dimension of each is the window's."""

    state: tf.Tensor
    """[batch, length + 1, dim] float32 queries before each element and after the last,
    the path left out."""
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


def loss(
    path: avoidance.Avoidance,
    windows: Windows,
    elements: label_loss.Elements,
    corpus: softmax.Corpus,
    similar: SimilarSet,
    normalizes: bool,
) -> tf.Tensor:
    """Returns the sum over labels and disliked items, of all windows of the step.

    Towers and candidates do not learn from it: the latter would move out of each
    other's way.

    Args:
      path: what learns.
      windows: the step's.
      elements: the step's, as labels.
      corpus: the step's candidates.
      similar: what is to be avoided.
      normalizes: whether queries have length 1.
    """
    num_windows = tf.shape(elements.row)[0]
    taken = windows_that_teach(num_windows, replicas.own_number(), replicas.number())
    windows = tf.nest.map_structure(lambda t: tf.gather(t, taken), windows)
    still = corpus._replace(embedding=tf.stop_gradient(corpus.embedding))
    label = elements._replace(
        row=tf.gather(elements.row, taken),
        embedding=tf.stop_gradient(tf.gather(elements.embedding, taken)),
    )
    moved = avoidance.moved(
        path,
        tf.stop_gradient(windows.state),
        windows.item,
        windows.weights.negative,
        windows.is_element,
        normalizes,
    )
    felt = path.is_felt(windows.weights.negative, windows.is_element)
    liked_after = windows.fresh & (windows.weights.positive > 0) & felt
    disliked = windows.usable & (windows.weights.negative > 0)
    total = label.loss(
        moved[:, :-1],
        liked_after,
        windows.weights.positive,
        tf.zeros_like(liked_after),
        still,
    )
    total += similar.weight * similar_set.loss(
        tf.boolean_mask(moved[:, 1:], disliked) / label.temperature,
        tf.boolean_mask(label.embedding, disliked),
        still,
        tf.boolean_mask(label.row, disliked),
        tf.boolean_mask(windows.weights.negative, disliked),
        similar.key,
        similar.num_neighbours,
    )
    return total * _all_for_taken(num_windows, tf.size(taken))


def windows_that_teach(
    num_windows: tf.Tensor | int, worker: tf.Tensor | int, num_workers: int
) -> tf.Tensor:
    """Returns which of a worker's windows teach: what one worker alone would take.

    One of each four of the step, another one in turn, since worker i has every n-th
    window: always the first of four would be the same worker's.

    Args:
      num_windows: of this worker.
      worker: its number, from 0.
      num_workers: all of them.

    Returns:
      [num_taken] int32 places among this worker's windows.
    """
    own = tf.range(num_windows)
    place = own * num_workers + worker
    turn = place // _WINDOWS_A_LESSON
    return tf.boolean_mask(own, (place - turn) % _WINDOWS_A_LESSON == 0)


def _all_for_taken(num_windows: tf.Tensor, num_taken: tf.Tensor) -> tf.Tensor:
    """Returns by how much a step's windows, of all workers, outnumber those taken."""
    all_windows = replicas.total(tf.cast(num_windows, tf.float32))
    taken = replicas.total(tf.cast(num_taken, tf.float32))
    return all_windows / tf.maximum(taken, 1.0)
