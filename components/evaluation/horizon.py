"""Judging one list a user by all that the user did within a span of time after it.

The next dislike alone is mostly chance; what is disliked within a week is a taste
(CoNRec, arXiv:2601.15721).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components import bootstrap, held_out
from components.evaluation import item_index, metrics
from schema import reports, settings


class HorizonTable:
    """Per user the first held-out request, and what followed within the horizon."""

    def __init__(
        self,
        targets: Sequence[held_out.Target],
        index: item_index.ItemIndex,
        feedback: settings.FeedbackSettings,
        evaluation: settings.EvaluationSettings,
    ):
        """Collects what followed; the arguments are those of `targets.TargetTable`."""
        first: dict[bytes, int] = {}
        for row, target in enumerate(targets):
            user = target.window.user_id
            if user not in first or _time(target) < _time(targets[first[user]]):
                first[user] = row
        self.target_row = np.array(sorted(first.values()), np.int64)
        """[num_users] int64 rows of `targets`."""
        request, item, sign = [], [], []
        signs: dict[bytes, str] = {}
        for number, row in enumerate(self.target_row):
            window, position = targets[row].window, targets[row].position
            end = window.timestamp[position] + evaluation.horizon_ms
            follows = np.flatnonzero(window.is_label & (window.timestamp <= end))
            for at in follows[follows >= position]:
                action = bytes(window.action[at])
                if action not in signs:
                    signs[action] = held_out.polarity(action, feedback)
                request.append(number)
                item.append(window.item_id[at])
                sign.append(signs[action])
        self._request = np.array(request, np.int64)
        self._item = index.encode(np.array(item, object))
        self._sign = np.array(sign, object)
        self._draws = bootstrap.UserBootstrap(
            np.arange(len(self.target_row)),
            evaluation.bootstrap_samples,
            evaluation.confidence,
            evaluation.seed,
        )

    def relevance(
        self, top: NDArray[np.int32], cutoffs: Sequence[int]
    ) -> reports.Metrics:
        """Returns `[negative_]horizon_recall@K`, `..._ndcg@K` and the delta.

        Recall is the share of a user's relevant items among the first K, NDCG's ideal
        has all of them on top; users without relevant items of the sign do not count.

        Args:
          top: [num_targets, length] int32, the lists of all targets.
          cutoffs: K of the metrics.
        """
        lists = top[self.target_row]
        rank = metrics.target_rank(lists[self._request], self._item)
        wanted: dict[str, bootstrap.Mean] = {}
        for k in cutoffs:
            gains = {}
            for sign, prefix in (
                (held_out.POSITIVE, ""),
                (held_out.NEGATIVE, "negative_"),
            ):
                chosen = self._sign == sign
                number = np.bincount(self._request[chosen], minlength=len(lists))
                has = number > 0

                def per_user(
                    statistic: NDArray[np.float64], chosen: NDArray[np.bool_] = chosen
                ) -> NDArray[np.float64]:
                    sums = np.bincount(
                        self._request[chosen],
                        weights=statistic[chosen],
                        minlength=len(lists),
                    )
                    return np.asarray(sums, np.float64)

                recall = per_user(metrics.hit(rank, k)) / np.maximum(number, 1)
                gain = per_user(metrics.discounted_hit(rank, k))
                # Gains added up in another order may exceed the ideal in the last bit.
                ndcg = np.minimum(
                    gain / metrics.ideal_gain(np.maximum(number, 1), k), 1.0
                )
                wanted[f"{prefix}horizon_recall@{k}"] = bootstrap.Mean(recall, has)
                wanted[f"{prefix}horizon_ndcg@{k}"] = bootstrap.Mean(ndcg, has)
                gains[sign] = (ndcg, has)
            (liked, has_liked), (disliked, has_disliked) = gains.values()
            # Of users who have both: what is liked against what is disliked.
            both = has_liked & has_disliked
            wanted[f"delta_horizon_ndcg@{k}"] = bootstrap.Mean(liked - disliked, both)
        return self._draws.means(wanted)


def _time(target: held_out.Target) -> tuple[int, int]:
    return int(target.window.timestamp[target.position]), target.position
