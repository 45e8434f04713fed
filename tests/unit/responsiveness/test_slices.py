"""Kinds of simulations, from six users by hand."""

import numpy as np

from components.responsiveness import slices
from tests import known_recommenders


def test_slices_by_activity_popularity_and_cluster():
    six = known_recommenders.branches(
        ["a-0", "a-0", "b-0", "b-0", "b-0", "c-0"], [["a-1"]] * 6, [["a-2"]] * 6
    )
    activity = {b"u%d" % n: 10 * (n + 1) for n in range(6)}
    # Half of 12 labels: a-0 alone is the head.
    counts = {b"a-0": 6, b"b-0": 3, b"d-0": 3}

    masks = slices.masks(
        six, activity, counts, known_recommenders.CONTENT, {b"b-0": "the bees"}, 2
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
