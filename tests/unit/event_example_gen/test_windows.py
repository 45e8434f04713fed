"""Splits and windows, worked by hand."""

import numpy as np

from components.event_example_gen import windows


def cut(num, label_begin, label_end, max_length, min_context):
    """Returns (start, first label, end) of one user's windows."""
    found = windows.cut_windows(
        np.array([0, num]),
        np.array([label_begin]),
        np.array([label_end]),
        max_length,
        min_context,
    )
    return list(
        zip(found.start.tolist(), found.label.tolist(), found.end.tolist(), strict=True)
    )


def test_a_short_history_is_one_window():
    assert cut(3, 0, 3, 5, 2) == [(0, 0, 3)]


def test_a_full_history_is_one_window():
    assert cut(5, 0, 5, 5, 2) == [(0, 0, 5)]


def test_later_windows_start_with_context():
    # Length 5, context 2: labels 0-4, then 5-7 after 3 4, then 8-9; the last window
    # is not full and reaches back to 5.
    assert cut(10, 0, 10, 5, 2) == [(0, 0, 5), (3, 5, 8), (5, 8, 10)]


def test_one_held_out_label_has_all_the_context_that_fits():
    assert cut(10, 9, 10, 5, 2) == [(5, 9, 10)]
    assert cut(3, 2, 3, 5, 2) == [(0, 2, 3)]


def test_held_out_labels_from_the_middle_on():
    # First label 4: head 2, labels 4-6; then head 5, labels 7-9.
    assert cut(10, 4, 10, 5, 2) == [(2, 4, 7), (5, 7, 10)]


def test_no_context_at_all():
    assert cut(7, 0, 7, 3, 0) == [(0, 0, 3), (3, 3, 6), (4, 6, 7)]


def test_no_labels_no_window():
    assert cut(4, 4, 4, 5, 2) == []
    assert cut(4, 0, 0, 5, 2) == []


def test_users_do_not_mix():
    found = windows.cut_windows(
        np.array([0, 2, 2, 8]), np.array([1, 2, 2]), np.array([2, 2, 8]), 4, 1
    )
    assert found.user.tolist() == [0, 2, 2]
    assert found.start.tolist() == [0, 2, 4]
    assert found.label.tolist() == [1, 2, 6]
    assert found.end.tolist() == [2, 6, 8]


def test_leave_last_out():
    # Users with 5, 3, 2 and 1 interactions.
    bounds = windows.leave_last_out(np.array([0, 5, 8, 10, 11]))
    assert bounds.tolist() == [
        [0, 5, 8, 10],  # train begins
        [3, 6, 10, 11],  # eval begins
        [4, 7, 10, 11],  # test begins
        [5, 8, 10, 11],
    ]


def test_leave_last_out_of_more_than_one():
    # Users with 7, 5, 3, 2 and 1 interactions, two of each in test.
    bounds = windows.leave_last_out(np.array([0, 7, 12, 15, 17, 18]), 2)
    assert bounds.tolist() == [
        [0, 7, 12, 15, 17],  # train begins
        [3, 10, 13, 17, 18],  # eval begins
        [5, 11, 14, 17, 18],  # test begins
        [7, 12, 15, 17, 18],
    ]


def test_global_time():
    times = np.array([10, 20, 30, 5, 19, 30, 40])
    bounds = windows.global_time(np.array([0, 3, 3, 7]), times, (20, 30))
    # At a cut itself the next split begins.
    assert bounds.tolist() == [[0, 3, 3], [1, 3, 5], [2, 3, 5], [3, 3, 7]]


def test_labels_of_users_who_judge_are_a_split_of_their_own():
    """Users with 5 and 3 interactions; the second judges, and is tested as well."""
    bounds = windows.leave_last_out(np.array([0, 5, 8]))

    found = windows.split_ranges(bounds, np.array([False, True]))

    ranges = {
        split: [(b, e) for b, e in zip(*labels, strict=True) if b < e]
        for split, labels in found.items()
    }
    assert ranges == {
        "train": [(0, 3)],
        "eval": [(3, 4)],
        "test": [(4, 5), (7, 8)],
        "judge": [(5, 7)],
    }


def test_without_judges_nobody_is_set_aside():
    bounds = windows.leave_last_out(np.array([0, 5, 8]))

    found = windows.split_ranges(bounds, np.zeros(2, bool))

    for index, split in enumerate(("train", "eval", "test")):
        assert [labels.tolist() for labels in found[split]] == [
            bounds[index].tolist(),
            bounds[index + 1].tolist(),
        ]
    begin, end = found["judge"]
    assert (begin == end).all()
