"""The blocks of the report, from slates whose figures are worked by hand."""

import numpy as np
import pytest

from components.responsiveness import clusters, effect, probes, report, similarity
from schema import settings
from tests import known_recommenders
from tests.builders import id_rows, ids

FEEDBACK = settings.FeedbackSettings()
RESAMPLING = effect.Resampling(100, 0.95, 1, 2)


def judge(*similarities):
    return report.Judge(similarities, RESAMPLING)


def by_cluster(
    name="content", cluster=known_recommenders.CLUSTER, missing="nothing alike"
):
    return similarity.ClusterSimilarity(name, "by hand", "catalogue", cluster, missing)


def pair(branch, control, treatment):
    users = [b"u%d" % n for n in range(len(branch))]
    return probes.Pair(
        np.array(users, object), ids(*branch), id_rows(*control), id_rows(*treatment)
    )


TWO = pair(
    ["a-0", "b-0"],
    [["a-1", "a-2", "c-0", "d-0"], ["b-1", "c-1", "c-2", "c-3"]],
    [["a-1", "c-0", "d-0", "d-1"], ["c-1", "c-2", "c-3", "d-2"]],
)


def test_effect_by_similarity():
    """Alike: 2 + 1 of 8 before, 1 + 0 of 8 after: -2/3."""
    found = judge(by_cluster(), by_cluster("creator", {})).effects(TWO)

    assert found["content"]["control"] == pytest.approx(3 / 8)
    assert found["content"]["responsiveness"] == pytest.approx(-2 / 3)
    assert found["creator"]["responsiveness"] is None
    assert found["creator"]["reason"] == "nothing alike"


def test_specificity_compares_who_leaves():
    """Of three similar items two left; of five others none."""
    found = report.specificity(judge(by_cluster()), TWO)["content"]

    assert found["similar_removed"] == pytest.approx(2 / 3)
    assert found["other_removed"] == 0.0
    assert found["difference"] == pytest.approx(2 / 3)
    assert found["low"] <= 2 / 3 <= found["high"]


def test_specificity_without_anything_else_is_no_figure():
    alike = pair(["a-0", "b-0"], [["a-1"], ["b-1"]], [["c-1"], ["c-2"]])

    found = report.specificity(judge(by_cluster()), alike)["content"]

    assert found["difference"] is None
    assert "nothing else" in found["reason"]


def test_collateral_looks_at_other_clusters_that_the_user_likes():
    """The first user likes a (item k's, left out) and d; the second likes c.

    In favourites before: 1 of 4 and 3 of 4. After: 2 of 4 and 3 of 4. So 4 to 5.
    """
    windows = [
        known_recommenders.start("u0", "a-5", "a-6", "d-5", action=b"like"),
        known_recommenders.start("u1", "c-5", action=b"like"),
    ]

    found = report.collateral(judge(by_cluster()), TWO, windows, FEEDBACK, 2)

    assert found["content"]["control"] == pytest.approx(0.5)
    assert found["content"]["responsiveness"] == pytest.approx(0.25)


def test_what_resembles_the_disliked_item_in_another_way_is_no_collateral():
    """d-0 has the creator of a-0, item k: for the first user only d-1 counts, after.

    In favourites before: 0 of 4 and 3 of 4. After: 1 of 4 and 3 of 4. So 3 to 4.
    """
    windows = [
        known_recommenders.start("u0", "a-5", "a-6", "d-5", action=b"like"),
        known_recommenders.start("u1", "c-5", action=b"like"),
    ]
    creator = {b"a-0": 0, b"d-0": 0, b"d-1": 1}
    from_log = similarity.ClusterSimilarity(
        "cooccurrence", "by hand", "log", {b"a-0": 0, b"d-1": 0, b"c-1": 1}, "none"
    )
    judges = judge(by_cluster(), by_cluster("creator", creator), from_log)

    found = report.collateral(judges, TWO, windows, FEEDBACK, 2)

    assert found["content"]["control"] == pytest.approx(3 / 8)
    assert found["content"]["responsiveness"] == pytest.approx(1 / 3)


def test_what_was_disliked_is_no_favourite():
    windows = [
        known_recommenders.start("u0", "d-5", action=b"dislike|view"),
        known_recommenders.start("u1", "c-5", action=b"skip"),
    ]

    found = report.collateral(judge(by_cluster()), TWO, windows, FEEDBACK, 3)

    assert found["content"]["control"] == 0.0
    assert found["content"]["responsiveness"] is None
    assert found["content"]["simulations"] == 2
    assert "other liked clusters" in found["content"]["reason"]


def test_curve_runs_by_its_number():
    pairs = {"decay.10": TWO, "decay.2": TWO, "dose.1": TWO}

    found = report.curve(judge(by_cluster(), by_cluster("creator", {})), pairs, "decay")

    assert list(found) == ["content"]  # what cannot be compared has no curve
    assert [point["decay"] for point in found["content"]] == [2, 10]


def test_slices_by_activity_popularity_and_cluster():
    six = pair(["a-0", "a-0", "b-0", "b-0", "b-0", "c-0"], [["a-1"]] * 6, [["a-2"]] * 6)
    activity = {b"u%d" % n: 10 * (n + 1) for n in range(6)}
    # Half of 12 labels: a-0 alone is the head.
    counts = {b"a-0": 6, b"b-0": 3, b"d-0": 3}

    masks = report.slice_masks(
        six, activity, counts, by_cluster(), {b"b-0": "the bees"}, 2
    )

    found = {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()}
    assert found == {
        "activity:low": [0, 1],
        "activity:middle": [2, 3],
        "activity:high": [4, 5],
        "item:head": [0, 1],
        "item:tail": [2, 3, 4],
        "item:cold": [5],
        "cluster:the bees": [2, 3, 4],
        "cluster:0": [0, 1],
    }


# --- neighbours --------------------------------------------------------------------


def test_neighbours_are_the_nearest_of_the_space():
    angle = np.radians([0.0, 10.0, 20.0, 60.0, 180.0])
    space = clusters.Space(
        (b"a", b"b", b"c", b"d", b"e"), np.stack([np.cos(angle), np.sin(angle)], 1)
    )
    near = similarity.NeighbourSimilarity("neighbours", "", "log", space, 2)
    slates = id_rows(["a", "b", "c", "d", "e", "x"], ["c", "b", "a", "", "", ""])

    found = near.similar(slates, ids("a", "d"))

    assert found[0].tolist() == [False, True, True, False, False, False]
    assert found[1].tolist() == [True, True, False, False, False, False]
    assert similarity.share(near, slates, ids("a", "d")).tolist() == [2 / 6, 2 / 3]
    # An item that nobody met in training has no neighbours.
    assert not near.similar(slates, ids("x", "x")).any()


def test_space_that_is_too_small_has_a_reason():
    space = clusters.Space((b"a", b"b"), np.eye(2))

    assert similarity.NeighbourSimilarity("n", "", "log", None, 2).reason
    assert (
        "neighbours" in similarity.NeighbourSimilarity("n", "", "log", space, 2).reason
    )
    assert similarity.NeighbourSimilarity("n", "", "log", space, 1).reason is None


# --- users -------------------------------------------------------------------------


def test_one_user_many_times_gives_no_interval():
    shares = np.array([0.4, 0.2, 0.3]), np.array([0.1, 0.1, 0.1])
    user = np.array([b"u"] * 3, object)

    found = effect.relative_change(*shares, user, effect.Resampling(min_users=2))

    assert found.responsiveness is None
    assert found.simulations == 3
    assert "1 users are too few" in found.reason
