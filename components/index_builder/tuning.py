"""Chooses the cheapest index and search effort that reach the recall target.

The queries that choose play no part in the recall that is reported.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.index_builder import scann_index, search_cost
from schema import settings

_LEAF_FACTORS = (1.0, 2.0, 4.0)
"""Partitions that are tried, as multiples of the square root of the catalogue."""
_LEAF_SHARES = (
    *(0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18),
    *(0.22, 0.26, 0.3, 0.4, 0.6, 0.8, 1.0),
)
_REORDER_FACTORS = (2, 3, 4, 5, 7, 10, 20, 40)
"""Candidates rescored exactly, as a multiple of `recall_k`."""
_SCORES_AT_ONCE = 2**24


@dataclasses.dataclass(frozen=True)
class TuningResult:
    """The choice and how it came about; no layer means exact search."""

    layer: scann_index.TunableScann | None
    recall: float
    """On queries that played no part in the choice."""
    reason: str
    """Why exact search was chosen; empty where it was not."""
    cost_ns: float
    """Of one query, by the cost model."""
    exact_cost_ns: float
    num_queries: int
    """Queries behind `recall`."""
    curve: tuple[dict[str, float], ...]
    """Every setting tried: num_leaves, dims_per_block, leaves_searched, num_reordered,
    recall on the tuning queries, cost_ns."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form for the manifest."""
        chosen: dict[str, Any] = {"kind": "exact", "num_leaves": 0, "effort": None}
        if self.layer is not None:
            chosen = {
                "kind": "scann",
                **dataclasses.asdict(self.layer.shape),
                "effort": dataclasses.asdict(self.layer.effort),
            }
        fields = dataclasses.fields(self)
        others = {f.name: getattr(self, f.name) for f in fields if f.name != "layer"}
        return {**chosen, **others, "curve": list(self.curve)}


def recall(found: NDArray[np.int32], exact: NDArray[np.int32]) -> float:
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


def exact_rows(
    query: NDArray[np.float32], embedding: NDArray[np.float32], k: int
) -> NDArray[np.int32]:
    """Returns the k best rows of each query by exact search, [num_queries, k]."""
    rows = []
    step = max(1, _SCORES_AT_ONCE // len(embedding))
    candidates = tf.constant(embedding)
    for start in range(0, len(query), step):
        score = tf.matmul(query[start : start + step], candidates, transpose_b=True)
        rows.append(tf.math.top_k(score, k=k).indices.numpy())
    return np.concatenate(rows)


def tune(
    embedding: NDArray[np.float32],
    query: NDArray[np.float32],
    index: settings.IndexSettings,
) -> TuningResult:
    """Builds indices, chooses one and its effort, and returns the choice.

    Leaves are chosen first, then the quantisation at that number. Exact search is the
    answer where no setting reaches the target for less than exact search costs.

    Args:
      embedding: [num_candidates, dim] float32.
      query: [num_queries, dim] float32; every second one tunes, the others measure.
      index: the section.
    """
    k = min(index.recall_k, len(embedding))
    tuning, held_out = query[::2], query[1::2]
    if not len(held_out):
        held_out = tuning
    wanted = exact_rows(tuning, embedding, k)
    exact_cost = search_cost.exact_ns(*embedding.shape)
    best: scann_index.TunableScann | None = None
    best_cost = exact_cost if index.search == "auto" else math.inf
    curve: list[dict[str, float]] = []

    def consider(shape: scann_index.IndexShape) -> None:
        nonlocal best, best_cost
        affordable = [
            (cost, effort)
            for cost, effort in efforts(shape, k, *embedding.shape)
            if cost < best_cost
        ]
        if not affordable:
            return
        layer = scann_index.TunableScann(embedding, shape)
        for cost, effort in affordable:
            reached = recall(_search(layer, effort, tuning, k), wanted)
            tried = {**dataclasses.asdict(shape), **dataclasses.asdict(effort)}
            curve.append({**tried, "recall": reached, "cost_ns": round(cost)})
            if reached >= index.recall_target:
                best, best_cost = layer, cost
                return

    for leaves in leaf_options(len(embedding), index):
        consider(scann_index.IndexShape(leaves, min(search_cost.CODE_NS)))
    if best is not None:
        coarser = max(search_cost.CODE_NS)
        consider(dataclasses.replace(best.shape, dims_per_block=coarser))
    if best is None:
        most = max((tried["recall"] for tried in curve), default=0.0)
        limit = " that costs less than exact search" if index.search == "auto" else ""
        reason = (
            f"no setting{limit} finds {index.recall_target:g} of the first {k}; the "
            f"best found {most:.3f}"
        )
        return TuningResult(
            None, 1.0, reason, exact_cost, exact_cost, len(held_out), tuple(curve)
        )
    found = _search(best, best.effort, held_out, k)
    measured = recall(found, exact_rows(held_out, embedding, k))
    return TuningResult(
        best, measured, "", best_cost, exact_cost, len(held_out), tuple(curve)
    )


def leaf_options(num_candidates: int, index: settings.IndexSettings) -> list[int]:
    """Returns the numbers of partitions that are tried, ascending.

    Example:
      >>> leaf_options(10_000, settings.IndexSettings())
      [100, 200, 400]
    """
    if index.num_leaves:
        return [min(index.num_leaves, num_candidates)]
    root = num_candidates**0.5
    return sorted({max(2, round(factor * root)) for factor in _LEAF_FACTORS})


def efforts(
    shape: scann_index.IndexShape, k: int, num_candidates: int, dim: int
) -> list[tuple[float, scann_index.SearchEffort]]:
    """Returns (cost in ns, setting) from the cheapest to the dearest, without repeats.

    Args:
      shape: of the index.
      k: what is searched for; at least as many are rescored.
      num_candidates: size of the catalogue.
      dim: dimensions of an embedding.
    """
    found = {
        scann_index.SearchEffort(
            max(1, round(share * shape.num_leaves)), min(num_candidates, factor * k)
        )
        for share in _LEAF_SHARES
        for factor in _REORDER_FACTORS
    }

    def cost(effort: scann_index.SearchEffort) -> float:
        return search_cost.approximate_ns(
            num_candidates,
            dim,
            shape.num_leaves,
            shape.dims_per_block,
            effort.leaves_searched,
            effort.num_reordered,
        )

    return sorted(
        ((cost(effort), effort) for effort in found),
        key=lambda pair: (pair[0], pair[1].leaves_searched),
    )


def _search(
    layer: scann_index.TunableScann,
    effort: scann_index.SearchEffort,
    query: NDArray[np.float32],
    k: int,
) -> NDArray[np.int32]:
    layer.effort = effort
    rows: NDArray[np.int32] = layer(tf.constant(query), k=k)[1].numpy()
    return rows
