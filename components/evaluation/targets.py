"""The held-out targets as columns, and the metrics of where they are ranked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components import bootstrap, held_out
from components.evaluation import item_index, metrics
from schema import reports, settings

LIST_LENGTH = 100
"""Recommendations kept of every request."""
GATED_K = 10
"""The gate's rules are about it, so it is measured whatever `top_k` says."""


def cutoffs(evaluation: settings.EvaluationSettings) -> tuple[int, ...]:
    """Returns the sorted K of the metrics."""
    return tuple(sorted({*evaluation.top_k, GATED_K}))


class TargetTable:
    """The held-out targets as columns, and the draws behind their intervals."""

    def __init__(
        self,
        targets: Sequence[held_out.Target],
        index: item_index.ItemIndex,
        feedback: settings.FeedbackSettings,
        evaluation: settings.EvaluationSettings,
    ):
        """Reads the columns.

        Args:
          targets: the held-out interactions.
          index: numbers of the items.
          feedback: the policy.
          evaluation: the section.
        """
        self.targets = targets
        self.index = index
        self.user_id = np.array([t.window.user_id for t in targets], object)
        self.item_id = np.array([t.item_id for t in targets], object)
        self.item = index.encode(self.item_id)
        """[num_targets] int32."""
        signs: dict[bytes, tuple[str, bool]] = {}

        def sign(action: bytes) -> tuple[str, bool]:
            if action not in signs:
                signs[action] = (
                    held_out.polarity(action, feedback),
                    held_out.is_explicit_negative(action, feedback),
                )
            return signs[action]

        found = [sign(t.action) for t in targets]
        self.polarity = np.array([polarity for polarity, _ in found], object)
        self.explicit = np.array([explicit for _, explicit in found], bool)
        self.history_length = np.array([t.position for t in targets], np.int64)
        self.is_positive = self.polarity == held_out.POSITIVE
        self.is_negative = self.polarity == held_out.NEGATIVE
        shape = (len(targets), int(self.history_length.max(initial=0)))
        self.history = np.full(shape, item_index.PAD, np.int32)
        """[num_targets, longest] items before each target, oldest first, -1 pads."""
        self.history_is_liked = np.zeros(shape, bool)
        # All windows at once: a call for each would cost more than its work.
        windows = {id(t.window): t.window for t in targets}
        whole = [window.item_id for window in windows.values()]
        ends = np.cumsum([len(items) for items in whole])
        items_of = np.split(
            index.encode(np.concatenate(whole) if whole else np.zeros(0, object)),
            ends[:-1],
        )
        place = {key: at for at, key in enumerate(windows)}
        liked_of = [
            np.array([sign(bytes(a))[0] != held_out.NEGATIVE for a in window.action])
            for window in windows.values()
        ]
        for row, target in enumerate(targets):
            window, at = place[id(target.window)], target.position
            self.history[row, :at] = items_of[window][:at]
            self.history_is_liked[row, :at] = liked_of[window][:at]
        self.cutoffs = cutoffs(evaluation)
        self.list_length = max(LIST_LENGTH, *self.cutoffs)
        """Recommendations asked for; a target beyond them counts as not served."""
        self.draws = bootstrap.UserBootstrap(
            self.user_id,
            evaluation.bootstrap_samples,
            evaluation.confidence,
            evaluation.seed,
        )

    def __len__(self) -> int:
        return len(self.user_id)

    def relevance(
        self, rank: NDArray[np.int64], chosen: NDArray[np.bool_] | None = None
    ) -> reports.Metrics:
        """Returns the ranking metrics of the chosen targets.

        Args:
          rank: [num_targets] position of each target in its list.
          chosen: [num_targets]; absent: all.
        """
        positive, negative = self._by_polarity(chosen)
        wanted: dict[str, bootstrap.Mean] = {}
        for k in self.cutoffs:
            hit, gain = metrics.hit(rank, k), metrics.discounted_hit(rank, k)
            wanted[f"recall@{k}"] = bootstrap.Mean(hit, positive)
            wanted[f"ndcg@{k}"] = bootstrap.Mean(gain, positive)
            wanted[f"negative_recall@{k}"] = bootstrap.Mean(hit, negative)
            wanted[f"negative_ndcg@{k}"] = bootstrap.Mean(gain, negative)
            wanted[f"delta_ndcg@{k}"] = bootstrap.Mean(gain, positive, negative)
        reciprocal = metrics.reciprocal_rank(rank, self.list_length)
        wanted["mrr"] = bootstrap.Mean(reciprocal, positive)
        return self.draws.means(wanted)

    def difference(
        self,
        rank: NDArray[np.int64],
        other_rank: NDArray[np.int64],
        chosen: NDArray[np.bool_] | None = None,
    ) -> reports.Differences:
        """Returns the paired differences of two models, this one minus the other.

        Args:
          rank: [num_targets] of this model.
          other_rank: [num_targets] of the other.
          chosen: [num_targets]; absent: all.
        """
        positive, negative = self._by_polarity(chosen)
        wanted: dict[str, bootstrap.Mean] = {}
        for k in self.cutoffs:
            for name, statistic in (
                ("recall", metrics.hit),
                ("ndcg", metrics.discounted_hit),
            ):
                gain = statistic(rank, k) - statistic(other_rank, k)
                wanted[f"{name}@{k}"] = bootstrap.Mean(gain, positive)
                wanted[f"negative_{name}@{k}"] = bootstrap.Mean(gain, negative)
        gain = metrics.reciprocal_rank(rank, self.list_length)
        gain = gain - metrics.reciprocal_rank(other_rank, self.list_length)
        wanted["mrr"] = bootstrap.Mean(gain, positive)
        return self.draws.means(wanted)

    def _by_polarity(
        self, chosen: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        if chosen is None:
            return self.is_positive, self.is_negative
        return self.is_positive & chosen, self.is_negative & chosen
