"""Rankers with planted preferences, whose true answer to a dislike is known.

Items lie in clusters; a user's slate is drawn item by item, each from the cluster of
the history's last item with probability `closeness`, else from any other. After a
dislike that probability falls by the factor `1 - strength`: the true responsiveness is
`-strength`, and the measured one scatters as real slates do.
"""

from __future__ import annotations

import hashlib

import numpy as np

from components.held_out import Window
from components.responsiveness import behaviour, effect, similarity, simulation
from schema import settings

NUM_CLUSTERS, PER_CLUSTER = 20, 60
ITEMS = np.array(
    [[b"%d-%d" % (c, n) for n in range(PER_CLUSTER)] for c in range(NUM_CLUSTERS)],
    object,
)
CLUSTER = {item: c for c, row in enumerate(ITEMS) for item in row}


class PlantedRanker:
    """Recommends by a coin for each place that only the history and seed decide."""

    def __init__(self, strength, seed, closeness=0.3, noise=0.0):
        """Plants the truth.

        Args:
          strength: of the answer to a dislike, 0 to 1.
          seed: of the coins.
          closeness: probability of a similar item after a view.
          noise: share of users who are answered with a slate drawn anew, so that an
            unresponsive ranker is no longer exactly 0.
        """
        self.strength, self.seed = strength, seed
        self.closeness, self.noise = closeness, noise

    def __call__(self, item_id, action, timestamp, value, k):
        """Returns [batch, k] slates without repeats or items of the history."""
        slates = np.empty((len(item_id), k), object)
        for row in range(len(item_id)):
            history = [item for item in item_id[row] if item]
            disliked = b"dislike" in action[row, len(history) - 1]
            key = b"%d|" % self.seed + b"|".join(history)
            digest = hashlib.blake2b(key, digest_size=8).digest()
            entropy = [int.from_bytes(digest, "little")]
            coin = np.random.default_rng(entropy)
            if disliked and coin.random() < self.noise:
                coin = np.random.default_rng([*entropy, 1])
            close = self.closeness * (1.0 - self.strength * disliked)
            # One number decides each place in both branches: they share their luck.
            similar = coin.random(k) < close
            cluster = CLUSTER[history[-1]]
            met = set(history)
            other = (
                cluster + 1 + coin.integers(NUM_CLUSTERS - 1, size=k)
            ) % NUM_CLUSTERS
            order = coin.permutation(PER_CLUSTER)
            for place in range(k):
                pool = ITEMS[cluster if similar[place] else other[place]]
                item = next(i for i in pool[np.roll(order, place)] if i not in met)
                met.add(item)
                slates[row, place] = item
        return slates


def starts(users, seed):
    """One start of three items for each user."""
    rng = np.random.default_rng(seed)
    found = []
    for user in range(users):
        items = ITEMS.ravel()[rng.choice(ITEMS.size, 3, replace=False)]
        found.append(
            Window(
                b"u%d" % user,
                item_id=items,
                timestamp=np.arange(3, dtype=np.int64),
                action=np.array([b"view"] * 3, object),
                value=np.ones(3, np.float32),
                is_label=np.ones(3, bool),
            )
        )
    return found


def measure(ranker, users=200, seed=1):
    """Returns what is measured of a ranker's answer to a dislike."""
    policy = settings.ResponsivenessSettings(
        trajectory_length=2,
        slate_size=10,
        treatment_actions=("dislike",),
        bootstrap_samples=400,
        seed=seed,
        min_users=20,
    )
    given = starts(users, seed)
    uniform = behaviour.randomness(seed, 0, len(given), policy.trajectory_length)
    outcome = simulation.simulate(
        behaviour.Behaviour(ranker, policy), given, policy, uniform
    )
    by = similarity.ClusterSimilarity("content", "planted", "catalogue", CLUSTER, "")
    estimator = effect.EffectEstimator((by,), policy)
    return estimator.effects(outcome.treatments["dislike"])["content"]
