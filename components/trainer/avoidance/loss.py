"""What teaches the avoidance path: the similar-set term, and what is liked after."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.trainer.avoidance import path as avoidance_path
from components.trainer.losses import feedback_retrieval, similar_set, window_labels


class SimilarSet(NamedTuple):
    """What counts as similar to a disliked item, and how much."""

    key: tf.Tensor
    """[num_candidates, 2] int32, see `similar_set.loss`."""
    num_neighbours: int
    weight: float


def loss(
    path: avoidance_path.Avoidance,
    task: feedback_retrieval.FeedbackRetrieval,
    windows: window_labels.EncodedWindows,
    similar: SimilarSet,
) -> tf.Tensor:
    """Returns the sum over labels and disliked items.

    Towers and candidates do not learn from it: the latter would move out of each
    other's way.

    Args:
      path: what learns.
      task: compares labels with candidates.
      windows: windows, candidates and labels.
      similar: what is to be avoided.
    """
    candidates, labels, weights = windows.candidates, windows.labels, windows.weights
    still = candidates._replace(
        embedding=path.with_codes(
            tf.stop_gradient(candidates.embedding), candidates.candidate_id
        )
    )
    label = labels._replace(
        embedding=path.with_codes(
            tf.stop_gradient(labels.embedding), labels.candidate_id
        )
    )
    moved = avoidance_path.moved(
        path,
        tf.stop_gradient(windows.state),
        labels.embedding,
        labels.candidate_id,
        weights.negative,
        windows.is_element,
    )
    follows = path.follows_dislike(weights.negative, windows.is_element)
    liked_after = windows.is_recommendable & (weights.positive > 0) & follows
    disliked = windows.is_known_label & (weights.negative > 0)
    total = label.loss(
        task,
        moved[:, :-1],
        liked_after,
        weights.positive,
        tf.zeros_like(liked_after),
        still,
    )
    return total + similar.weight * similar_set.loss(
        tf.boolean_mask(moved[:, 1:], disliked) / task.temperature,
        tf.boolean_mask(label.embedding, disliked),
        still,
        tf.boolean_mask(label.candidate_id, disliked),
        tf.boolean_mask(weights.negative, disliked),
        similar.key,
        similar.num_neighbours,
        labels.embedding.shape[-1],
    )
