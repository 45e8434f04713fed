"""From slates to the blocks of `responsiveness.json`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components import held_out
from components.responsiveness import batches, effect, probes, similarity
from components.responsiveness.histories import Start
from schema import settings
from serving.bundle import catalog

_NUM_EXAMPLES = 5
_EXAMPLE_HISTORY = 8
_EMPTY = np.array([], object)


@dataclasses.dataclass(frozen=True)
class Judge:
    """Measures pairs of slates by similarities."""

    similarities: tuple[similarity.Similarity, ...]
    resampling: effect.Resampling

    def by_name(self, name: str) -> similarity.Similarity:
        """Returns the similarity of that name."""
        return next(s for s in self.similarities if s.name == name)

    @property
    def leading(self) -> similarity.Similarity | None:
        """The first similarity that can compare: content before the others."""
        return next((s for s in self.similarities if s.reason is None), None)

    def effect(
        self,
        by: similarity.Similarity,
        pair: probes.Pair | None,
        chosen: np.ndarray | slice = slice(None),
    ) -> effect.Effect:
        """Returns the effect of a pair, of some of its simulations."""
        if by.reason is not None:
            return effect.no_answer(by.reason)
        if pair is None or not len(pair.user_id[chosen]):
            return effect.no_answer("no simulation is of this kind")
        branch = pair.branch_item_id[chosen]
        return effect.relative_change(
            similarity.share(by, pair.control[chosen], branch),
            similarity.share(by, pair.treatment[chosen], branch),
            pair.user_id[chosen],
            self.resampling,
        )

    def effects(
        self, pair: probes.Pair | None, chosen: np.ndarray | slice = slice(None)
    ) -> dict[str, Any]:
        """Returns the effect by each similarity, as JSON."""
        return {
            s.name: self.effect(s, pair, chosen).to_dict() for s in self.similarities
        }


def described(similarities: Sequence[similarity.Similarity]) -> dict[str, Any]:
    """Returns what each similarity was made from."""
    return {
        s.name: {"method": s.method, "source": s.source, "supported": s.reason is None}
        for s in similarities
    }


def curve(judge: Judge, pairs: Mapping[str, probes.Pair], probe: str) -> dict[str, Any]:
    """Returns a probe's effects over its numbers: similarity to a list of points.

    Args:
      judge: measures.
      pairs: of all probes.
      probe: `dose` or `decay`.
    """
    numbers = sorted(
        int(name.partition(".")[2]) for name in pairs if name.startswith(f"{probe}.")
    )
    return {
        s.name: [
            {probe: n, **judge.effect(s, pairs[f"{probe}.{n}"]).to_dict()}
            for n in numbers
        ]
        for s in judge.similarities
        if s.reason is None
    }


def specificity(judge: Judge, pair: probes.Pair) -> dict[str, Any]:
    """Returns which share of similar, and of other, items leaves the slate.

    `difference` is the similar share minus the other, with a paired interval: above
    0 the answer is aimed at what resembles item k.
    """
    result: dict[str, Any] = {}
    gone = np.array(
        [
            ~np.isin(before.astype(bytes), after.astype(bytes))
            for before, after in zip(pair.control, pair.treatment, strict=True)
        ]
    )
    shown = pair.control != b""
    names = ("similar_removed", "other_removed", "difference", "low", "high")
    for by in judge.similarities:
        if by.reason is not None:
            result[by.name] = {**dict.fromkeys(names), "reason": by.reason}
            continue
        alike = by.similar(pair.control, pair.branch_item_id)
        other = shown & ~alike
        columns = np.stack(
            [m.sum(axis=1) for m in (gone & alike, alike, gone & other, other)], axis=1
        ).astype(np.float64)
        total = columns.sum(axis=0)
        if not total[1] or not total[3]:
            reason = "the slates hold no similar items, or nothing else"
            result[by.name] = {**dict.fromkeys(names), "reason": reason}
            continue
        sums = judge.resampling.sums(columns, pair.user_id)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]
        similar, rest = float(total[0] / total[1]), float(total[2] / total[3])
        low, high = judge.resampling.interval(spread)
        result[by.name] = dict(
            zip(names, (similar, rest, similar - rest, low, high), strict=True)
        )
    return result


def collateral(
    judge: Judge,
    pair: probes.Pair,
    windows: Sequence[Start],
    feedback: settings.FeedbackSettings,
    num_favourites: int,
) -> dict[str, Any]:
    """Returns what happens to recommendations from other clusters that users like.

    A user's favourites are the clusters that hold most positive elements of the real
    history, without the cluster of item k. The effect's share is that of the slate in
    them: a fall is collateral damage. What resembles item k by any similarity of the
    catalogue does not count: its fall is the answer that was asked for, as when another
    liked creator's items are of the disliked category set.

    Args:
      judge: measures.
      pair: the branches.
      windows: the real history of each simulation.
      feedback: tells positive elements.
      num_favourites: clusters of each user.
    """
    result: dict[str, Any] = {}
    liked = {
        id(w): [
            item
            for item, action in zip(w.item_id.tolist(), w.action.tolist(), strict=True)
            if held_out.polarity(action, feedback) == held_out.POSITIVE
        ]
        for w in windows
    }
    answers = [
        _resembles_by_catalogue(judge, pair, s) for s in (pair.control, pair.treatment)
    ]
    for by in judge.similarities:
        if not isinstance(by, similarity.ClusterSimilarity):
            continue
        if by.reason is not None:
            result[by.name] = effect.no_answer(by.reason).to_dict()
            continue
        favourites = {
            w: Counter(by.cluster[i] for i in items if i in by.cluster).most_common()
            for w, items in liked.items()
        }
        item_k = similarity.coded(pair.branch_item_id, by.cluster)
        wanted = np.full((len(windows), num_favourites), -2, np.int64)
        for row, window in enumerate(windows):
            ranked = sorted(
                favourites[id(window)], key=lambda entry: (-entry[1], entry[0])
            )
            kept = [c for c, _ in ranked if c != item_k[row]][:num_favourites]
            wanted[row, : len(kept)] = kept
        shares = []
        for slates, answer in zip((pair.control, pair.treatment), answers, strict=True):
            found = similarity.coded(slates, by.cluster)
            inside = (found[:, :, None] == wanted[:, None, :]).any(axis=2) & ~answer
            shares.append(inside.mean(axis=1))
        result[by.name] = effect.relative_change(
            shares[0], shares[1], pair.user_id, judge.resampling
        ).to_dict()
        if not shares[0].any():
            result[by.name].update(
                control=0.0,
                treatment=float(shares[1].mean()),
                reason="no slate holds anything of other liked clusters",
            )
    return result


def _resembles_by_catalogue(
    judge: Judge, pair: probes.Pair, slates: np.ndarray
) -> np.ndarray:
    """Returns which shown items resemble item k by a similarity of the catalogue."""
    found = np.zeros(slates.shape, bool)
    for by in judge.similarities:
        if isinstance(by, similarity.ClusterSimilarity) and by.source == "catalogue":
            found |= by.similar(slates, pair.branch_item_id)
    return found


def slice_masks(
    pair: probes.Pair,
    user_count: Mapping[bytes, int],
    item_count: Mapping[bytes, int],
    by: similarity.Similarity | None,
    label: Mapping[bytes, str],
    num_clusters: int,
) -> dict[str, np.ndarray]:
    """Returns the slices: name to [simulations] bool.

    Args:
      pair: the branches.
      user_count: training labels of each user, the activity.
      item_count: training labels of each item.
      by: whose clusters get a slice each; None, or one without clusters: none.
      label: item to the name of its cluster.
      num_clusters: the most frequent ones.
    """
    activity = similarity.coded(pair.user_id, user_count, missing=0)
    low, high = np.quantile(activity, [1 / 3, 2 / 3])
    count = similarity.coded(pair.branch_item_id, item_count, missing=0)
    ordered = np.sort(np.array(list(item_count.values()), np.int64))[::-1]
    # The head is the smallest set of items that holds half of the training labels.
    half = int(np.searchsorted(np.cumsum(ordered), ordered.sum() / 2.0))
    head = max(1, int(ordered[min(half, len(ordered) - 1)])) if len(ordered) else 1
    masks = {
        "activity:low": activity <= low,
        "activity:middle": (activity > low) & (activity <= high),
        "activity:high": activity > high,
        "item:head": count >= head,
        "item:tail": (count > 0) & (count < head),
        "item:cold": count == 0,
    }
    if isinstance(by, similarity.ClusterSimilarity):
        cluster = similarity.coded(pair.branch_item_id, by.cluster)
        found = Counter(cluster[cluster >= 0].tolist())
        ranked = sorted(found, key=lambda c: (-found[c], c))[:num_clusters]
        for number in ranked:
            member = pair.branch_item_id[int(np.argmax(cluster == number))]
            masks[f"cluster:{label.get(member) or number}"] = cluster == number
    return masks


def examples(
    slates: batches.Slates,
    items: Mapping[bytes, catalog.Item],
    action: str,
) -> list[dict[str, Any]]:
    """Returns a few simulated users with titles, those that changed most first."""

    def described_item(item: bytes) -> dict[str, Any]:
        entry = items.get(item, catalog.Item()).describe(item)
        return {**entry, "title": entry["title"] or entry["item_id"]}

    outcome = slates.outcome
    if outcome is None:
        return []
    before, after = outcome.control, outcome.treatment[action]
    kept = np.array([len(set(b) & set(a)) for b, a in zip(before, after, strict=True)])
    found = []
    for row in np.argsort(kept, kind="stable")[:_NUM_EXAMPLES]:
        history = [item for item in outcome.history_item_id[row] if item]
        actions = [a for a in outcome.history_action[row] if a]
        found.append(
            {
                "action": action,
                "item": described_item(outcome.branch_item_id[row]),
                "history": [
                    {**described_item(item), "action": a.decode()}
                    for item, a in zip(
                        history[-_EXAMPLE_HISTORY:],
                        actions[-_EXAMPLE_HISTORY:],
                        strict=True,
                    )
                ],
                "before": [described_item(item) for item in before[row] if item],
                "after": [described_item(item) for item in after[row] if item],
            }
        )
    return found
