"""Whether the answer to a treatment is aimed at what resembles item k."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.bootstrap import UserBootstrap
from components.responsiveness.branches import CONTROL, TREATMENT, Branches
from components.responsiveness.effect import EffectEstimator
from schema import reports


def by_similarity(
    estimator: EffectEstimator, branches: Branches
) -> dict[str, reports.Specificity]:
    """Returns which share of similar, and of other, items leaves the slate.

    `difference` is the similar share minus the other, with a paired interval: above
    0 the answer is aimed at what resembles item k.
    """
    control, treatment = branches.slates[CONTROL], branches.slates[TREATMENT]
    gone = np.array(
        [
            ~np.isin(without.astype(bytes), treated.astype(bytes))
            for without, treated in zip(control, treatment, strict=True)
        ]
    )
    shown = control != b""
    draws = estimator.draws(branches)
    result = {}
    for by in estimator.similarities:
        if by.reason is not None:
            result[by.name] = _no_answer(by.reason)
            continue
        alike = by.likeness(control, branches.item_id)
        result[by.name] = _measure(gone, alike, shown - alike, draws)
    return result


def _measure(
    gone: NDArray[np.bool_],
    alike: NDArray[np.float64],
    other: NDArray[np.float64],
    draws: UserBootstrap,
) -> reports.Specificity:
    weights = (gone * alike, alike, gone * other, other)
    columns = np.stack([weight.sum(axis=1) for weight in weights], axis=1)
    total = columns.sum(axis=0)
    if not total[1] or not total[3]:
        return _no_answer("the slates hold no similar items, or nothing else")
    sums = draws.sums(columns)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]
    similar, rest = float(total[0] / total[1]), float(total[2] / total[3])
    low, high = draws.interval(similar - rest, spread) or (None, None)
    return reports.Specificity(
        similar_removed=similar,
        other_removed=rest,
        difference=similar - rest,
        low=low,
        high=high,
    )


def _no_answer(reason: str) -> reports.Specificity:
    return reports.Specificity(
        similar_removed=None,
        other_removed=None,
        difference=None,
        low=None,
        high=None,
        reason=reason,
    )
