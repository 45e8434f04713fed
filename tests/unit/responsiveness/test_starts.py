"""Where simulated users start, and which users have room to be simulated."""

import numpy as np
import pytest

from components.responsiveness import starts
from schema import errors
from tests import known_recommenders


def windows(*lengths):
    return [
        known_recommenders.start(f"u{n}", *[f"i{n}-{i}" for i in range(length)])
        for n, length in enumerate(lengths)
    ]


def test_every_user_starts_once_before_any_starts_twice(rng):
    given = windows(*[10] * 6)
    policy = known_recommenders.policy(simulations=9, start_share=0.5)

    found = starts.sample(given, policy, rng)

    users = [start.user_id for start in found]
    assert len(users) == 9
    assert len(set(users[:6])) == 6
    assert len(set(users[6:])) == 3
    by_user = {window.user_id: window for window in given}
    for start in found:
        window = by_user[start.user_id]
        assert start.item_id.tolist() == window.item_id[:5].tolist()
        assert start.action.tolist() == window.action[:5].tolist()
        assert start.timestamp.tolist() == window.timestamp[:5].tolist()


def test_a_start_holds_at_least_one_element():
    assert len(starts.cut(windows(1)[0], 0.1).item_id) == 1


def test_user_whose_history_leaves_nothing_to_show_is_left_out():
    """30 candidates: 5 shown, 4 steps and 3 more to follow leave room for 18."""
    policy = known_recommenders.policy(decay_steps=3, doses=(1, 2), start_share=1.0)

    kept = starts.with_room(windows(18, 19), 30, policy)

    assert [w.user_id for w in kept] == [b"u0"]


def test_catalogue_that_every_history_filters_away_is_an_input_error():
    policy = known_recommenders.policy(start_share=1.0)

    with pytest.raises(errors.InputError, match=r"every one of 2 users.*20 cand") as e:
        starts.with_room(windows(18, 19), 20, policy)
    assert "responsiveness.trajectory_length" in str(e.value)


def test_item_counts_are_labels():
    log = starts.TrainingLog((), ((b"u", b"a"), (b"v", b"a"), (b"u", b"b")), {})

    assert log.item_counts == {b"a": 2, b"b": 1}
    assert np.sum(list(log.item_counts.values())) == 3


@pytest.mark.parametrize(
    ("counts", "stated"),
    [
        ({b"dislike": 3, b"dislike|view": 2, b"view": 9}, b"dislike"),
        ({b"dislike": 2, b"dislike|view": 3}, b"dislike|view"),
        ({b"view": 9, b"strong dislike": 9}, b"dislike"),
        ({}, b"dislike"),
    ],
)
def test_an_action_is_written_as_the_log_writes_it_most(counts, stated):
    log = starts.TrainingLog((), (), {}, counts)

    assert log.stating("dislike") == stated
