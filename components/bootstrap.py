"""Percentile bootstrap over users.

What one user does, or is simulated to do, is not independent of itself, so whole users
are drawn. The same draws serve every figure of the same rows: differences between
metrics, models or branches are thereby paired.

A mean comes from `UserBootstrap.means`. For any other figure resample the sums that it
is made of, and make it of them:

    draws = bootstrap.UserBootstrap(user, samples, confidence, seed)
    sums = draws.sums(np.stack([control, treatment - control], axis=1))
    change = (treatment - control).sum() / control.sum()
    low, high = draws.interval(change, sums[:, 1] / sums[:, 0])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schema import reports

_CHUNK = 64
"""Resamples drawn at once; bounds memory."""
_KEPT_DRAWS = 200_000_000
"""Up to so many counts (one byte each) the draws are kept instead of drawn again."""


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean over rows, or the difference of two."""

    statistic: NDArray[np.float64]
    """[num_rows]."""
    mask: NDArray[np.bool_]
    """[num_rows], what the mean is over."""
    other: NDArray[np.bool_] | None = None
    """[num_rows]; the mean over it is subtracted."""


class UserBootstrap:
    """Draws users once, and answers for any statistic of their rows."""

    def __init__(self, user: NDArray[Any], samples: int, confidence: float, seed: int):
        """Prepares the draws.

        Args:
          user: [num_rows] any ids; the rows of a user stay together.
          samples: number of resamples.
          confidence: level of the two-sided interval, in (0, 1).
          seed: of the draws.
        """
        _, self._user = np.unique(user, return_inverse=True)
        self.num_users = int(self._user.max(initial=-1)) + 1
        self._samples = samples
        self._tail = (1.0 - confidence) / 2.0
        self._seed = seed
        self._kept: list[NDArray[np.uint8]] = []

    def _draws(self) -> Iterator[NDArray[Any]]:
        """Yields [chunk, num_users] how often each user is drawn; always the same."""
        if self._kept:
            yield from self._kept
            return
        keep = self._samples * self.num_users <= _KEPT_DRAWS
        rng = np.random.default_rng(self._seed)
        for start in range(0, self._samples, _CHUNK):
            size = min(_CHUNK, self._samples - start)
            drawn = rng.integers(self.num_users, size=(size, self.num_users))
            counts = np.stack(
                [np.bincount(row, minlength=self.num_users) for row in drawn]
            )
            if keep:
                # Nobody is drawn 256 times by chance.
                self._kept.append(counts.astype(np.uint8))
            yield counts

    def sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns [samples, columns]: sums over the drawn users' rows.

        Args:
          columns: [num_rows, columns]; at least one row.
        """
        per_user = np.stack(
            [
                np.bincount(self._user, weights=column, minlength=self.num_users)
                for column in columns.T
            ],
            axis=1,
        )
        return np.concatenate(
            [counts.astype(np.float64) @ per_user for counts in self._draws()]
        )

    def interval(
        self, value: float, resampled: NDArray[np.float64]
    ) -> tuple[float, float] | None:
        """Returns the percentile interval; None where nothing is finite.

        Percentiles of a skewed figure may leave out the figure itself, and rounding
        does where all users are alike: the interval is widened to hold it.

        Args:
          value: the figure of all rows.
          resampled: [samples] of each resample; what is not finite does not count.
        """
        found = resampled[np.isfinite(resampled)]
        if not np.isfinite(value) or not len(found):
            return None
        low, high = np.quantile(found, [self._tail, 1.0 - self._tail])
        return min(float(low), value), max(float(high), value)

    def means(self, wanted: Mapping[str, Mean]) -> dict[str, reports.Interval]:
        """Returns the interval of each mean, all from the same draws.

        Many at once cost little more than one: the draws are the dear part.

        Args:
          wanted: name to mean.

        Returns:
          The intervals; their values are None where a mask is empty.
        """
        found: dict[str, reports.Interval] = {}
        columns: list[NDArray[np.float64]] = []
        place: dict[str, int] = {}
        for name, mean in wanted.items():
            masks = [mean.mask] if mean.other is None else [mean.mask, mean.other]
            if not all(mask.any() for mask in masks):
                found[name] = _interval(None, None, sum(int(m.sum()) for m in masks))
                continue
            place[name] = len(columns)
            for mask in masks:
                columns += [np.where(mask, mean.statistic, 0.0), mask.astype(float)]
        if columns:
            per_row = np.stack(columns, axis=1)
            totals, sums = per_row.sum(axis=0), self.sums(per_row)
            for name, at in place.items():
                found[name] = self._of_sums(totals, sums, at, wanted[name])
        return {name: found[name] for name in wanted}

    def _of_sums(
        self,
        totals: NDArray[np.float64],
        sums: NDArray[np.float64],
        at: int,
        mean: Mean,
    ) -> reports.Interval:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = totals[at] / totals[at + 1]
            resampled = sums[:, at] / sums[:, at + 1]
            count = int(totals[at + 1])
            if mean.other is not None:
                value -= totals[at + 2] / totals[at + 3]
                resampled = resampled - sums[:, at + 2] / sums[:, at + 3]
                count += int(totals[at + 3])
        return _interval(float(value), self.interval(float(value), resampled), count)


def _interval(
    value: float | None, ends: tuple[float, float] | None, count: int
) -> reports.Interval:
    low, high = ends or (None, None)
    return reports.Interval(
        value=value if ends else None, low=low, high=high, count=count
    )
