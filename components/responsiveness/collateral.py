"""What a treatment takes of the other things that a user likes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from components import held_out
from components.responsiveness import effect, similarity
from components.responsiveness.branches import CONTROL, TREATMENT, Branches, Strings
from schema import reports, settings


def by_similarity(
    estimator: effect.EffectEstimator,
    branches: Branches,
    windows: Sequence[held_out.Window],
    feedback: settings.FeedbackSettings,
) -> dict[str, reports.Effect]:
    """Returns what happens to recommendations from other clusters that users like.

    A user's favourites are the clusters that hold most positive elements of the real
    history, without the cluster of item k. The effect's share is that of the slate in
    them: a fall is collateral damage. What resembles item k by any set of the
    catalogue does not count: its fall is the answer that was asked for, as when another
    liked creator's items are of the disliked category set.

    Args:
      estimator: measures.
      branches: the slates.
      windows: the real history of each user.
      feedback: tells positive elements.
    """
    liked = {window.user_id: _liked(window, feedback) for window in windows}
    unlike = {
        name: _unlike(estimator.supported, slates, branches.item_id)
        for name, slates in branches.slates.items()
    }
    draws = estimator.draws(branches)
    result = {}
    for by in estimator.similarities:
        if not isinstance(by, similarity.ClusterSimilarity):
            continue
        if by.reason is not None:
            result[by.name] = effect.no_answer(by.reason)
            continue
        wanted = _favourites(
            {user: _ranked(items, by) for user, items in liked.items()},
            branches.user_id,
            similarity.coded(branches.item_id, by.cluster),
            estimator.policy.favourite_clusters,
        )
        share = {}
        for name, slates in branches.slates.items():
            found = similarity.coded(slates, by.cluster)
            inside = (found[:, :, None] == wanted[:, None, :]).any(axis=2)
            share[name] = (inside * unlike[name]).mean(axis=1)
        measured = effect.relative_change(share, draws, estimator.policy.min_users)
        if not share[CONTROL].any():
            measured = measured.model_copy(
                update={
                    "control": 0.0,
                    "treatment": float(share[TREATMENT].mean()),
                    "reason": "no slate holds anything of other liked clusters",
                }
            )
        result[by.name] = measured
    return result


def _liked(window: held_out.Window, feedback: settings.FeedbackSettings) -> list[bytes]:
    elements = zip(window.item_id.tolist(), window.action.tolist(), strict=True)
    return [
        item
        for item, action in elements
        if held_out.polarity(action, feedback) == held_out.POSITIVE
    ]


def _ranked(items: Sequence[bytes], by: similarity.ClusterSimilarity) -> list[int]:
    """Returns the clusters of some items, the most frequent first."""
    count = Counter(by.cluster[item] for item in items if item in by.cluster)
    return sorted(count, key=lambda cluster: (-count[cluster], cluster))


def _favourites(
    ranked: Mapping[bytes, Sequence[int]],
    user_id: Strings,
    item_k: NDArray[np.int64],
    number: int,
) -> NDArray[np.int64]:
    """Returns [simulations, number] the first clusters but item k's; -2 pads."""
    wanted = np.full((len(user_id), number), -2, np.int64)
    for row, user in enumerate(user_id.tolist()):
        kept = [cluster for cluster in ranked[user] if cluster != item_k[row]]
        wanted[row, : len(kept[:number])] = kept[:number]
    return wanted


def _unlike(
    similarities: Sequence[similarity.Similarity], slates: Strings, item_id: Strings
) -> NDArray[np.float64]:
    """Returns 1 minus the largest likeness by the catalogue, the slates' shape."""
    found = np.zeros(slates.shape)
    for by in similarities:
        is_set = isinstance(by, similarity.ClusterSimilarity)
        if is_set and by.source == "catalogue":
            found = np.maximum(found, by.likeness(slates, item_id))
    return 1.0 - found
