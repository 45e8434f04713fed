"""The simulation on recommenders made by hand: what is sent, and what it measures."""

import numpy as np
import pytest

from components.responsiveness import behaviour, simulation
from schema import errors
from tests import known_recommenders


def simulate(recommender, starts=None, seed=1, **changes):
    starts = starts or [known_recommenders.start(f"u{i}", f"a-{i}") for i in range(6)]
    return known_recommenders.simulate(
        recommender, starts, known_recommenders.policy(**changes), seed
    )


def item_k(outcome):
    return outcome.treatments["dislike"].item_id


def responsiveness(outcome, action="dislike"):
    estimator = known_recommenders.estimator()
    return estimator.effects(outcome.treatments[action])["content"]


# --- known effects ----------------------------------------------------------------


def test_deaf_recommender_gives_exactly_zero():
    outcome = simulate(known_recommenders.Recommender(heeded=None))
    result = responsiveness(outcome)

    slates = outcome.treatments["dislike"].slates
    np.testing.assert_array_equal(slates["control"], slates["treatment"])
    assert result.control > 0.5  # there was something that could have fallen
    # Beside the slate before it is what having met the item changes, and no more.
    assert result.net_responsiveness == pytest.approx(
        result.control / result.before - 1.0
    )
    assert (result.responsiveness, result.low, result.high) == (0.0, 0.0, 0.0)


def test_recommender_that_leaves_the_cluster_gives_minus_one():
    result = responsiveness(simulate(known_recommenders.Recommender("dislike")))

    assert (result.responsiveness, result.low, result.high) == (-1.0, -1.0, -1.0)


def test_known_share_is_measured():
    """Five places: all in the cluster; after a dislike the first two of ten are gone.

    A trajectory of four steps in one cluster leaves ten minus five: five items; two
    less are three of five.
    """
    outcome = simulate(known_recommenders.Recommender("dislike", num_removed=2))
    result = responsiveness(outcome)

    assert result.control == 1.0
    assert result.treatment == pytest.approx(0.6)
    assert result.responsiveness == pytest.approx(-0.4)


def test_treatments_are_measured_apart():
    outcome = simulate(
        known_recommenders.Recommender("skip"), treatment_actions=("dislike", "skip")
    )

    assert responsiveness(outcome, "dislike").responsiveness == 0.0
    assert responsiveness(outcome, "skip").responsiveness == -1.0


def test_the_slate_before_is_the_one_that_item_k_was_chosen_from():
    """It lacks item k, is no shorter for it, and asks for nothing further."""
    recommender = known_recommenders.Recommender("dislike")
    outcome = simulate(recommender)

    branches = outcome.treatments["dislike"]
    before = branches.slates["before"]
    assert before.shape == branches.slates["control"].shape
    history = recommender.calls[3][0]
    asked = known_recommenders.Recommender()(*recommender.calls[3], 6)
    for row in range(len(branches)):
        left = [item for item in asked[row] if item != branches.item_id[row]]
        assert branches.item_id[row] in asked[row][:5]
        assert before[row].tolist() == left
        assert branches.item_id[row] not in history[row]


# --- what is sent -----------------------------------------------------------------


def test_trajectory_is_k_steps_and_the_branches_differ_in_one_action():
    recommender = known_recommenders.Recommender()
    outcome = simulate(
        recommender, trajectory_length=4, treatment_actions=("dislike", "skip")
    )

    # Four items are chosen from slates, then come the control and two treatments.
    assert len(recommender.calls) == 4 + 3
    control, dislike, skip = recommender.calls[-3:]
    for treated in (dislike, skip):
        np.testing.assert_array_equal(control[0], treated[0])
        np.testing.assert_array_equal(control[2], treated[2])
        np.testing.assert_array_equal(control[3], treated[3])
        assert (control[1] != treated[1]).sum(axis=1).tolist() == [1] * 6
    for row in range(6):
        at = np.flatnonzero(control[0][row])[-1]
        assert control[0][row, at] == item_k(outcome)[row]
        assert control[1][row, at] == b"view"
        assert dislike[1][row, at] == b"dislike|view"
        assert skip[1][row, at] == b"skip|view"


def test_every_item_was_recommended_and_none_twice():
    recommender = known_recommenders.Recommender()
    outcome = simulate(recommender, trajectory_length=6)

    for row in range(6):
        history = [i for i in outcome.history.item_id[row] if i]
        met = [*history, item_k(outcome)[row]]
        assert len(set(met)) == len(met) == 1 + 6
        for step, item in enumerate(met[1:]):
            before = [i for i in recommender.calls[step][0][row] if i]
            assert before == met[: step + 1]
            left = [i for i in known_recommenders.ITEMS if i not in before]
            same = [i for i in left if i[:1] == before[-1][:1]]
            others = [i for i in left if i not in same]
            assert item in [*same, *others][:5]


