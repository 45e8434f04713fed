import numpy as np

from components.trainer import length_buckets


def histogram(max_length, **windows_of):
    """Windows of each length: `_3=5` is five of three elements."""
    found = np.zeros(max_length + 1, np.int64)
    for name, number in windows_of.items():
        found[int(name[1:])] = number
    return found


def test_windows_of_full_length_are_counted_as_given():
    found = length_buckets.divide(histogram(100, _100=330, _51=150), 16, 100)

    assert found.longest == (100,)
    assert found.num_windows == (480,)
    assert found.batch_size == (16,)
    assert found.num_batches == 30


def test_below_half_the_length_a_step_has_more_windows():
    """Of 8: one or two elements are an eighth and a quarter, 4 and 2 times as many."""
    found = length_buckets.divide(
        histogram(8, _8=4, _5=4, _4=8, _3=8, _2=32, _1=64), 4, 8
    )

    assert found.longest == (1, 2, 4, 8)
    assert found.batch_size == (16, 8, 4, 4)
    assert found.num_windows == (64, 32, 16, 8)
    assert found.num_batches == 4 + 4 + 4 + 2


def test_what_does_not_fill_a_step_joins_the_longer_windows():
    """15 of one element are less than a step of 16; with two longer ones 17."""
    found = length_buckets.divide(histogram(8, _1=15, _2=2, _8=1), 4, 8)

    assert found.longest == (2, 8)
    assert found.num_windows == (17, 1)
    assert found.batch_size == (6, 1)
    assert found.num_batches == 3 + 1


def test_a_log_that_fills_no_step_is_one_step():
    found = length_buckets.divide(histogram(100, _0=1, _1=2, _9=3), 16, 100)

    assert (found.longest, found.num_windows) == ((100,), (6,))
    assert found.num_batches == 1


def test_windows_are_spread_over_the_steps():
    """17 windows are 9 and 8, not 16 and 1."""
    found = length_buckets.divide(histogram(10, _10=17), 16, 10)

    assert found.batch_size == (9,)
    assert found.num_batches == 2


def test_a_log_without_windows_has_no_step():
    found = length_buckets.divide(histogram(7), 16, 7)

    assert (found.longest, found.num_windows) == ((7,), (0,))
    assert found.batch_size == (1,)
    assert found.num_batches == 0


def test_steps_of_a_log_of_nine_events_a_user_hold_what_others_hold():
    """40 thousand windows, of which two thirds hold at most six elements."""
    found = length_buckets.divide(
        histogram(100, _3=13_000, _6=15_000, _12=8_000, _25=3_000, _50=700, _100=300),
        32,
        100,
    )

    elements = np.array(found.longest) * found.batch_size
    assert found.longest == (3, 6, 12, 25, 50, 100)
    assert elements.min() >= 1_500
    assert elements.max() <= 3_200
    assert found.num_batches == 26 + 59 + 63 + 47 + 22 + 10
