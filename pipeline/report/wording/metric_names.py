"""What the metrics of `evaluation.json` are called in words, and which way is good."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from schema import reports


@dataclasses.dataclass(frozen=True)
class Family:
    """A metric at all its cut-offs."""

    name: str
    """`recall` of `recall@10`."""
    words: str
    """What it says; `{k}` stands for the cut-off."""
    higher_is_better: bool
    needs: str
    """Without which targets it has no value."""


RANKING = (
    Family("recall", "share of liked items among the first {k}", True, "liked"),
    Family("ndcg", "liked items, first {k}, weighted by place", True, "liked"),
    Family("mrr", "mean of 1 / place of the liked item", True, "liked"),
    Family(
        "negative_recall",
        "share of disliked items among the first {k}",
        False,
        "disliked",
    ),
    Family(
        "negative_ndcg",
        "disliked items, first {k}, weighted by place",
        False,
        "disliked",
    ),
    Family(
        "delta_ndcg",
        "NDCG of liked minus disliked items, first {k}",
        True,
        "liked, disliked",
    ),
)
"""Also measured for the baselines."""
SERVING = (
    Family("coverage", "share of the catalogue shown to anyone, first {k}", True, ""),
    Family("index_recall", "share of the exact first {k} that is served", True, ""),
)
"""Measured for this model only, and so are the two that follow."""
SERVED_LISTS = (
    Family("popularity", "how popular the first {k} are; 1: the most", False, ""),
    Family("popularity_lift", "the same beyond the user's own history", False, ""),
    Family("diversity", "how little categories repeat among the first {k}", True, ""),
)
HORIZON = (
    Family("horizon_recall", "share of what was liked next, first {k}", True, "liked"),
    Family("horizon_ndcg", "the same, weighted by place", True, "liked"),
    Family(
        "negative_horizon_recall",
        "share of what was disliked next, first {k}",
        False,
        "disliked",
    ),
    Family("negative_horizon_ndcg", "the same, weighted by place", False, "disliked"),
    Family(
        "delta_horizon_ndcg",
        "NDCG of liked minus disliked, of users with both",
        True,
        "liked, disliked",
    ),
)
"""One request a user, judged by all that follows within `evaluation.horizon_ms`."""
GATED_K = 10
"""The cut-off that the gate's rules are about; always measured."""


def cutoffs(metrics: Iterable[str], family: str) -> tuple[int, ...]:
    """Returns the cut-offs at which a family was measured, sorted.

    Example:
      >>> cutoffs(["recall@100", "recall@20", "index_recall@10"], "recall")
      (20, 100)
    """
    parts = [name.rpartition("@") for name in metrics]
    return tuple(
        sorted(int(k) for name, _, k in parts if name == family and k.isdigit())
    )


def names(metrics: Iterable[str], family: str) -> tuple[tuple[str, int | None], ...]:
    """Returns the full names of a family's metrics with their cut-offs, if any."""
    metrics = list(metrics)
    if family in metrics:
        return ((family, None),)
    return tuple((f"{family}@{k}", k) for k in cutoffs(metrics, family))


def main_cutoff(metrics: reports.Metrics) -> int | None:
    """Returns the cut-off of the headline figures: the gate's, or the smallest."""
    measured = cutoffs(metrics, "recall")
    return GATED_K if GATED_K in measured else min(measured, default=None)


def why_missing(interval: reports.Interval | None, needs: str) -> str:
    """Returns why a metric has no value."""
    if interval is None:
        return "not measured"
    if not interval.count:
        return f"no {needs} targets" if "," not in needs else "no targets"
    if "," in needs:
        return f"needs both {needs.replace(', ', ' and ')} targets"
    return "no finite value"
