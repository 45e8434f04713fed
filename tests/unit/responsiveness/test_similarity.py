"""How much shown items resemble item k, on clusters and directions by hand."""

import numpy as np
import pytest

from components import audience
from components.responsiveness import (
    category_overlap,
    clusters,
    similarities,
    similarity,
)
from schema import settings
from serving.bundle.catalog import Item
from tests.builders import id_rows, ids

BY_CLUSTER = similarity.ClusterSimilarity(
    "content", "", "catalogue", {b"a": 0, b"b": 0, b"c": 1, "ü".encode(): 1}, ""
)


def by_name(found):
    return {by.name: by for by in found}


def test_share_of_the_slate_in_the_cluster_of_item_k():
    slates = id_rows(["a", "b", "c", "x"], ["c", "ü", "a", "b"], ["c", "c", "c", "c"])

    share = BY_CLUSTER.share(slates, ids("a", "ü", "a"))

    assert share.tolist() == [0.5, 0.5, 0.0]


def test_pads_are_not_shown():
    slates = id_rows(["a", "c"], ["a", ""], ["", ""])

    assert BY_CLUSTER.share(slates, ids("b", "b", "b")).tolist() == [0.5, 1.0, 0.0]


def test_items_without_a_cluster_resemble_nothing_not_each_other():
    assert BY_CLUSTER.share(id_rows(["x", "y"]), ids("z")).tolist() == [0.0]


def test_neighbours_are_the_nearest_of_the_space():
    angle = np.radians([0.0, 10.0, 20.0, 60.0, 180.0])
    space = clusters.Space(
        (b"a", b"b", b"c", b"d", b"e"), np.stack([np.cos(angle), np.sin(angle)], 1)
    )
    near = similarity.NeighbourSimilarity("neighbours", "", "log", space, None, 2)
    slates = id_rows(["a", "b", "c", "d", "e", "x"], ["c", "b", "a", "", "", ""])

    found = near.likeness(slates, ids("a", "d"))

    assert found.tolist() == [[0, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]]
    assert near.share(slates, ids("a", "d")).tolist() == [2 / 6, 2 / 3]
    # An item that nobody met in training has no neighbours.
    assert not near.likeness(slates, ids("x", "x")).any()


def test_space_that_is_too_small_has_a_reason():
    """Three items that users met: two neighbours, but not three."""
    pairs = [(b"u", b"a"), (b"v", b"b"), (b"w", b"c"), (b"x", b"a"), (b"x", b"b")]

    def reason(pairs, neighbours):
        policy = settings.ResponsivenessSettings(
            neighbours=neighbours, cooccurrence_clusters=2
        )
        return by_name(similarities.of_catalog({}, pairs, policy))["neighbours"].reason

    assert reason([], 2)
    assert "neighbours" in reason(pairs, 3)
    assert reason(pairs, 2) is None


def test_content_is_the_set_of_categories():
    """Order and repeats of categories mean nothing; no categories resemble nothing."""
    categories = {b"a": (b"x", b"y"), b"b": (b"y", b"x", b"x"), b"c": (b"x",), b"d": ()}
    items = {item: Item(categories=found) for item, found in categories.items()}

    content, creator, *_ = similarities.of_catalog(
        items, [], settings.ResponsivenessSettings()
    )

    found = content.likeness(id_rows(["b", "c", "d"], ["a", "b", "c"]), ids("a", "d"))
    assert found.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert content.reason is None
    assert "same creator" in creator.reason


# --- by degree ---------------------------------------------------------------------


def overlap(categories, shown, item):
    items = {
        name.encode(): Item(categories=found) for name, found in categories.items()
    }
    found = similarities.of_catalog(items, [], settings.ResponsivenessSettings())
    by = by_name(found)["category_overlap"]
    return by.likeness(id_rows(shown), ids(item))[0].tolist(), by.reason


def test_categories_overlap_by_their_rarity():
    """Four items; x in three, y in two, z in one: log 7/3, log 3, log 5."""
    categories = {"a": (b"x", b"y"), "b": (b"x",), "c": (b"x", b"z"), "d": (b"y",)}
    x, y, z = np.log(7 / 3), np.log(3), np.log(5)

    found, reason = overlap(categories, ["b", "c", "d", "a", "unknown", ""], "a")

    assert found == pytest.approx([x / (x + y), x / (x + y + z), y / (x + y), 1, 0, 0])
    assert reason is None


