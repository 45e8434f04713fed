"""`raw_history`: what a request's arrays become before Transform reads them."""

import numpy as np
import tensorflow as tf

from components.trainer import signatures
from schema import features

NAN = float("nan")


def raw(item_id, action=None, timestamp=None, value=None, max_length=10):
    item_id = np.array(item_id, object)
    shape = item_id.shape
    return signatures.raw_history(
        tf.constant(item_id, tf.string) if item_id.size else tf.zeros(shape, tf.string),
        tf.fill(shape, "view") if action is None else tf.constant(action),
        tf.reshape(tf.range(tf.size(item_id), dtype=tf.int64), shape)
        if timestamp is None
        else tf.constant(timestamp, tf.int64),
        tf.fill(shape, NAN) if value is None else tf.constant(value),
        max_length,
    )


def lists(tensor):
    return tf.RaggedTensor.from_sparse(tensor).to_list()


def test_elements_are_packed_wherever_the_pads_are():
    result = raw(
        [["", "a", "", "b"], ["c", "", "", ""]],
        action=[["?", "view", "?", "like|view"], ["skip", "?", "?", "?"]],
        timestamp=[[9, 10, 9, 20], [30, 9, 9, 9]],
        value=[[5.0, 0.5, 5.0, NAN], [NAN, 5.0, 5.0, 5.0]],
    )

    assert lists(result[features.ITEM_ID]) == [[b"a", b"b"], [b"c"]]
    assert lists(result[features.ACTION]) == [[b"view", b"like|view"], [b"skip"]]
    assert lists(result[features.TIMESTAMP]) == [[10, 20], [30]]
    assert lists(result[features.VALUE]) == [[0.5, 0.0], [0.0]]
    assert lists(result[features.VALUE_PRESENT]) == [[1, 0], [0]]
    assert lists(result[features.IS_LABEL]) == [[0, 0], [0]]


def test_all_features_share_their_indices():
    result = raw([["a", ""], ["", "b"], ["", ""]])

    for tensor in result.values():
        np.testing.assert_array_equal(tensor.indices, result[features.ITEM_ID].indices)
        np.testing.assert_array_equal(tensor.dense_shape, [3, 1])


def test_only_the_newest_elements_are_kept():
    result = raw([["a", "b", "", "c", "d"], ["e", "", "", "", ""]], max_length=2)

    assert lists(result[features.ITEM_ID]) == [[b"c", b"d"], [b"e"]]
    assert lists(result[features.TIMESTAMP]) == [[3, 4], [5]]


def test_value_zero_is_a_value():
    result = raw([["a"]], value=[[0.0]])

    assert lists(result[features.VALUE_PRESENT]) == [[1]]


def test_empty_histories_stay_rows():
    for item_id in ([["", ""], ["", ""]], np.zeros((2, 0))):
        result = raw(item_id)

        assert result[features.ITEM_ID].dense_shape.numpy().tolist() == [2, 0]
        assert len(result[features.ITEM_ID].values) == 0
