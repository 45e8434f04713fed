"""What a dislike takes of other liked things, from slates worked by hand."""

import pytest

from components.responsiveness import collateral, similarity
from schema import settings
from tests import known_recommenders


def measure(windows, *similarities):
    """By content and perhaps more, with two favourite clusters of each user."""
    return collateral.by_similarity(
        known_recommenders.estimator(
            known_recommenders.CONTENT, *similarities, favourite_clusters=2
        ),
        known_recommenders.TWO_USERS,
        windows,
        settings.FeedbackSettings(),
    )


def test_collateral_looks_at_other_clusters_that_the_user_likes():
    """The first user likes a (item k's, left out) and d; the second likes c.

    In favourites before: 1 of 4 and 3 of 4. After: 2 of 4 and 3 of 4. So 4 to 5.
    """
    windows = [
        known_recommenders.start("u0", "a-5", "a-6", "d-5", action=b"like"),
        known_recommenders.start("u1", "c-5", action=b"like"),
    ]

    found = measure(windows)

    assert found["content"].control == pytest.approx(0.5)
    assert found["content"].responsiveness == pytest.approx(0.25)


def test_what_resembles_the_disliked_item_in_another_way_is_no_collateral():
    """d-0 has the creator of a-0, item k: for the first user only d-1 counts, after.

    In favourites before: 0 of 4 and 3 of 4. After: 1 of 4 and 3 of 4. So 3 to 4.
    """
    windows = [
        known_recommenders.start("u0", "a-5", "a-6", "d-5", action=b"like"),
        known_recommenders.start("u1", "c-5", action=b"like"),
    ]
    creator = similarity.ClusterSimilarity(
        "creator", "by hand", "catalogue", {b"a-0": 0, b"d-0": 0, b"d-1": 1}, "none"
    )
    from_log = similarity.ClusterSimilarity(
        "cooccurrence", "by hand", "log", {b"a-0": 0, b"d-1": 0, b"c-1": 1}, "none"
    )

    found = measure(windows, creator, from_log)

    assert found["content"].control == pytest.approx(3 / 8)
    assert found["content"].responsiveness == pytest.approx(1 / 3)


def test_what_was_disliked_is_no_favourite():
    windows = [
        known_recommenders.start("u0", "d-5", action=b"dislike|view"),
        known_recommenders.start("u1", "c-5", action=b"skip"),
    ]

    found = measure(windows)

    assert found["content"].control == 0.0
    assert found["content"].responsiveness is None
    assert found["content"].simulations == 2
    assert "other liked clusters" in found["content"].reason
