import itertools
import random

from components.responsiveness import clusters


def groups(found):
    """The clusters as sets of items, whatever their numbers."""
    by_cluster = {}
    for item, cluster in found.items():
        by_cluster.setdefault(cluster, set()).add(item)
    return sorted(map(sorted, by_cluster.values()))


def cooccurrence(pairs, num_clusters):
    space = clusters.cooccurrence_space(pairs, seed=1)
    return clusters.space_clusters(space, num_clusters, seed=1)


def test_items_of_equal_keys_are_together():
    found = clusters.of_equal({b"a": "p", b"b": "q", b"c": "p", b"d": ""})

    assert groups(found) == [[b"a", b"c"], [b"b"]]


def test_nothing_to_cluster_gives_nothing():
    assert clusters.of_equal({b"a": ()}) == {}
    assert cooccurrence([], 5) == {}
    assert cooccurrence([(b"u", b"a"), (b"u", b"b")], 5) == {}


def test_members_are_all_of_the_cluster():
    found = clusters.members({b"b": 7, b"a": 7, b"c": 1})

    assert {item: array.tolist() for item, array in found.items()} == {
        b"a": [b"a", b"b"],
        b"b": [b"a", b"b"],
        b"c": [b"c"],
    }


def two_tastes(rnd):
    """40 users: each meets 6 of the 10 items of one of two kinds, and nothing else."""
    pairs = []
    for user in range(40):
        kind = "xy"[user % 2]
        for item in rnd.sample(range(10), 6):
            pairs.append((f"u{user}".encode(), f"{kind}{item}".encode()))
    return pairs


def test_items_that_the_same_users_meet_are_together():
    found = cooccurrence(two_tastes(random.Random(3)), 2)

    assert groups(found) == [
        [f"x{i}".encode() for i in range(10)],
        [f"y{i}".encode() for i in range(10)],
    ]


def test_order_and_repeats_of_the_log_mean_nothing():
    pairs = two_tastes(random.Random(3))
    shuffled = pairs + pairs[:50]
    random.Random(4).shuffle(shuffled)

    first = cooccurrence(pairs, 6)

    assert cooccurrence(shuffled, 6) == first
    assert cooccurrence(pairs, 6) == first


def test_popularity_does_not_decide():
    """x0 is met by everybody of its kind, x9 by two: their directions are one."""
    pairs = [(f"u{u}".encode(), b"x0") for u in range(20)]
    pairs += [(f"u{u}".encode(), b"x9") for u in (3, 4)]
    pairs += [(f"u{u}".encode(), f"x{u % 8 + 1}".encode()) for u in range(20)]
    pairs += [
        (f"v{u}".encode(), f"y{i}".encode())
        for u, i in itertools.product(range(20), range(3))
    ]

    found = cooccurrence(pairs, 2)

    assert found[b"y0"] == found[b"y1"] == found[b"y2"]
    assert found[b"x0"] != found[b"y0"] != found[b"x9"]


def test_every_item_has_a_cluster_and_there_are_no_more_than_asked_for():
    pairs = two_tastes(random.Random(3))

    found = cooccurrence(pairs, 7)

    assert set(found) == {item for _, item in pairs}
    assert 1 < len(set(found.values())) <= 7


def test_items_in_any_language_keep_their_names():
    pairs = [("ü".encode(), "é".encode()), (b"v", b"a"), (b"w", b"b"), (b"w", b"a")]

    assert set(cooccurrence(pairs, 2)) == {"é".encode(), b"a", b"b"}


def test_clusters_of_one_item_each_compare_nothing():
    assert not clusters.compares_anything({})
    assert not clusters.compares_anything({b"a": 0, b"b": 1})
    assert clusters.compares_anything({b"a": 0, b"b": 1, b"c": 0})
