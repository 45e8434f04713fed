"""Whether what dislikes bring into a slate is all of one cluster.

    share = pairs of items that share a cluster / all pairs of items
    difference = share among what entered - share of the slate without any dislike

What leaves a slate makes room for what is next in line, which is as various as what was
there. A collapse brings in one favourite, however much of it there was. The share is
Simpson's index of concentration, of pairs without repeats, so that few items have the
share of many.

Each simulation is compared with its own slate without any dislike, and counts by the
pairs that entered, at least once. That slate is whole, or without item k's cluster,
whichever is more of one kind: who likes two things is rightly left with one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.bootstrap import UserBootstrap
from components.responsiveness import effect, similarity
from components.responsiveness.branches import BEFORE, TREATMENT, Branches
from schema import reports

_NOT_ASKED = (
    "no simulation asked for a slate without any dislike: raise "
    "`responsiveness.probe_simulations`"
)


def by_similarity(
    estimator: effect.EffectEstimator, branches: Branches | None
) -> dict[str, reports.Concentration]:
    """Returns the concentration by each similarity that is made of clusters.

    Items without a cluster share none. Where fewer than two items entered, nothing
    came in bulk, and the slate counts as it was.

    Args:
      estimator: measures.
      branches: their slate before is as if nothing had ever been disliked; None: there
        are no simulations.
    """
    result = {}
    for by in estimator.similarities:
        if not isinstance(by, similarity.ClusterSimilarity):
            continue
        if by.reason is not None:
            result[by.name] = reports.Concentration(reason=by.reason)
        elif branches is None or not len(branches):
            result[by.name] = reports.Concentration(reason=_NOT_ASKED)
        else:
            draws = estimator.draws(branches)
            too_few = effect.too_few_users(draws, estimator.policy.min_users)
            result[by.name] = (
                reports.Concentration(simulations=len(branches), reason=too_few)
                if too_few
                else _measure(by, branches, draws)
            )
    return result


def _measure(
    by: similarity.ClusterSimilarity, branches: Branches, draws: UserBootstrap
) -> reports.Concentration:
    unsaid, treatment = branches.slates[BEFORE], branches.slates[TREATMENT]
    there = (treatment[:, :, None] == unsaid[:, None, :]).any(axis=2)
    came = (treatment != b"") & ~there
    entered = _share(similarity.coded(treatment, by.cluster), came)
    code, shown = similarity.coded(unsaid, by.cluster), unsaid != b""
    whole = _share(code, shown)
    rest = _share(code, shown & (by.likeness(unsaid, branches.item_id) == 0.0))
    rest = np.where(np.isnan(rest), whole, rest)
    number = came.sum(axis=1)
    weight = np.maximum(number * (number - 1) / 2.0, 1.0)
    # Chosen once, and not in each simulation, where chance would choose.
    base = max(whole, rest, key=lambda share: float(np.nansum(share * weight)))
    base = np.nan_to_num(base)
    entered = np.where(np.isnan(entered), base, entered)
    columns = np.stack([weight, weight * entered, weight * base], axis=1)
    total, sums = columns.sum(axis=0), draws.sums(columns)
    difference = float((total[1] - total[2]) / total[0])
    spread = (sums[:, 1] - sums[:, 2]) / sums[:, 0]
    low, high = draws.interval(difference, spread) or (None, None)
    return reports.Concentration(
        entered=float(total[1] / total[0]),
        without=float(total[2] / total[0]),
        difference=difference,
        low=low,
        high=high,
        simulations=len(branches),
    )


def _share(code: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns [simulations] which share of pairs is of one cluster; NaN: no pairs."""
    both = mask[:, :, None] & mask[:, None, :] & ~np.eye(mask.shape[1], dtype=bool)
    shared = both & (code[:, :, None] == code[:, None, :]) & (code >= 0)[:, :, None]
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = shared.sum(axis=(1, 2)) / both.sum(axis=(1, 2))
    return found
