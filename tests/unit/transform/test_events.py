"""The two pure functions of the events' preprocessing, in plain TensorFlow."""

import math

import numpy as np
import pytest
import tensorflow as tf

from components.transform import events


def masks(actions, names):
    return events.action_set(tf.constant(actions, tf.string), names).numpy().tolist()


def test_each_action_has_the_bit_of_its_place():
    names = ("dislike", "like", "view")

    assert masks(["dislike", "like", "view", "dislike|view"], names) == [1, 2, 4, 5]
    assert masks(["view|like|dislike", "like|like"], names) == [7, 2]


def test_part_of_a_name_is_no_name():
    # "like" ends "dislike" and begins "likely".
    names = ("dislike", "like")

    assert masks(["dislike", "likely", "a like", "unlike|dislike"], names) == [
        1,
        0,
        0,
        1,
    ]


def test_unknown_and_empty_actions_are_nothing():
    assert masks(["", "open", "|", "open|like|", "|like"], ("like",)) == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    "name",
    [
        *("not interested", "thumbs-down", "a.b", "c++", "(x)", "[y]", "^z$", "w*"),
        *("q?", "mögen", "いいね", "a\\b", "{1,2}", "#1", "x&y", "p~q", "%", "it's"),
    ],
)
def test_names_are_taken_literally(name):
    names = tuple(sorted(["like", name]))
    bit = 1 << names.index(name)

    assert masks([name, f"like|{name}", name + "x", "like"], names) == [
        bit,
        3,
        0,
        3 - bit,
    ]


def test_dot_in_a_name_is_no_wildcard():
    assert masks(["axb"], ("a.b",)) == [0]


def test_62nd_action_has_a_bit():
    names = tuple(f"a{i:02d}" for i in range(62))

    assert masks(["a61", "a00|a61"], names) == [1 << 61, (1 << 61) + 1]


def test_no_actions_at_all():
    assert masks([], ("like",)) == []


def gaps(timestamp, row):
    return events.log_gap(
        tf.constant(timestamp, tf.int64), tf.constant(row, tf.int64)
    ).numpy()


def test_gap_is_the_log_of_one_plus_minutes_and_restarts_with_each_row():
    # Row 0: three minutes, then none. Row 2 (row 1 is empty): an hour.
    result = gaps([0, 180_000, 180_000, 60_000, 3_660_000], [0, 0, 0, 2, 2])

    np.testing.assert_allclose(result, [0, math.log(4), 0, 0, math.log(61)], rtol=1e-6)


def test_gap_of_a_day_is_exact_at_timestamps_of_today():
    # As float32, 1.7e12 ms is only known to the nearest two minutes.
    start = 1_700_000_000_123

    result = gaps([start, start + 86_400_000], [0, 0])

    np.testing.assert_allclose(result, [0, math.log(1441)], rtol=1e-6)


def kept_gaps(timestamp, row, is_kept):
    return events.log_gap(
        tf.constant(timestamp, tf.int64),
        tf.constant(row, tf.int64),
        tf.constant(is_kept, tf.bool),
    ).numpy()


def test_gap_since_the_last_kept_element():
    minute = 60_000
    # One row at 0, 1, 3, 7, 15 minutes; those at 1 and 7 are not kept.
    result = kept_gaps(
        [0, minute, 3 * minute, 7 * minute, 15 * minute],
        [0] * 5,
        [True, False, True, False, True],
    )

    np.testing.assert_allclose(
        result, np.log1p([0, 1, 3, 4, 12]).astype(np.float32), rtol=1e-6
    )


def test_kept_elements_of_other_rows_do_not_count():
    minute = 60_000
    result = kept_gaps(
        [0, 5 * minute, 6 * minute, 9 * minute],
        [0, 1, 1, 1],
        [True, False, True, True],
    )

    np.testing.assert_allclose(result, [0, 0, 0, math.log(4)], rtol=1e-6)


def test_nothing_kept_is_no_gap_and_everything_kept_the_plain_one():
    timestamp, row = [0, 60_000, 500_000, 900_000], [0, 0, 0, 1]

    assert kept_gaps(timestamp, row, [False] * 4).tolist() == [0.0] * 4
    np.testing.assert_array_equal(
        kept_gaps(timestamp, row, [True] * 4), gaps(timestamp, row)
    )


def test_time_never_runs_backwards():
    assert gaps([5_000, 1_000], [0, 0]).tolist() == [0.0, 0.0]


def test_no_elements_at_all():
    assert gaps([], []).shape == (0,)
    assert kept_gaps([], [], []).shape == (0,)
