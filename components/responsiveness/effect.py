"""Responsiveness: the relative change of similarity that a treatment causes.

    S = mean over simulations of the share of the slate in item k's cluster
    responsiveness = (S_treatment - S_control) / S_control

A ratio of means, so that users without any control similarity are kept. Intervals are
a paired bootstrap over simulated users: each keeps both of its branches.

Source: Wang et al., RecSys 2023, arXiv:2308.12256.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from components.responsiveness import clusters


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


def no_answer(reason: str) -> Effect:
    """Returns the effect that could not be measured: nothing, and never 0."""
    return Effect(None, None, None, None, None, 0, reason)


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
    names, index = np.unique(slates.astype(bytes), return_inverse=True)
    of_name = np.array([cluster.get(name, -1) for name in names.tolist()])
    found = of_name[index.reshape(slates.shape)]
    wanted = np.array([cluster.get(item, -1) for item in branch_item_id.tolist()])
    same = (found == wanted[:, None]) & (wanted[:, None] >= 0)
    num_shown = np.maximum((slates != b"").sum(axis=1), 1)
    return same.sum(axis=1) / num_shown


def measure(
    control: np.ndarray,
    treatment: np.ndarray,
    samples: int,
    confidence: float,
    seed: int,
) -> Effect:
    """Returns the responsiveness with its paired bootstrap interval.

    Args:
      control: [simulations] float64 similarity after the control.
      treatment: the same after the treatment, same order.
      samples: number of resamples.
      confidence: level of the two-sided interval.
      seed: of the resamples.

    Example:
      >>> measure(np.array([.4, .2]), np.array([.2, .1]), 10, .95, 1).responsiveness
      -0.5
    """
    simulations = len(control)
    mean_control, mean_treatment = float(control.mean()), float(treatment.mean())
    if mean_control == 0.0:
        return dataclasses.replace(
            no_answer(
                "no recommendation after the control interaction resembles item k, so "
                "there is nothing that could fall"
            ),
            simulations=simulations,
        )
    rng = np.random.default_rng(seed)
    ratios = np.empty(samples)
    for sample in range(samples):
        drawn = rng.integers(simulations, size=simulations)
        base = control[drawn].sum()
        change = treatment[drawn].sum() - base
        ratios[sample] = change / base if base > 0.0 else np.nan
    ratios = ratios[np.isfinite(ratios)]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(ratios, [tail, 1.0 - tail])
    return Effect(
        control=mean_control,
        treatment=mean_treatment,
        responsiveness=float((treatment.sum() - control.sum()) / control.sum()),
        low=float(low),
        high=float(high),
        simulations=simulations,
    )
