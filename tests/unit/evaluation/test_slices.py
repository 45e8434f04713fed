import numpy as np

from components.evaluation import slices
from schema import settings
from serving.bundle import catalog
from tests.unit.evaluation.held_out_targets import INDEX, make_table, target


def masks(table, counts, items=None, new_users=frozenset(), **evaluation):
    return slices.masks(
        table,
        INDEX.counts(counts),
        items or [catalog.Item()] * len(INDEX),
        set(new_users),
        settings.EvaluationSettings(**evaluation),
    )


def test_slices_worked_by_hand(table):
    # 100 training labels: a alone holds half of them.
    found = masks(table, {b"a": 55, b"b": 25, b"d": 20}, new_users={b"v"})

    assert {name: np.flatnonzero(mask).tolist() for name, mask in found.items()} == {
        "history:short": [0, 1, 2],  # the median length is 4
        "history:long": [3, 4],
        "user:new": [2],
        "user:known": [0, 1, 3, 4],
        "item:head": [0, 2],
        "item:tail": [1, 4],
        "item:cold": [3],
        "negative:explicit": [1],
        "negative:implicit": [3],
    }


def test_slices_of_the_largest_categories(table):
    # The targets are a, b, a, c, d.
    items = [
        catalog.Item(categories=tuple(names))
        for names in ([b"x", b"y"], [b"y"], [b"z"], [b"w"], [], [])
    ]

    found = masks(table, {}, items, category_slices=3)

    of_category = {
        name: np.flatnonzero(mask).tolist()
        for name, mask in found.items()
        if name.startswith("category:")
    }
    assert of_category == {
        "category:y": [0, 1, 2],
        "category:x": [0, 2],
        "category:w": [4],  # as many as z, and before it
    }


def test_item_slices_part_the_targets(table):
    for counts in ({}, {b"a": 1}, {b"a": 1, b"b": 1, b"c": 1, b"d": 1}, {b"h0": 3}):
        found = masks(table, counts)
        together = sum(
            found[f"item:{name}"].astype(int) for name in ("head", "tail", "cold")
        )
        assert together.tolist() == [1] * 5, counts


def test_head_is_the_smallest_set_that_holds_half_of_the_labels():
    table = make_table([target("u", name) for name in "abcd"])

    # 40 + 30 of 100 are the first to reach 50.
    found = masks(table, {b"a": 40, b"b": 30, b"c": 20, b"d": 10})

    assert found["item:head"].tolist() == [True, True, False, False]
