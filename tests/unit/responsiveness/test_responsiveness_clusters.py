import itertools
import random

from components.responsiveness import clusters


def groups(found):
    """The clusters as sets of items, whatever their numbers."""
    by_cluster = {}
    for item, cluster in found.items():
        by_cluster.setdefault(cluster, set()).add(item)
    return sorted(map(sorted, by_cluster.values()))


def test_content_clusters_are_identical_category_sets():
    found = clusters.content_clusters(
        {
            b"a": [b"x", b"y"],
            b"b": [b"y", b"x", b"x"],
            b"c": [b"x"],
            b"d": [],
        }
    )

    assert groups(found) == [[b"a", b"b"], [b"c"]]


def test_creator_clusters_are_equal_creators():
    found = clusters.creator_clusters({b"a": b"p", b"b": b"q", b"c": b"p", b"d": b""})

    assert groups(found) == [[b"a", b"c"], [b"b"]]


def test_nothing_to_cluster_gives_nothing():
    assert clusters.content_clusters({b"a": []}) == {}
    assert clusters.creator_clusters({b"a": b""}) == {}
    assert clusters.cooccurrence_clusters([], 5, seed=1) == {}
    assert clusters.cooccurrence_clusters([(b"u", b"a"), (b"u", b"b")], 5, seed=1) == {}


def two_tastes(rnd):
    """40 users: each meets 6 of the 10 items of one of two kinds, and nothing else."""
    pairs = []
    for user in range(40):
        kind = "xy"[user % 2]
        for item in rnd.sample(range(10), 6):
            pairs.append((f"u{user}".encode(), f"{kind}{item}".encode()))
    return pairs


def test_items_that_the_same_users_meet_are_together():
    found = clusters.cooccurrence_clusters(two_tastes(random.Random(3)), 2, seed=1)

    assert groups(found) == [
        [f"x{i}".encode() for i in range(10)],
        [f"y{i}".encode() for i in range(10)],
    ]


def test_order_and_repeats_of_the_log_mean_nothing():
    pairs = two_tastes(random.Random(3))
    shuffled = pairs + pairs[:50]
    random.Random(4).shuffle(shuffled)

    first = clusters.cooccurrence_clusters(pairs, 6, seed=1)

    assert clusters.cooccurrence_clusters(shuffled, 6, seed=1) == first
    assert clusters.cooccurrence_clusters(pairs, 6, seed=1) == first


def test_popularity_does_not_decide():
    """x0 is met by everybody of its kind, x9 by two: their directions are one."""
    pairs = [(f"u{u}".encode(), b"x0") for u in range(20)]
    pairs += [(f"u{u}".encode(), b"x9") for u in (3, 4)]
    pairs += [(f"u{u}".encode(), f"x{u % 8 + 1}".encode()) for u in range(20)]
    pairs += [
        (f"v{u}".encode(), f"y{i}".encode())
        for u, i in itertools.product(range(20), range(3))
    ]

    found = clusters.cooccurrence_clusters(pairs, 2, seed=1)

    assert found[b"y0"] == found[b"y1"] == found[b"y2"]
    assert found[b"x0"] != found[b"y0"] != found[b"x9"]


def test_every_item_has_a_cluster_and_there_are_no_more_than_asked_for():
    pairs = two_tastes(random.Random(3))

    found = clusters.cooccurrence_clusters(pairs, 7, seed=1)

    assert set(found) == {item for _, item in pairs}
    assert 1 < len(set(found.values())) <= 7


def test_items_in_any_language_keep_their_names():
    pairs = [("ü".encode(), "é".encode()), (b"v", b"a"), ("ü".encode(), b"a")]

    assert set(clusters.cooccurrence_clusters(pairs, 2, seed=1)) == {"é".encode(), b"a"}


def test_clusters_of_one_item_each_compare_nothing():
    assert not clusters.compares_anything({})
    assert not clusters.compares_anything({b"a": 0, b"b": 1})
    assert clusters.compares_anything({b"a": 0, b"b": 1, b"c": 0})
