"""Ranks the eval split exactly after each epoch, for early stopping."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.trainer import input_fn, replicas
from components.trainer import model as model_lib
from schema import features

_FILTERED_SCORE = -np.inf
_SCORES_AT_ONCE = 50_000_000
_MOST_SCORES = 1_000_000_000
"""Of one validation: ten thousand labels against a hundred thousand candidates."""
_FEWEST_LABELS = 1_000


def label_ranks(
    two_tower: model_lib.TwoTowerModel,
    dataset: tf.data.Dataset,
    max_labels: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns the rank of every label among all candidates, history filtered.

    By the towers' query, from which dislikes are hidden where serving hides them. The
    avoidance path is fitted when the towers are done.

    Labels that are no candidate are left out.

    Args:
      two_tower: the model.
      dataset: batches of windows.
      max_labels: stop after the batch that reaches so many labels; None: rank all.

    Returns:
      rank: [num_labels] int64, 0 is best.
      is_negative: [num_labels] bool, whether the label holds a negative action.
    """
    candidate = two_tower.candidate_tower.embed_all()
    num_labels = 0
    ranks: list[NDArray[np.int64]] = []
    negatives: list[NDArray[np.bool_]] = []
    for batch in dataset:
        rank, negative = _batch_ranks(two_tower, batch, candidate)
        ranks.append(rank)
        negatives.append(negative)
        num_labels += len(ranks[-1])
        if max_labels is not None and num_labels >= max_labels:
            break
    if not ranks:
        return np.zeros(0, np.int64), np.zeros(0, bool)
    return np.concatenate(ranks), np.concatenate(negatives)


def affordable_labels(max_labels: int, num_candidates: int) -> int:
    """Returns how many labels are ranked, so that large catalogues cost no more.

    Example:
      >>> affordable_labels(10_000, 3_000), affordable_labels(10_000, 500_000)
      (10000, 2000)
    """
    return min(max_labels, max(_FEWEST_LABELS, _MOST_SCORES // num_candidates))


def _batch_ranks(
    two_tower: model_lib.TwoTowerModel,
    batch: dict[str, tf.Tensor],
    candidate: tf.Tensor,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    query, label, met, negative = _batch_labels(two_tower, batch, candidate)
    # Labels are ranked in pieces: their scores against a million candidates at once
    # would not fit into memory.
    size = max(1, _SCORES_AT_ONCE // int(candidate.shape[0]))
    pieces = [
        _ranks(
            query[start : start + size],
            label[start : start + size],
            met[start : start + size],
            candidate,
        ).numpy()
        for start in range(0, int(tf.size(label)), size)
    ]
    ranks = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
    return ranks, negative.numpy()


@tf.function(reduce_retracing=True, autograph=False)
def _batch_labels(
    two_tower: model_lib.TwoTowerModel,
    batch: dict[str, tf.Tensor],
    history_embedding: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns query, label, rows met before it (-1: none) and sign of each label."""
    # Serving hides those that are answered still. Which these are differs from label to
    # label, and one pass serves all labels of a window.
    hidden = None if two_tower.avoidance is None else two_tower.dislikes(batch)
    state = two_tower.query_embeddings(batch, history_embedding, hidden)[:, :-1]
    row = batch[input_fn.CANDIDATE_ROW]
    chosen = batch[input_fn.IS_ELEMENT] & (batch[features.IS_LABEL] == 1) & (row >= 0)
    where = tf.where(chosen)
    label = tf.boolean_mask(row, chosen)
    history = tf.gather(row, where[:, 0])
    position = tf.range(tf.shape(row)[1])[None]
    is_before = position < tf.cast(where[:, 1:], tf.int32)
    met = tf.where(is_before, history, -1)
    negative = two_tower.signal.is_negative(batch[features.ACTION_SET])
    return (
        tf.boolean_mask(state, chosen),
        label,
        met,
        tf.boolean_mask(negative, chosen),
    )


@tf.function(reduce_retracing=True, autograph=False)
def _ranks(
    query: tf.Tensor, label: tf.Tensor, met: tf.Tensor, candidate: tf.Tensor
) -> tf.Tensor:
    """Returns [num_labels] int64: candidates that outrank the label, met ones aside.

    A label that was met itself, which no list can hold, comes after all candidates.
    """
    scores = tf.matmul(query, candidate, transpose_b=True)
    target = tf.gather(scores, label, batch_dims=1)
    # Where nothing is filtered, the label's own column gets a bound that changes
    # nothing.
    columns = tf.where(met >= 0, met, label[:, None])
    rows = tf.broadcast_to(tf.range(tf.size(label))[:, None], tf.shape(columns))
    scores = tf.tensor_scatter_nd_min(
        scores,
        tf.stack([rows, columns], axis=-1),
        tf.where(met >= 0, _FILTERED_SCORE, np.inf),
    )
    rank = tf.reduce_sum(tf.cast(scores > target[:, None], tf.int64), axis=1)
    was_met = tf.reduce_any(met == label[:, None], axis=1)
    return tf.where(was_met, tf.shape(candidate, tf.int64)[0], rank)


def ndcg_at_k(rank: NDArray[np.int64], k: int) -> float:
    """Returns the mean NDCG@k of single-label rankings; NaN without labels.

    Example:
      >>> ndcg_at_k(np.array([0, 2, 50]), 10)   # (1 + 1 / log2(4) + 0) / 3
      0.5
    """
    if not len(rank):
        return float("nan")
    return float(np.where(rank < k, 1.0 / np.log2(rank + 2.0), 0.0).mean())


class RankingValidation(tf.keras.callbacks.Callback):
    """Adds `val_ndcg@10` and `val_negative_ndcg@10` to the logs of each epoch.

    A metric without labels to rank is left out. Every worker ranks the whole split;
    they agree on the figure, since what they do next depends on it.
    """

    def __init__(self, dataset: tf.data.Dataset, max_labels: int | None = None):
        super().__init__()
        self._max_labels = max_labels
        self._dataset = dataset

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Ranks the eval split."""
        if logs is None:
            return
        max_labels = self._max_labels
        if max_labels is not None:
            num_candidates = self.model.candidate_tower.num_candidates
            max_labels = affordable_labels(max_labels, num_candidates)
        rank, negative = label_ranks(self.model, self._dataset, max_labels)
        # Early stopping would take the NaN of an empty split for no progress, and
        # bring back the weights of the first epoch.
        if not negative.all():
            logs["val_ndcg@10"] = replicas.agree(ndcg_at_k(rank[~negative], 10))
        if negative.any():
            ndcg = ndcg_at_k(rank[negative], 10)
            logs["val_negative_ndcg@10"] = replicas.agree(ndcg)
