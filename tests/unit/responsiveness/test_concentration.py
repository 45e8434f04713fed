"""Whether what enters a slate is all of one cluster, from slates worked by hand."""

import dataclasses

import pytest

from components.responsiveness import concentration
from tests import known_recommenders


def measured(unsaid, treatment, similarity=known_recommenders.CONTENT, **policy):
    """Users u0, u1, ... dislike a-0."""
    branches = known_recommenders.branches(
        ["a-0"] * len(unsaid), unsaid, treatment, unsaid
    )
    estimator = known_recommenders.estimator(similarity, **policy)
    return concentration.by_similarity(estimator, branches)["content"]


def test_pairs_that_enter_are_compared_with_those_of_the_slate_without_dislikes():
    """Without, 2 of 6 and 0 of 3 pairs share; less the a's, 1 of 1 and 0 of 1: more.

    Of the 3 and 1 pairs that enter, 1 and 0 share: so often the slates count.
    """
    found = measured(
        [["a-1", "a-2", "b-1", "b-2"], ["a-1", "c-1", "d-1"]],
        [["b-1", "b-3", "b-4", "c-2"], ["c-1", "d-2", "a-3"]],
    )

    assert found.without == pytest.approx((3 * 1 + 1 * 0) / 4)
    assert found.entered == pytest.approx((1 + 0) / 4)
    assert found.difference == pytest.approx(-1 / 2)
    assert found.low <= found.difference <= found.high
    assert found.simulations == 2


def test_only_a_collapse_is_above_what_was_there():
    various = [["a-1", "b-1", "c-1", "d-1"]] * 2

    collapsed = measured(various, [["b-2", "b-3", "b-4", "b-5"]] * 2)
    shuffled = measured(various, [["d-5", "c-5", "b-5", "a-5"]] * 2)
    two_things = measured(
        [["a-1", "b-1", "a-2", "b-2"]] * 2, [["b-1", "b-2", "b-3", "b-4"]] * 2
    )
    all_disliked = measured(
        [["a-1", "a-2", "a-3"]] * 2, [["b-1", "b-2", "c-1"], ["b-1", "b-2", "b-3"]]
    )

    assert collapsed.difference == collapsed.low == 1.0
    assert shuffled.difference == two_things.difference == 0.0
    assert all_disliked.high <= 0.0


def test_each_user_is_compared_with_his_own_slate():
    """One whose slate was all a's gets all b's; the other keeps nearly everything.

    Pooled, 6 of 6 pairs that enter share, and 6 of 12 of those without a dislike.
    """
    found = measured(
        [["a-1", "a-2", "a-3", "a-4"], ["a-1", "b-1", "c-1", "d-1"]],
        [["b-1", "b-2", "b-3", "b-4"], ["b-2", "b-1", "c-1", "d-1"]],
    )

    assert found.difference == 0.0


def test_where_fewer_than_two_items_enter_a_slate_it_is_as_it_was():
    """Of two slates one collapses, by 3 pairs of 3; the other counts once, as 0."""
    various = [["a-1", "b-1", "c-1"]] * 2

    found = measured(various, [["b-2", "b-3", "b-4"], ["b-2", "b-1", "c-1"]])
    of_one_place = measured([["a-1"]] * 2, [["b-1"]] * 2)

    assert found.difference == pytest.approx(3 / 4)
    assert (found.low, found.high) == (0.0, 1.0)
    assert of_one_place.difference == of_one_place.high == 0.0


def test_similarity_that_cannot_compare_tells_why():
    alone = dataclasses.replace(known_recommenders.CONTENT, cluster={b"a-1": 0})

    assert measured([["a-1"]], [["b-1"]], alone).reason == "nothing alike"


def test_a_handful_of_users_and_none_give_no_figure():
    found = measured([["a-1"]] * 3, [["b-1"]] * 3, min_users=4)
    estimator = known_recommenders.estimator()

    assert found.difference is found.low is None
    assert found.simulations == 3
    assert "3 users are too few" in found.reason
    nothing = concentration.by_similarity(estimator, None)["content"]
    assert nothing.simulations == 0
    assert "`responsiveness.probe_simulations`" in nothing.reason