def test_repeats_of_a_category_mean_nothing_and_none_resembles_nothing():
    found, _ = overlap({"a": (b"x", b"x"), "b": (b"x",), "c": ()}, ["b", "c"], "a")
    assert found == pytest.approx([1.0, 0.0])

    found, _ = overlap({"a": (b"x",), "b": (b"x",), "c": ()}, ["a", "c"], "c")
    assert found == [0.0, 0.0]


@pytest.mark.parametrize("categories", [{}, {"a": ()}, {"a": (b"x",), "b": (b"y",)}])
def test_categories_that_no_two_items_share_have_a_reason(categories):
    _, reason = overlap(categories, ["a"], "a")

    assert "no two items" in reason


def test_row_of_a_space_is_its_pairs():
    """Of all spaces: what neighbours are found by is what they are compared by."""
    rng = np.random.default_rng(1)
    log = [(b"u%d" % u, b"i%d" % i) for u, i in rng.integers(9, size=(40, 2))]
    sets = {b"i%d" % i: rng.choice([b"x", b"y", b"z"], 2).tolist() for i in range(9)}
    for space in (
        audience.of(log),
        category_overlap.of(sets),
        clusters.cooccurrence_space(log, seed=1),
    ):
        row, other = np.indices((len(space.item_id),) * 2).reshape(2, -1)
        np.testing.assert_allclose(
            space.rows(np.arange(len(space.item_id))).ravel(), space.pairs(row, other)
        )


# --- the judge ---------------------------------------------------------------------


def judged(pairs, **changes):
    policy = settings.ResponsivenessSettings(**changes)
    judge = similarities.judge(pairs, policy)
    return by_name(judge.similarities(policy.judge_neighbours)), judge


def crowd(users=60, seed=1):
    """Half of the users meet items a, half b, each 12 of 20."""
    rng = np.random.default_rng(seed)
    return [
        (b"u%d" % user, b"ab"[user % 2 : user % 2 + 1] + b"-%d" % item)
        for user in range(users)
        for item in rng.choice(20, 12, replace=False)
    ]


def test_audience_judges_by_degree_and_by_its_nearest():
    by, judge = judged(crowd(), judge_neighbours=19)
    slates = id_rows(["a-1", "b-1", "unknown", ""])

    likeness = by["audience"].likeness(slates, ids("a-0"))[0]
    nearest = by["audience_nearest"].likeness(slates, ids("a-0"))[0]

    assert 0.3 < likeness[0] < 1.0
    assert likeness[1:].tolist() == [0.0, 0.0, 0.0]
    assert nearest.tolist() == [1.0, 0.0, 0.0, 0.0]
    told = judge.described(by["audience"])
    assert (told.source, told.read_by_training, told.users) == ("judge", False, 60)
    assert told.reliability > 0.8


def test_item_that_no_judge_met_resembles_nothing():
    by, _ = judged(crowd())

    for name in ("audience", "audience_nearest"):
        assert not by[name].likeness(id_rows(["a-1", "x"]), ids("x")).any()


def test_nearest_of_an_item_with_few_are_those_that_share_somebody():
    """The only other item of its one user, although twenty are asked for."""
    log = [*crowd(), (b"alone", b"c-1"), (b"alone", b"c-2")]
    by, _ = judged(log)

    found = by["audience_nearest"].likeness(id_rows(["c-2", "a-1", "b-1"]), ids("c-1"))

    assert found.tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("pairs", "changes", "words"),
    [
        (crowd(), {"judge_share": 0.0}, "judge_share` is 0"),
        ([], {}, "0 users judge"),
        (crowd(users=5), {}, "5 users judge"),
        ([(b"u%d" % n, b"i%d" % n) for n in range(90)], {}, "too thin: 0 items"),
    ],
)
def test_judge_that_cannot_judge_says_why(pairs, changes, words):
    by, judge = judged(pairs, **changes)

    for found in by.values():
        assert words in found.reason
        assert not judge.described(found).supported


@pytest.mark.parametrize(
    ("pairs", "changes", "has_split", "is_too_thin"),
    [
        (crowd(), {}, True, False),
        (crowd(users=5), {}, True, True),
        ([], {}, True, True),
        ([], {}, False, False),
        (crowd(), {"judge_share": 0.0}, True, False),
    ],
)
def test_thin_log_is_told_from_other_reasons(pairs, changes, has_split, is_too_thin):
    """The gate asks no thin judge, and refuses one that is missing otherwise."""
    policy = settings.ResponsivenessSettings(**changes)
    judge = similarities.judge(pairs, policy, has_split)

    for by in judge.similarities(20):
        assert judge.described(by).log_is_too_thin is is_too_thin
