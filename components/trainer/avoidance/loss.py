"""What teaches the avoidance path: the similar-set term, and what is liked after."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.trainer.avoidance import path as avoidance_path
from components.trainer.losses import label_loss, similar_set


class SimilarSet(NamedTuple):
    """What counts as similar to a disliked item, and how much."""

    key: tf.Tensor
    """[num_candidates, 2] int32, see `similar_set.loss`."""
    num_neighbours: int
    weight: float


def loss(
    path: avoidance_path.Avoidance,
    step: label_loss.Step,
    similar: SimilarSet,
) -> tf.Tensor:
    """Returns the sum over labels and disliked items.

    Towers and candidates do not learn from it: the latter would move out of each
    other's way.

    Args:
      path: what learns.
      step: windows, candidates and labels.
      similar: what is to be avoided.
    """
    corpus, elements, weights = step.corpus, step.elements, step.weights
    still = corpus._replace(
        embedding=path.with_codes(tf.stop_gradient(corpus.embedding), corpus.row)
    )
    label = elements._replace(
        embedding=path.with_codes(tf.stop_gradient(elements.embedding), elements.row)
    )
    moved = avoidance_path.moved(
        path,
        tf.stop_gradient(step.state),
        step.item,
        elements.row,
        weights.negative,
        step.is_element,
    )
    felt = path.is_felt(weights.negative, step.is_element)
    liked_after = step.fresh & (weights.positive > 0) & felt
    disliked = step.usable & (weights.negative > 0)
    total = label.loss(
        moved[:, :-1],
        liked_after,
        weights.positive,
        tf.zeros_like(liked_after),
        still,
    )
    return total + similar.weight * similar_set.loss(
        tf.boolean_mask(moved[:, 1:], disliked) / label.temperature,
        tf.boolean_mask(label.embedding, disliked),
        still,
        tf.boolean_mask(label.row, disliked),
        tf.boolean_mask(weights.negative, disliked),
        similar.key,
        similar.num_neighbours,
        step.item.shape[-1],
    )
