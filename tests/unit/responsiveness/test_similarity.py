"""How much shown items resemble item k, on clusters and directions by hand."""

import numpy as np

from components.responsiveness import clusters, similarity
from schema import settings
from serving.bundle.catalog import Item
from tests.builders import id_rows, ids

BY_CLUSTER = similarity.ClusterSimilarity(
    "content", "", "catalogue", {b"a": 0, b"b": 0, b"c": 1, "ü".encode(): 1}, ""
)


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
    near = similarity.NeighbourSimilarity("neighbours", "", "log", space, 2)
    slates = id_rows(["a", "b", "c", "d", "e", "x"], ["c", "b", "a", "", "", ""])

    found = near.likeness(slates, ids("a", "d"))

    assert found.tolist() == [[0, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]]
    assert near.share(slates, ids("a", "d")).tolist() == [2 / 6, 2 / 3]
    # An item that nobody met in training has no neighbours.
    assert not near.likeness(slates, ids("x", "x")).any()


def test_space_that_is_too_small_has_a_reason():
    space = clusters.Space((b"a", b"b"), np.eye(2))

    def reason(space, count):
        return similarity.NeighbourSimilarity("n", "", "log", space, count).reason

    assert reason(None, 2)
    assert "neighbours" in reason(space, 2)
    assert reason(space, 1) is None


def test_content_is_the_set_of_categories():
    """Order and repeats of categories mean nothing; no categories resemble nothing."""
    categories = {b"a": (b"x", b"y"), b"b": (b"y", b"x", b"x"), b"c": (b"x",), b"d": ()}
    items = {item: Item(categories=found) for item, found in categories.items()}

    content, creator, *_ = similarity.of_catalog(
        items, [], settings.ResponsivenessSettings()
    )

    found = content.likeness(id_rows(["b", "c", "d"], ["a", "b", "c"]), ids("a", "d"))
    assert found.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert content.reason is None
    assert "same creator" in creator.reason
