"""Percentile bootstrap over users.

Targets of one user are not independent, so whole users are drawn. The same draws
serve every metric: differences between metrics or models are thereby paired.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

_CHUNK = 64
_KEPT_DRAWS = 200_000_000
"""Up to so many counts (one byte each) the draws are kept instead of drawn again."""


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


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean over targets, or the difference of two."""

    statistic: np.ndarray
    """[num_targets] float64."""
    mask: np.ndarray
    """[num_targets] bool, what the mean is over."""
    other: np.ndarray | None = None
    """[num_targets] bool; the mean over it is subtracted."""


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

        self._kept: list[np.ndarray] = []

    def _draws(self) -> Iterator[np.ndarray]:
        """Yields [chunk, num_users] how often each user is drawn; always the same."""
        if self._kept:
            yield from self._kept
            return
        keep = self._samples * self._num_users <= _KEPT_DRAWS
        rng = np.random.default_rng(self._seed)
        for start in range(0, self._samples, _CHUNK):
            size = min(_CHUNK, self._samples - start)
            drawn = rng.integers(self._num_users, size=(size, self._num_users))
            counts = np.stack(
                [np.bincount(row, minlength=self._num_users) for row in drawn]
            )
            if keep:
                # Nobody is drawn 256 times by chance.
                self._kept.append(counts.astype(np.uint8))
            yield counts

    def _resampled_sums(self, per_target: np.ndarray) -> np.ndarray:
        """Returns [samples, columns]: sums over the drawn users' targets."""
        per_user = np.stack(
            [
                np.bincount(self._user, weights=column, minlength=self._num_users)
                for column in per_target.T
            ],
            axis=1,
        )
        return np.concatenate(
            [counts.astype(np.float64) @ per_user for counts in self._draws()]
        )

    def _interval(self, value: float, resampled: np.ndarray, count: int) -> Interval:
        resampled = resampled[np.isfinite(resampled)]
        if not np.isfinite(value) or not len(resampled):
            return Interval(None, None, None, count)
        low, high = np.quantile(resampled, [self._tail, 1.0 - self._tail])
        return Interval(float(value), float(low), float(high), count)

    def mean(self, statistic: np.ndarray, mask: np.ndarray) -> Interval:
        """Returns the mean of `statistic` over the targets in `mask`; see `means`."""
        return self.means({"": Mean(statistic, mask)})[""]

    def means(self, wanted: Mapping[str, Mean]) -> dict[str, Interval]:
        """Returns the interval of each mean, all from the same draws.

        Many at once cost little more than one: the draws are the dear part.

        Args:
          wanted: name to mean.

        Returns:
          The intervals; their values are None where a mask is empty.
        """
        found: dict[str, Interval] = {}
        columns: list[np.ndarray] = []
        place: dict[str, int] = {}
        for name, mean in wanted.items():
            masks = [mean.mask] if mean.other is None else [mean.mask, mean.other]
            if not self._num_users or not all(mask.any() for mask in masks):
                count = int(sum(mask.sum() for mask in masks))
                found[name] = Interval(None, None, None, count)
                continue
            place[name] = len(columns)
            for mask in masks:
                columns += [np.where(mask, mean.statistic, 0.0), mask.astype(float)]
        if columns:
            per_target = np.stack(columns, axis=1)
            totals, sums = per_target.sum(axis=0), self._resampled_sums(per_target)
            for name, at in place.items():
                found[name] = self._of_sums(totals, sums, at, wanted[name])
        return {name: found[name] for name in wanted}

    def _of_sums(
        self, totals: np.ndarray, sums: np.ndarray, at: int, mean: Mean
    ) -> Interval:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = totals[at] / totals[at + 1]
            resampled = sums[:, at] / sums[:, at + 1]
            count = int(totals[at + 1])
            if mean.other is not None:
                value -= totals[at + 2] / totals[at + 3]
                resampled = resampled - sums[:, at + 2] / sums[:, at + 3]
                count += int(totals[at + 3])
        return self._interval(value, resampled, count)
