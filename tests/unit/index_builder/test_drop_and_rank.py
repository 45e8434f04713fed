"""Candidates that a request excludes leave the answer; the best of the rest stay."""

import numpy as np
import tensorflow as tf

from components.index_builder import drop_and_rank as dropping

NAN = float("nan")


def drop_and_rank(score, row, dropped_row, k):
    values, rows = dropping.drop_and_rank(
        tf.constant(score, tf.float32),
        tf.constant(row, tf.int32),
        tf.constant(dropped_row, tf.int32),
        tf.constant(k),
    )
    return values.numpy().tolist(), rows.numpy().tolist()


def test_dropped_rows_are_gone_and_the_rest_is_ranked():
    score, row = drop_and_rank(
        [[1.0, 4.0, 3.0, 2.0], [9.0, 8.0, 7.0, 6.0]],
        [[10, 11, 12, 13], [20, 21, 22, 23]],
        [[11, -1], [23, 20]],
        k=2,
    )

    assert score == [[3.0, 2.0], [8.0, 7.0]]
    assert row == [[12, 13], [21, 22]]


def test_dropping_for_one_request_leaves_the_other_alone():
    score, row = drop_and_rank([[2.0, 1.0]] * 2, [[5, 6]] * 2, [[5], [-1]], k=1)

    assert score == [[1.0], [2.0]]
    assert row == [[6], [5]]


def test_best_candidate_is_dropped_not_demoted():
    score, _ = drop_and_rank([[2.0, 1.0]], [[5, 6]], [[5]], k=2)

    assert score == [[1.0, -np.inf]]


def test_nothing_found_is_no_candidate():
    # ScaNN pads what its leaves do not hold with NaN, and with any row.
    score, row = drop_and_rank([[NAN, 1.0, NAN, -np.inf]], [[0, 3, 0, 0]], [[-1]], k=3)

    assert score == [[1.0, -np.inf, -np.inf]]
    assert row[0][0] == 3


def test_pad_row_drops_nothing():
    score, _ = drop_and_rank([[2.0, 1.0]], [[0, 1]], [[-1, -1]], k=2)

    assert score == [[2.0, 1.0]]
