import numpy as np
import pytest

from serving import requests
from serving.bundle import histories, signature

EVENTS = [
    requests.Event("a", "view", 1, 0.1),
    requests.Event("b", "dislike", 2, 0.2),
    requests.Event("c", "like", 3, None),
    requests.Event("a", "view", 4, 0.4),
]


def inputs(*rows, exclude):
    return requests.build_inputs(rows, k=3, exclude=exclude)


def test_the_newest_are_kept_and_the_rest_become_exclusions():
    asked = inputs(EVENTS, EVENTS[:1], exclude=[["x", "b"], []])

    cut = histories.keep_newest(asked, 2)

    assert cut["history_item_id"].tolist() == [[b"c", b"a"], [b"a", b""]]
    assert cut["history_action"].tolist() == [[b"like", b"view"], [b"view", b""]]
    assert cut["history_timestamp"].tolist() == [[3, 4], [1, 0]]
    np.testing.assert_array_equal(
        cut["history_value"], np.array([[np.nan, 0.4], [0.1, np.nan]], np.float32)
    )
    assert cut["exclude_item_id"].tolist() == [[b"x", b"b", b"a"], [b"", b"", b""]]
    assert cut["k"].tolist() == [3, 3]
    # What came is what the caller still holds.
    assert asked["history_item_id"].shape == (2, 4)


def test_a_gap_is_no_element():
    asked = inputs(EVENTS, exclude=[[]])
    asked["history_item_id"][0, 2] = b""

    cut = histories.keep_newest(asked, 2)

    assert cut["history_item_id"].tolist() == [[b"b", b"a"]]
    assert cut["history_timestamp"].tolist() == [[2, 4]]
    assert cut["exclude_item_id"].tolist() == [[b"a"]]


@pytest.mark.parametrize("length", [4, 5])
def test_a_history_that_fits_is_untouched(length):
    asked = inputs(EVENTS, exclude=[["x"]])
    assert histories.keep_newest(asked, length) is asked


def test_nothing_but_padding():
    asked = inputs(EVENTS, exclude=[[]])
    asked["history_item_id"][:] = b""
    cut = histories.keep_newest(asked, 2)
    assert [cut[name].shape for name in signature.HISTORY_INPUTS] == [(1, 1)] * 4
    assert cut["exclude_item_id"].shape == (1, 0)
