"""From served lists to `evaluation.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from components.evaluation import bootstrap, metrics
from components.index_builder import held_out
from schema import settings

LIST_LENGTH = 100
"""Recommendations kept of every request."""
GATED_K = 10
"""The gate's rules are about it, so it is measured whatever `top_k` says."""

Metrics = dict[str, dict[str, float | int | None]]


def cutoffs(evaluation: settings.EvaluationSettings) -> tuple[int, ...]:
    """Returns the sorted K of the metrics."""
    return tuple(sorted({*evaluation.top_k, GATED_K}))


class TargetTable:
    """The held-out targets as columns, and the draws behind their intervals."""

    def __init__(
        self,
        targets: Sequence[held_out.Target],
        feedback: settings.FeedbackSettings,
        evaluation: settings.EvaluationSettings,
    ):
        self.user_id = np.array([t.window.user_id for t in targets], object)
        self.item_id = np.array([t.item_id for t in targets], object)
        self.polarity = np.array(
            [held_out.polarity(t.action, feedback) for t in targets], object
        )
        self.explicit = np.array(
            [held_out.is_explicit_negative(t.action, feedback) for t in targets], bool
        )
        self.history_length = np.array([t.position for t in targets], np.int64)
        self.is_positive = self.polarity == held_out.POSITIVE
        self.is_negative = self.polarity == held_out.NEGATIVE
        self.cutoffs = cutoffs(evaluation)
        self.draws = bootstrap.UserBootstrap(
            self.user_id,
            evaluation.bootstrap_samples,
            evaluation.confidence,
            evaluation.seed,
        )

    def __len__(self) -> int:
        return len(self.user_id)

    def relevance(self, rank: np.ndarray, chosen: np.ndarray) -> Metrics:
        """Returns the ranking metrics of the chosen targets.

        Args:
          rank: [num_targets] position of each target in its list.
          chosen: [num_targets] bool.
        """
        positive, negative = self.is_positive & chosen, self.is_negative & chosen
        result: dict[str, bootstrap.Interval] = {}
        for k in self.cutoffs:
            hit, gain = metrics.hit(rank, k), metrics.discounted_hit(rank, k)
            result[f"recall@{k}"] = self.draws.mean(hit, positive)
            result[f"ndcg@{k}"] = self.draws.mean(gain, positive)
            result[f"negative_recall@{k}"] = self.draws.mean(hit, negative)
            result[f"negative_ndcg@{k}"] = self.draws.mean(gain, negative)
            result[f"delta_ndcg@{k}"] = self.draws.difference_of_means(
                gain, positive, negative
            )
        longest = max(LIST_LENGTH, *self.cutoffs)
        result["mrr"] = self.draws.mean(
            metrics.reciprocal_rank(rank, longest), positive
        )
        return {name: interval.to_dict() for name, interval in result.items()}

    def difference(self, rank: np.ndarray, other_rank: np.ndarray) -> Metrics:
        """Returns the paired differences of two models, this one minus the other."""
        result: Metrics = {}
        for k in self.cutoffs:
            for name, statistic in (
                ("recall", metrics.hit),
                ("ndcg", metrics.discounted_hit),
            ):
                gain = statistic(rank, k) - statistic(other_rank, k)
                for prefix, mask in (
                    ("", self.is_positive),
                    ("negative_", self.is_negative),
                ):
                    interval = self.draws.mean(gain, mask)
                    result[f"{prefix}{name}@{k}"] = interval.to_dict()
        return result


def coverage(
    top: np.ndarray, k: int, num_candidates: int, seed: int, samples: int = 200
) -> dict[str, float | int | None]:
    """Returns the share of candidates that appear in some list's first k.

    A resample holds fewer distinct requests than the data and so covers less; the
    interval is therefore the spread of the resamples laid round the value itself.

    Args:
      top: [num_requests, at least k] object (bytes), b"" pads.
      k: cut-off.
      num_candidates: size of the catalogue.
      seed: of the resamples.
      samples: number of resamples of requests.
    """
    lists = top[:, :k]
    if not lists.size:
        return bootstrap.Interval(None, None, None, len(top)).to_dict()
    items, index = np.unique(lists.astype(bytes), return_inverse=True)
    index = index.reshape(lists.shape)
    real = items != b""
    value = real.sum() / num_candidates
    rng = np.random.default_rng(seed)
    shares = np.empty(samples)
    for sample in range(samples):
        seen = np.zeros(len(items), bool)
        seen[index[rng.integers(len(lists), size=len(lists))].ravel()] = True
        shares[sample] = (seen & real).sum() / num_candidates
    low, high = value + np.quantile(shares, [0.025, 0.975]) - shares.mean()
    return bootstrap.Interval(
        float(value), float(max(low, 0.0)), float(min(high, 1.0)), len(top)
    ).to_dict()


def slice_masks(
    table: TargetTable, item_count: Mapping[bytes, int]
) -> dict[str, np.ndarray]:
    """Returns the slices: name to [num_targets] bool.

    Args:
      table: the targets.
      item_count: training labels of each item; absent: never seen in training.
    """
    count = np.array([item_count.get(item, 0) for item in table.item_id], np.int64)
    ordered = np.sort(np.array(list(item_count.values()), np.int64))[::-1]
    # The head is the smallest set of items that holds half of the training labels.
    half = np.searchsorted(np.cumsum(ordered), ordered.sum() / 2.0)
    head_count = ordered[min(half, len(ordered) - 1)] if len(ordered) else 0
    median = float(np.median(table.history_length)) if len(table) else 0.0
    return {
        "history:short": table.history_length <= median,
        "history:long": table.history_length > median,
        "item:head": count >= max(head_count, 1),
        "item:tail": (count > 0) & (count < head_count),
        "item:cold": count == 0,
        "negative:explicit": table.explicit,
        "negative:implicit": table.is_negative & ~table.explicit,
    }


def popularity_lists(
    item_count: Mapping[bytes, int], histories: Sequence[np.ndarray], length: int
) -> np.ndarray:
    """Returns the most popular items outside each history.

    Args:
      item_count: training labels of each item.
      histories: item ids before each target.
      length: items of each list.

    Returns:
      [len(histories), length] object (bytes), b"" pads.
    """
    order = sorted(item_count, key=lambda item: (-item_count[item], item))
    lists = np.full((len(histories), length), b"", object)
    for row, history in enumerate(histories):
        seen = set(history.tolist())
        column = 0
        for item in order:
            if column == length:
                break
            if item not in seen:
                lists[row, column] = item
                column += 1
    return lists
