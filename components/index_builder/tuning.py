"""Chooses the least search effort that reaches the recall target.

The queries that choose play no part in the recall that is reported.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from components.index_builder import scann_index
from schema import settings

_LEAF_SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
_REORDER_FACTORS = (3, 10, 30)
"""Candidates rescored exactly, as a multiple of `recall_k`."""


@dataclasses.dataclass(frozen=True)
class TuningResult:
    """The choice and how it came about; effort None means exact search."""

    effort: scann_index.SearchEffort | None
    recall: float
    """On queries that played no part in the choice."""
    curve: tuple[dict[str, float], ...]
    """Every setting tried: leaves_searched, num_reordered, recall."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form for the manifest."""
        return dataclasses.asdict(self)


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Returns the mean share of the exact rows that were found.

    Args:
      found: [num_queries, at most k] int32 rows.
      exact: [num_queries, k] int32 rows.

    Example:
      >>> recall(np.array([[1, 2]]), np.array([[2, 3]]))
      0.5
    """
    hits = [np.isin(e, f).mean() for f, e in zip(found, exact, strict=True)]
    return float(np.mean(hits))


def exact_rows(query: np.ndarray, embedding: np.ndarray, k: int) -> np.ndarray:
    """Returns the k best rows of each query by exact search, [num_queries, k]."""
    rows = []
    for start in range(0, len(query), 64):
        score = tf.matmul(query[start : start + 64], embedding, transpose_b=True)
        rows.append(tf.math.top_k(score, k=k).indices.numpy())
    return np.concatenate(rows)


def tune(
    layer: scann_index.TunableScann,
    leaves: int,
    embedding: np.ndarray,
    query: np.ndarray,
    index: settings.IndexSettings,
) -> TuningResult:
    """Sets the layer's effort and returns the choice.

    Settings are tried from the cheapest on; exact search is the answer where even all
    leaves with the deepest rescoring miss the target.

    Args:
      layer: the built index.
      leaves: its number of partitions.
      embedding: [num_candidates, dim] float32.
      query: [num_queries, dim] float32; every second one tunes, the others measure.
      index: the section.
    """
    k = min(index.recall_k, len(embedding))
    tuning, held_out = query[::2], query[1::2]
    if not len(held_out):
        held_out = tuning
    wanted = exact_rows(tuning, embedding, k)
    curve: list[dict[str, float]] = []
    for effort in efforts(leaves, k, len(embedding)):
        reached = recall(_search(layer, effort, tuning, k), wanted)
        curve.append({**dataclasses.asdict(effort), "recall": reached})
        if reached >= index.recall_target:
            measured = recall(
                _search(layer, effort, held_out, k), exact_rows(held_out, embedding, k)
            )
            return TuningResult(effort, measured, tuple(curve))
    return TuningResult(None, 1.0, tuple(curve))


def efforts(leaves: int, k: int, num_candidates: int) -> list[scann_index.SearchEffort]:
    """Returns the settings from the cheapest to the dearest, without repeats.

    The cost is taken to be the candidates scored in leaves plus those rescored, of
    which each costs about as much as eight scored by their codes.
    """
    found = {
        scann_index.SearchEffort(
            max(1, round(share * leaves)), min(num_candidates, factor * k)
        )
        for share in _LEAF_SHARES
        for factor in _REORDER_FACTORS
    }

    def cost(effort: scann_index.SearchEffort) -> tuple[float, int]:
        scored = effort.leaves_searched / leaves * num_candidates
        return scored + 8.0 * effort.num_reordered, effort.leaves_searched

    return sorted(found, key=cost)


def _search(
    layer: scann_index.TunableScann,
    effort: scann_index.SearchEffort,
    query: np.ndarray,
    k: int,
) -> np.ndarray:
    layer.effort = effort
    return layer(tf.constant(query), k=k)[1].numpy()
