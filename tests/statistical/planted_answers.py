"""Rankers with a planted answer to what a user has met and disliked.

A user's slate holds items of one cluster, the taste, with probability `CLOSENESS`, else
of any other. Places of a disliked cluster are given to others with probability
`strength`, which is the true change beside the control. Each fault answers in a way
that one comparison alone takes for the real one.
"""

from __future__ import annotations

import zlib

import numpy as np

from components.held_out import Window
from components.responsiveness import batches, effect, similarity, specificity
from schema import settings
from tests import builders
from tests.statistical.planted_rankers import CLUSTER, ITEMS, NUM_CLUSTERS, PER_CLUSTER

CLOSENESS = 0.4
NUM_COINS = 4_099
LENGTH = 12
"""Elements of a real history."""
POLICY = settings.ResponsivenessSettings(
    trajectory_length=2,
    treatment_actions=("dislike",),
    bootstrap_samples=400,
    decay_steps=0,
    persistence_events=(5,),
    persistence_gaps_ms=(86_400_000,),
    doses=(1,),
)


class Ranker:
    """Answers dislikes by a coin for each place, which the user alone decides."""

    def __init__(
        self,
        strength,
        seed,
        pull=0.0,
        noise=0.2,
        forgets=False,
        least_length=0,
        whatever=False,
        shuffles=False,
    ):
        """Plants the truth.

        Args:
          strength: of the answer, 0 to 1.
          seed: of the coins.
          pull: probability that a place of another cluster goes to that of the last
            element, disliked or not.
          noise: share of users whose slate is drawn anew with each element.
          forgets: only the last element's dislike counts.
          least_length: of the histories whose dislikes count.
          whatever: the last element counts as disliked, whatever was done to it.
          shuffles: a dislike draws the whole slate anew, from all items.
        """
        self.strength, self.pull, self.noise = strength, pull, noise
        self.coins = np.random.default_rng(seed).random((NUM_COINS, 6, 12))
        self.forgets, self.least_length = forgets, least_length
        self.whatever, self.shuffles = whatever, shuffles

    def __call__(self, item_id, action, timestamp, value, k):
        """Returns [batch, k] slates without repeats."""
        rows = np.arange(len(item_id))
        cluster = np.array([[CLUSTER.get(i, -1) for i in row] for row in item_id])
        last = np.maximum((cluster >= 0).sum(axis=1) - 1, 0)
        coins = self.coins[[_place(row[:1]) for row in item_id]]
        anew = self.coins[[_place(row) for row in item_id]]
        is_anew = coins[:, 5, 0] < self.noise
        coins = np.where(is_anew[:, None, None], anew, coins)[:, :, :k]
        taste = np.maximum(cluster[:, :1], 0)
        shown = np.where(coins[:, 0] < CLOSENESS, taste, _another(taste, coins[:, 1]))
        shown = np.where(coins[:, 2] < self.pull, cluster[rows, last][:, None], shown)
        disliked = self._disliked(cluster, action, last)
        if self.shuffles:
            drawn = (coins[:, 4] * NUM_CLUSTERS).astype(int)
            shown = np.where(disliked.any(axis=1)[:, None], drawn, shown)
        gone = disliked[rows[:, None], shown] & (coins[:, 3] < self.strength)
        shown = np.where(gone, _another(shown, coins[:, 4]), shown)
        # Seven and sixty share no factor: no place repeats the item of another.
        first = (coins[:, 5, 1:2] * PER_CLUSTER).astype(int)
        place = (first + 7 * np.arange(k)) % PER_CLUSTER
        items = ITEMS[shown, place]
        is_met = (items[:, :, None] == item_id[:, None, :]).any(axis=2)
        return ITEMS[shown, (place + 30 * is_met) % PER_CLUSTER]

    def _disliked(self, cluster, action, last):
        """Returns [batch, clusters] whether a dislike counts."""
        place = np.arange(cluster.shape[1])[None, :]
        is_last = place == last[:, None]
        counts = np.array([[b"dislike" in done for done in row] for row in action])
        if self.forgets:
            counts &= is_last
        if self.whatever:
            counts |= is_last
        counts &= (last[:, None] + 1 >= self.least_length) & (cluster >= 0)
        found = np.zeros((len(cluster), NUM_CLUSTERS), bool)
        row, element = np.nonzero(counts)
        found[row, cluster[row, element]] = True
        return found


def _place(items):
    """Returns where the coins of some items lie."""
    return zlib.crc32(b"|".join(items)) % NUM_COINS


def _another(cluster, uniform):
    """Returns another cluster than each."""
    step = 1 + (uniform * (NUM_CLUSTERS - 1)).astype(int)
    return (cluster + step) % NUM_CLUSTERS


def report(ranker, users=250, seed=1):
    """Returns what is reported of a ranker, in a world of categories alone.

    The audience that judges is of the same clusters; relevance has no part in it.
    """
    given, policy = _windows(users, seed), POLICY.model_copy(update={"seed": seed})
    plan = batches.Plan(policy, "dislike", b"dislike", "like", {})
    outcome = batches.run(ranker, batches.Batch(0, given, given), plan)
    both = tuple(
        similarity.ClusterSimilarity(name, "planted", source, CLUSTER, "")
        for name, source in (
            ("audience_nearest", "judge"),
            ("category_overlap", "catalogue"),
        )
    )
    estimator = effect.EffectEstimator(both, policy)
    branches, probes = outcome.treatments["dislike"], outcome.probes

    def told(found):
        return {
            name: measured.model_dump(exclude_unset=True)
            for name, measured in estimator.effects(found).items()
        }

    content = builders.responsiveness_report()
    for name, measured in told(branches).items():
        content[f"{name}.dislike"] = measured
    content["specificity"] = {
        name: found.model_dump(exclude_unset=True)
        for name, found in specificity.by_similarity(estimator, branches).items()
    }
    content["persistence"] = {
        "events:5": told(probes["decay", 6]),
        "gap_ms:86400000": told(probes["gap_ms", 86_400_000]),
    }
    content["replay"] = told(probes["replay", 0])
    content["short_histories"] = told(probes["short_histories", 0])
    content["slices"] = {f"{kind}:all": told(branches) for kind in ("activity", "item")}
    content["unheard"] = {
        name: {by: share.model_dump() for by, share in estimator.unheard(part).items()}
        for name, part in (
            ("next_slate", branches),
            ("replay", probes["replay", 0]),
            ("short_histories", probes["short_histories", 0]),
        )
    }
    content["kept"] = {
        "dislike": estimator.kept(branches).model_dump(exclude_unset=True)
    }
    return content


def _windows(users, seed):
    """Real histories: the first item tells the taste, and half are of its cluster."""
    rng = np.random.default_rng(seed)
    found = []
    for user in range(users):
        taste = rng.integers(NUM_CLUSTERS)
        cluster = np.where(
            rng.random(LENGTH) < 0.5, taste, rng.integers(NUM_CLUSTERS, size=LENGTH)
        )
        cluster[0] = taste
        found.append(
            Window(
                b"u%d" % user,
                item_id=ITEMS[cluster, rng.permutation(PER_CLUSTER)[:LENGTH]],
                timestamp=np.arange(LENGTH, dtype=np.int64),
                action=np.array([b"view"] * LENGTH, object),
                value=np.ones(LENGTH, np.float32),
                is_label=np.ones(LENGTH, bool),
            )
        )
    return tuple(found)
