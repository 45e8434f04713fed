"""Percentile bootstrap over users.

Targets of one user are not independent, so whole users are drawn. The same draws
serve every metric: differences between metrics or models are thereby paired.
"""

from __future__ import annotations

import dataclasses

import numpy as np

_CHUNK = 64


@dataclasses.dataclass(frozen=True)
class Interval:
    """A value with its interval and the number of targets behind it."""

    value: float | None
    low: float | None
    high: float | None
    count: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Returns the JSON form."""
        return dataclasses.asdict(self)


class UserBootstrap:
    """Draws users once, and answers for any statistic of their targets."""

    def __init__(self, user: np.ndarray, samples: int, confidence: float, seed: int):
        """Prepares the draws.

        Args:
          user: [num_targets] any hashable ids.
          samples: number of resamples.
          confidence: level of the two-sided interval.
          seed: of the draws.
        """
        _, self._user = np.unique(user, return_inverse=True)
        self._num_users = int(self._user.max(initial=-1)) + 1
        self._samples = samples
        self._tail = (1.0 - confidence) / 2.0
        self._seed = seed

    def _resampled_sums(self, per_target: np.ndarray) -> np.ndarray:
        """Returns [samples, columns]: sums over the drawn users' targets."""
        per_user = np.stack(
            [
                np.bincount(self._user, weights=column, minlength=self._num_users)
                for column in per_target.T
            ],
            axis=1,
        )
        rng = np.random.default_rng(self._seed)
        sums = np.empty((self._samples, per_user.shape[1]))
        for start in range(0, self._samples, _CHUNK):
            size = min(_CHUNK, self._samples - start)
            drawn = rng.integers(self._num_users, size=(size, self._num_users))
            weights = np.stack(
                [np.bincount(row, minlength=self._num_users) for row in drawn]
            )
            sums[start : start + size] = weights @ per_user
        return sums

    def _interval(self, value: float, resampled: np.ndarray, count: int) -> Interval:
        resampled = resampled[np.isfinite(resampled)]
        if not np.isfinite(value) or not len(resampled):
            return Interval(None, None, None, count)
        low, high = np.quantile(resampled, [self._tail, 1.0 - self._tail])
        return Interval(float(value), float(low), float(high), count)

    def mean(self, statistic: np.ndarray, mask: np.ndarray) -> Interval:
        """Returns the mean of `statistic` over the targets in `mask`.

        Args:
          statistic: [num_targets] float64.
          mask: [num_targets] bool.

        Returns:
          The interval; its values are None where the mask is empty.
        """
        return self.difference_of_means(statistic, mask, None)

    def difference_of_means(
        self, statistic: np.ndarray, mask: np.ndarray, other: np.ndarray | None
    ) -> Interval:
        """Returns the mean over `mask` minus the mean over `other`.

        Args:
          statistic: [num_targets] float64.
          mask: [num_targets] bool.
          other: [num_targets] bool; absent: nothing is subtracted.
        """
        masks = [mask] if other is None else [mask, other]
        columns = [c for m in masks for c in (statistic * m, m.astype(np.float64))]
        per_target = np.stack(columns, axis=1)
        count = int(sum(m.sum() for m in masks))
        if not self._num_users or not all(m.any() for m in masks):
            return Interval(None, None, None, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            totals = per_target.sum(axis=0)
            sums = self._resampled_sums(per_target)
            value = totals[0] / totals[1]
            resampled = sums[:, 0] / sums[:, 1]
            if other is not None:
                value -= totals[2] / totals[3]
                resampled = resampled - sums[:, 2] / sums[:, 3]
        return self._interval(value, resampled, count)
