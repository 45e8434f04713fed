"""More like this, over items whose cosines are worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from components.index_builder import endpoint
from serving.bundle import saved_model
from tests.unit.index_builder import towers_by_hand

ITEMS = ["east", "far east", "north east", "north", "west"]
# Directions; only the length of "far east" tells it from "east".
EMBEDDING = [[1.0, 0.0], [9.0, 0.0], [2.0, 2.0], [0.0, 3.0], [-1.0, 0.0]]
HALF = np.sqrt(0.5)


@pytest.fixture(scope="module")
def served():
    return endpoint.RetrievalEndpoint(towers_by_hand.Towers(ITEMS, EMBEDDING), None)


def similar(served, given, k, exclude=None):
    def strings(rows):
        width = max(map(len, rows))
        padded = [[*row, *[""] * (width - len(row))] for row in rows]
        return tf.reshape(tf.constant(padded, tf.string), (len(rows), width))

    exclude = exclude or [[] for _ in given]
    answer = served.similar(strings(given), strings(exclude), tf.constant(k))
    names = [[item.decode() for item in row] for row in answer["item_id"].numpy()]
    return names, answer["score"].numpy()


def test_nearest_by_angle_whatever_the_length(served):
    names, score = similar(served, [["east"]], [4])
    assert names == [["far east", "north east", "north", "west"]]
    np.testing.assert_allclose(score, [[1.0, HALF, 0.0, -1.0]], atol=1e-6)


def test_several_items_have_an_equal_say(served):
    # Unit vectors (1, 0) and (0, 1): their sum points north east.
    names, score = similar(served, [["far east", "north"]], [2])
    assert names == [["north east", "east"]]
    np.testing.assert_allclose(score, [[1.0, HALF]], atol=1e-6)


def test_excluded_items_and_each_requests_own_k(served):
    names, _ = similar(
        served, [["east"], ["north"]], [1, 2], exclude=[["far east", "zz"], []]
    )
    assert names == [["north east", ""], ["north east", "east"]]


def test_unknown_items_are_like_nothing(served):
    names, score = similar(served, [["zz"], ["zz", "west"]], [2, 1])
    assert names[0] == ["", ""]
    assert (score[0] == -np.inf).all()
    # Known ones beside them still count: north is the least unlike the west.
    assert names[1] == ["north", ""]


def test_a_withdrawn_item_is_not_found():
    towers = towers_by_hand.Towers(ITEMS, EMBEDDING)
    rows = np.array([0, 2, 3, 4], np.int32)  # without "far east"
    served = endpoint.RetrievalEndpoint(towers, None, rows)
    names, _ = similar(served, [["east"]], [9])
    assert names == [["north east", "north", "west", *[""] * 6]]


def test_it_is_exported(served, tmp_path):
    endpoint.export(served, str(tmp_path / "1"))
    model = saved_model.load(tmp_path / "1")
    answer = model.predict(
        {
            "item_id": np.array([[b"east"]], object),
            "exclude_item_id": np.zeros((1, 0), object),
            "k": np.array([1], np.int32),
        },
        "similar",
    )
    assert answer["item_id"].tolist() == [[b"far east"]]
