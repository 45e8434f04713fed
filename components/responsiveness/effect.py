"""Responsiveness: the relative change of similarity that a treatment causes.

    S = mean over simulations of the share of the slate that resembles item k
    responsiveness = (S_treatment - S_control) / S_control

A ratio of means, so that users without any control similarity are kept. Intervals are
a paired bootstrap over users: each keeps both branches of all its simulations.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from components.responsiveness import clusters, similarity

_CHUNK = 64
"""Resamples drawn at once; bounds memory."""


@dataclasses.dataclass(frozen=True)
class Effect:
    """One similarity and treatment; values are None where there is no answer."""

    control: float | None
    treatment: float | None
    responsiveness: float | None
    low: float | None
    high: float | None
    simulations: int
    reason: str | None = None

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Returns the JSON form; `reason` only where there is one."""
        content = dataclasses.asdict(self)
        if self.reason is None:
            del content["reason"]
        return content


def no_answer(reason: str, simulations: int = 0) -> Effect:
    """Returns the effect that could not be measured: nothing, and never 0."""
    return Effect(None, None, None, None, None, simulations, reason)


def similar_share(
    slates: np.ndarray, branch_item_id: np.ndarray, cluster: clusters.Clusters
) -> np.ndarray:
    """Returns the share of each slate in the cluster of item k.

    Args:
      slates: [simulations, slate_size] object (bytes), b"" pads.
      branch_item_id: [simulations] object (bytes).
      cluster: item to cluster; an item without one resembles nothing.

    Returns:
      [simulations] float64 in [0, 1].

    Example:
      >>> slates = np.array([[b"b", b"c"]], object)
      >>> similar_share(slates, np.array([b"a"], object), {b"a": 0, b"b": 0, b"c": 1})
      array([0.5])
    """
    by_cluster = similarity.ClusterSimilarity("", "", "", cluster, "")
    return similarity.share(by_cluster, slates, branch_item_id)


@dataclasses.dataclass(frozen=True)
class Resampling:
    """The paired bootstrap over users."""

    samples: int = 1_000
    confidence: float = 0.95
    """Level of the two-sided interval."""
    seed: int = 1
    min_users: int = 2
    """Fewer give no answer: a percentile interval of a handful of users is too
    narrow, and one of a single user has no width at all."""

    def sums(self, columns: np.ndarray, user: np.ndarray) -> np.ndarray:
        """Returns [samples, columns]: sums over the drawn users' simulations.

        Args:
          columns: [simulations, columns] float64.
          user: [simulations] any ids.
        """
        _, index = np.unique(user, return_inverse=True)
        users = int(index.max()) + 1
        per_user = np.stack(
            [np.bincount(index, weights=c, minlength=users) for c in columns.T], axis=1
        )
        rng = np.random.default_rng(self.seed)
        result = np.empty((self.samples, columns.shape[1]))
        for start in range(0, self.samples, _CHUNK):
            size = min(_CHUNK, self.samples - start)
            drawn = rng.integers(users, size=(size, users))
            drawn += users * np.arange(size)[:, None]
            times = np.bincount(drawn.ravel(), minlength=size * users)
            result[start : start + size] = times.reshape(size, users) @ per_user
        return result

    def interval(self, resampled: np.ndarray) -> tuple[float, float]:
        """Returns the percentile interval of the finite resampled values."""
        tail = (1.0 - self.confidence) / 2.0
        found = resampled[np.isfinite(resampled)]
        low, high = np.quantile(found, [tail, 1.0 - tail])
        return float(low), float(high)


def relative_change(
    control: np.ndarray,
    treatment: np.ndarray,
    user: np.ndarray,
    resampling: Resampling,
) -> Effect:
    """Returns the responsiveness with its paired bootstrap interval over users.

    Args:
      control: [simulations] float64 similarity after the control.
      treatment: the same after the treatment, same order.
      user: [simulations] who was simulated; one user's simulations stay together.
      resampling: of the interval.
    """
    simulations = len(control)
    users = len(set(user.tolist()))
    if users < resampling.min_users:
        return no_answer(
            f"{users} users are too few for an interval; at least "
            f"`responsiveness.min_users` = {resampling.min_users} are needed",
            simulations,
        )
    if not control.sum() > 0.0:
        return no_answer(
            "no recommendation after the control interaction resembles item k, so "
            "there is nothing that could fall",
            simulations,
        )
    # The difference is summed as such: branches that agree give exactly 0.
    change = treatment - control
    sums = resampling.sums(np.stack([control, change], axis=1), user)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = resampling.interval(sums[:, 1] / sums[:, 0])
    return Effect(
        control=float(control.mean()),
        treatment=float(treatment.mean()),
        responsiveness=float(change.sum() / control.sum()),
        low=low,
        high=high,
        simulations=simulations,
    )


def measure(
    control: np.ndarray,
    treatment: np.ndarray,
    samples: int,
    confidence: float,
    seed: int,
) -> Effect:
    """Returns `relative_change` where each simulation is a user of its own.

    Example:
      >>> measure(np.array([.4, .2]), np.array([.2, .1]), 10, .95, 1).responsiveness
      -0.5
    """
    resampling = Resampling(samples, confidence, seed, min_users=1)
    return relative_change(control, treatment, np.arange(len(control)), resampling)
