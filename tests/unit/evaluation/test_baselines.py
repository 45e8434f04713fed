import numpy as np
import pytest

from components import held_out
from components.evaluation import baselines, item_index
from schema import settings

INDEX = item_index.ItemIndex([b"a", b"b", b"c", b"d", b"e"])
A, B, C, D, E = range(5)


def window(items, actions=None, first_ms=0, is_label=None):
    count = len(items)
    return held_out.Window(
        user_id=b"u",
        item_id=np.array([item.encode() for item in items], object),
        timestamp=first_ms + np.arange(count, dtype=np.int64),
        action=np.array([a.encode() for a in actions or ["view"] * count], object),
        value=np.full(count, np.nan, np.float32),
        is_label=np.array(is_label or [True] * count, bool),
    )


def read(*windows, max_windows=0):
    feedback = settings.FeedbackSettings()
    return baselines.read_log(windows, INDEX, feedback, max_windows)


def test_popularity_skips_the_history_and_breaks_ties_by_id():
    order = baselines.by_popularity(np.array([1, 5, 5, 9, 0]))
    history = np.array([[-1, -1], [D, -1], [B, D]])

    lists = baselines.ordered_lists(order, history, 3)

    assert order.tolist() == [D, B, C, A]
    assert lists.tolist() == [[D, B, C], [B, C, A], [C, A, -1]]


def test_ordered_lists_are_those_of_a_plain_loop(rng):
    order = rng.permutation(300).astype(np.int32)[:250]
    history = rng.integers(-1, 300, size=(2_000, 40)).astype(np.int32)

    lists = baselines.ordered_lists(order, history, 25)

    for row in range(0, 2_000, 37):
        met = set(history[row].tolist())
        expected = [item for item in order.tolist() if item not in met][:25]
        assert lists[row].tolist() == expected


def test_no_training_label_is_no_list():
    lists = baselines.ordered_lists(np.zeros(0, np.int32), np.array([[A]]), 2)

    assert lists.tolist() == [[-1, -1]]


def test_most_recent_is_by_the_last_label():
    log = read(
        window("ab", first_ms=100),
        window("ca", first_ms=50),
        # Context is no label, whatever its time.
        window("ce", first_ms=900, is_label=[False, True]),
    )

    assert baselines.by_recency(log, len(INDEX)).tolist() == [E, B, A, C]


def test_neighbours_worked_by_hand():
    # a b d next to each other, a c twice; the dislike of e is left out.
    log = read(
        window("abd"), window("ac"), window("aec", ["view", "dislike|view", "view"])
    )

    similar = baselines.neighbours(log, len(INDEX)).toarray()

    # Counts: a 3, b 1, c 2, d 1.
    expected = np.zeros((5, 5))
    expected[A, B] = 1 / np.sqrt(3)
    expected[A, D] = 0.5 / np.sqrt(3)
    expected[A, C] = 2 / np.sqrt(6)
    expected[B, D] = 1.0
    np.testing.assert_allclose(similar, expected + expected.T)


def test_pairs_of_an_overlap_count_once():
    whole = read(window("abc"))
    cut = read(window("ab"), window("abc", is_label=[False, False, True]))

    for log in (whole, cut):
        similar = baselines.neighbours(log, len(INDEX)).toarray()
        np.testing.assert_allclose(similar[A], [0, 1, 0.5, 0, 0])


def test_item_to_item_recommends_neighbours_of_what_was_liked():
    log = read(window("abd"), window("ac"), window("ac"))
    similar = baselines.neighbours(log, len(INDEX))
    history = np.array([[A, -1], [A, C], [E, -1], [A, B], [-1, -1]])
    liked = np.array([[1, 0], [1, 1], [1, 0], [0, 1], [0, 0]], bool)

    lists = baselines.item_to_item_lists(similar, history, liked, 3)

    # a: c .816 (2 / sqrt 6), b .577, d .289; without c; of e nothing is known; b: d.
    assert lists.tolist() == [
        [C, B, D],
        [B, D, -1],
        [-1, -1, -1],
        [D, -1, -1],
        [-1, -1, -1],
    ]


def test_only_the_newest_liked_items_count():
    log = read(window("ab"), *[window("cd")] * 2)
    similar = baselines.neighbours(log, len(INDEX))
    # Ten times c after a: the neighbour of a is out of reach.
    history = np.array([[A, *[C] * 10]])

    lists = baselines.item_to_item_lists(similar, history, np.ones((1, 11), bool), 2)

    assert lists.tolist() == [[D, -1]]


@pytest.mark.parametrize(("max_windows", "expected"), [(1, 2), (0, 4), (9, 4)])
def test_log_is_read_up_to_a_limit(max_windows, expected):
    log = read(window("ab"), window("cz"), max_windows=max_windows)

    assert len(log.item) == expected
    assert log.item.tolist()[2:] == [C, -1][: expected - 2]


def test_empty_log_is_empty():
    assert len(read().item) == 0