def test_actions_values_and_times_of_the_trajectory():
    recommender = known_recommenders.Recommender()
    simulate(
        recommender,
        [known_recommenders.start("u", "a-0", "a-1", action=b"skip")],
        trajectory_actions={"like": 1.0, "view": 0.0},
        control_action="view",
        control_value=0.75,
        step_ms=60_000,
        trajectory_length=3,
    )

    item_id, action, timestamp, value = recommender.calls[-2]
    filled = item_id[0] != b""
    assert action[0][filled].tolist() == [b"skip", b"skip", b"like", b"like", b"view"]
    assert timestamp[0][filled].tolist() == [5_000, 6_000, 66_000, 126_000, 186_000]
    np.testing.assert_array_equal(
        value[0][filled], np.array([np.nan, np.nan, 0.75, 0.75, 0.75], np.float32)
    )


def test_absent_control_value_is_nan():
    recommender = known_recommenders.Recommender()
    simulate(recommender, [known_recommenders.start()], control_value=None)

    _, _, _, value = recommender.calls[-1]
    assert np.isnan(value).all()


def test_actions_come_with_their_frequency():
    """2,000 draws of .7: standard deviation .0102, five of them on either side."""
    outcome = simulate(
        known_recommenders.Recommender(),
        [known_recommenders.start(f"u{i}") for i in range(500)],
        trajectory_length=5,
        trajectory_actions={"view": 7.0, "like": 3.0},
    )
    drawn = outcome.history.action[:, 1:5].ravel()

    assert set(drawn) == {b"view", b"like"}
    assert abs((drawn == b"view").mean() - 0.7) < 5 * 0.0102


def test_starts_of_different_lengths_do_not_disturb_each_other():
    long, short = (
        known_recommenders.start("u", "a-0", "b-0", "c-0"),
        known_recommenders.start("v", "d-5"),
    )
    together = known_recommenders.Recommender()
    simulate(together, [long, short], trajectory_length=3)

    for item_id, *_ in together.calls:
        filled = item_id != b""
        # Padded at the end alone.
        assert (np.diff(filled.astype(int), axis=1) <= 0).all()
        assert item_id[0, :3].tolist() == [b"a-0", b"b-0", b"c-0"]
        assert item_id[1, 0] == b"d-5"


def test_history_handed_over_is_the_shared_one():
    outcome = simulate(
        known_recommenders.Recommender(), [known_recommenders.start("u", "a-0")]
    )

    history = [item for item in outcome.history.item_id[0] if item]
    assert history[0] == b"a-0"
    assert len(history) == 4
    assert item_k(outcome)[0] not in history
    assert len([a for a in outcome.history.action[0] if a]) == 4


# --- limits -----------------------------------------------------------------------


def test_short_slates_are_chosen_from_what_they_hold():
    def two_left(item_id, action, timestamp, value, k):
        slates = np.full((len(item_id), k), b"", object)
        slates[:, 0], slates[:, 1] = b"x", b"y"
        return slates

    outcome = simulate(two_left)

    assert set(item_k(outcome)) <= {b"x", b"y"}


def test_user_who_has_met_everything_is_an_input_error():
    def nothing_left(item_id, action, timestamp, value, k):
        return np.full((len(item_id), k), b"", object)

    with pytest.raises(errors.InputError, match=r"trajectory_length.*lower it"):
        simulate(nothing_left)


def test_step_callback_is_called_once_a_step():
    steps = []
    known_recommenders.simulate(
        known_recommenders.Recommender(),
        [known_recommenders.start()],
        known_recommenders.policy(trajectory_length=7),
        on_step=lambda: steps.append(1),
    )

    assert len(steps) == 7


def test_batches_are_joined_at_one_width():
    first = simulate(
        known_recommenders.Recommender(), [known_recommenders.start("u", "a-0", "a-1")]
    )
    second = simulate(
        known_recommenders.Recommender(), [known_recommenders.start("v", "b-0")]
    )

    both = simulation.concatenate([first, second])

    assert item_k(both).tolist() == [*item_k(first), *item_k(second)]
    slates = both.treatments["dislike"].slates
    assert slates["control"].shape == slates["treatment"].shape == (2, 5)
    assert both.history.item_id.shape == (2, first.history.item_id.shape[1])
    assert [i for i in both.history.item_id[1] if i] == [
        i for i in second.history.item_id[0] if i
    ]


def test_joined_actions_are_sorted_and_distinct():
    assert behaviour.joined("view", "dislike") == b"dislike|view"
    assert behaviour.joined("dislike", "dislike") == b"dislike"
