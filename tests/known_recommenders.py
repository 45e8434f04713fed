"""Recommenders and slates made by hand, whose responsiveness is known.

Items are `C-N`: item N of cluster C, ten in each of four clusters. The candidates of a
user are all items not met yet, those of the last item's cluster first.
"""

import numpy as np

from components.held_out import Window
from components.responsiveness import behaviour, effect, similarity, simulation
from components.responsiveness.branches import Branches
from schema import settings
from tests.builders import id_rows, ids

ITEMS = [f"{cluster}-{number}".encode() for cluster in "abcd" for number in range(10)]
CLUSTER = {item: b"abcd".index(item[:1]) for item in ITEMS}
CONTENT = similarity.ClusterSimilarity(
    "content", "by hand", "catalogue", CLUSTER, "nothing alike"
)


class Recommender:
    """Recommends the last item's cluster, unless the last action is heeded.

    Args:
      heeded: on this action the cluster's first `num_removed` places go elsewhere.
    """

    def __init__(self, heeded=None, num_removed=10):
        self.heeded = heeded
        self.num_removed = num_removed
        self.calls = []

    def __call__(self, item_id, action, timestamp, value, k):
        self.calls.append(
            (item_id.copy(), action.copy(), timestamp.copy(), value.copy())
        )
        slates = np.full((len(item_id), k), b"", object)
        for row in range(len(item_id)):
            history = [item for item in item_id[row] if item]
            last_action = [a for a in action[row] if a][-1].decode().split("|")
            left = [item for item in ITEMS if item not in history]
            same = [i for i in left if history and i[:1] == history[-1][:1]]
            other = [i for i in left if i not in same]
            if self.heeded in last_action:
                same = same[self.num_removed :]
            chosen = [*same, *other][:k]
            slates[row, : len(chosen)] = chosen
        return slates


def start(user="u", *items, action=b"view"):
    items = [item.encode() for item in items] or [b"old"]
    return Window(
        user_id=user.encode(),
        item_id=np.array(items, object),
        action=np.array([action] * len(items), object),
        timestamp=np.arange(len(items), dtype=np.int64) * 1_000 + 5_000,
        value=np.full(len(items), np.nan, np.float32),
        is_label=np.ones(len(items), bool),
    )


def policy(**changes):
    return settings.ResponsivenessSettings(
        **{
            "trajectory_length": 4,
            "slate_size": 5,
            "step_ms": 60_000,
            "treatment_actions": ("dislike",),
            **changes,
        }
    )


def simulate(recommender, starts, policy, seed=1, on_step=lambda: None):
    uniform = behaviour.randomness(seed, 0, len(starts), policy.trajectory_length)
    users = behaviour.Behaviour(recommender, policy)
    return simulation.simulate(users, starts, policy, uniform, on_step)


def branches(item_k, control, treatment, before=None):
    """Slates of users u0, u1, ...; before: the control's, by default."""
    users = ids(*[f"u{n}" for n in range(len(item_k))])
    slates = {
        "before": id_rows(*(before or control)),
        "control": id_rows(*control),
        "treatment": id_rows(*treatment),
    }
    return Branches(users, ids(*item_k), slates)


TWO_USERS = branches(
    ["a-0", "b-0"],
    [["a-1", "a-2", "c-0", "d-0"], ["b-1", "c-1", "c-2", "c-3"]],
    [["a-1", "c-0", "d-0", "d-1"], ["c-1", "c-2", "c-3", "d-2"]],
)


def estimator(*similarities, **changes):
    """Measures by similarities, CONTENT by default."""
    given = policy(**{"bootstrap_samples": 100, "min_users": 2, **changes})
    return effect.EffectEstimator(similarities or (CONTENT,), given)
