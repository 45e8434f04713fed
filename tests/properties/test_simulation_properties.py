"""The simulation is a function of its seed, and of nothing else."""

import hypothesis
import numpy as np
from hypothesis import strategies as st

from components.responsiveness import branches
from tests import known_recommenders

few = hypothesis.settings(max_examples=25)
policies = st.builds(
    known_recommenders.policy,
    trajectory_length=st.integers(2, 6),
    slate_size=st.integers(1, 8),
    control_value=st.one_of(st.none(), st.floats(0, 1, width=32)),
    trajectory_actions=st.sampled_from([{"view": 1.0}, {"view": 0.3, "like": 0.7}]),
)
# Some users start with one item, some with three.
start_lists = st.lists(st.sampled_from([1, 3]), min_size=1, max_size=4).map(
    lambda lengths: [
        known_recommenders.start(f"u{n}", *[f"{c}-{n}" for c in "abc"[:length]])
        for n, length in enumerate(lengths)
    ]
)


def run(recommender, starts, policy, seed):
    return known_recommenders.simulate(recommender, starts, policy, seed)


def shared_arrays(outcome):
    """What an outcome holds of the time before the dislike, and of the control."""
    of_dislike = outcome.treatments["dislike"]
    return [
        of_dislike.item_id,
        of_dislike.slates[branches.BEFORE],
        of_dislike.slates[branches.CONTROL],
        outcome.history.item_id,
        outcome.history.action,
    ]


def arrays(outcome):
    treatment = outcome.treatments["dislike"].slates[branches.TREATMENT]
    return [*shared_arrays(outcome), treatment]


@few
@hypothesis.given(start_lists, policies, st.integers(0, 99))
def test_same_seed_gives_the_same_outcome(starts, policy, seed):
    first = run(known_recommenders.Recommender("dislike", 2), starts, policy, seed)
    second = run(known_recommenders.Recommender("dislike", 2), starts, policy, seed)

    for one, other in zip(arrays(first), arrays(second), strict=True):
        np.testing.assert_array_equal(one, other)


@few
@hypothesis.given(start_lists, policies, st.integers(0, 99))
def test_what_is_heeded_at_item_k_does_not_reach_back(starts, policy, seed):
    """The trajectory before the branch is shared, whatever the model heeds."""
    deaf = run(known_recommenders.Recommender(None), starts, policy, seed)
    hearing = run(known_recommenders.Recommender("dislike"), starts, policy, seed)

    for one, other in zip(shared_arrays(deaf), shared_arrays(hearing), strict=True):
        np.testing.assert_array_equal(one, other)


@few
@hypothesis.given(start_lists, policies, st.integers(0, 99))
def test_deaf_recommender_never_responds(starts, policy, seed):
    outcome = run(known_recommenders.Recommender(None), starts, policy, seed)
    estimator = known_recommenders.estimator(min_users=2, seed=seed)

    result = estimator.effects(outcome.treatments["dislike"])["content"]

    assert result.responsiveness in (0.0, None)
    assert result.high in (0.0, None)
