"""A catalogue of five items, searched exactly: answers worked out by hand."""

import numpy as np
import tensorflow as tf

from components.index_builder import endpoint
from tests.unit.index_builder.endpoints import ITEMS, NAN, UNIT, recommend


def test_best_items_outside_the_history_with_their_scores(exact):
    item_id, score = recommend(exact, [["a"]], k=[3])

    assert item_id == [["e", "b", "c"]]
    assert score == [[4.0, 3.0, 2.0]]


def test_dislike_turns_the_answer_round_at_once(exact):
    item_id, score = recommend(exact, [["a"]], k=[4], action=[["dislike"]])

    assert item_id == [["d", "c", "b", "e"]]
    assert score == [[-1.0, -2.0, -3.0, -4.0]]


def test_excluded_items_do_not_count_as_history(exact):
    plain = recommend(exact, [["a"]], k=[4])
    item_id, score = recommend(exact, [["a"]], k=[2], exclude=[["e", "c", "unknown"]])

    assert plain[0] == [["e", "b", "c", "d"]]
    assert item_id == [["b", "d"]]
    assert score == [[3.0, 1.0]]


def test_every_request_gets_its_own_number(exact):
    item_id, score = recommend(exact, [["a"], ["a"], ["a"]], k=[1, 3, 0])

    assert item_id == [["e", "", ""], ["e", "b", "c"], ["", "", ""]]
    assert score == [[4.0, -np.inf, -np.inf], [4.0, 3.0, 2.0], [-np.inf] * 3]


def test_catalogue_that_runs_out_pads(exact):
    item_id, score = recommend(exact, [["a", "b"]], k=[9], exclude=[["d"]])

    # The query is a + b = (4, 1): e scores 24, c 10.
    assert item_id == [["e", "c", *[""] * 7]]
    assert score == [[24.0, 10.0, *[-np.inf] * 7]]


def test_everything_met_leaves_nothing(exact):
    item_id, score = recommend(exact, [ITEMS], k=[2])

    assert item_id == [["", ""]]
    assert score == [[-np.inf, -np.inf]]


def test_k_results_as_long_as_the_catalogue_allows(exact):
    for num_met in range(6):
        for k in range(1, 7):
            item_id, _ = recommend(exact, [ITEMS[:num_met]], k=[k])
            shown = [item for item in item_id[0] if item]
            assert len(shown) == min(k, 5 - num_met)
            assert not set(shown) & set(ITEMS[:num_met])
            assert len(set(shown)) == len(shown)


def test_repeated_and_unknown_history_cannot_eat_into_k(exact):
    item_id, _ = recommend(exact, [["a"] * 20 + ["new"] * 20], k=[4])

    assert sorted(item_id[0]) == ["b", "c", "d", "e"]


def test_empty_history_is_answered(exact):
    item_id, _ = recommend(exact, [[]], k=[5])

    assert sorted(item_id[0]) == ITEMS


def test_no_requests_are_no_answers(exact):
    answer = exact.recommend(
        tf.zeros((0, 0), tf.string),
        tf.zeros((0, 0), tf.string),
        tf.zeros((0, 0), tf.int64),
        tf.zeros((0, 0)),
        tf.zeros((0, 0), tf.string),
        tf.zeros(0, tf.int32),
    )

    assert answer["item_id"].shape == answer["score"].shape == (0, 0)


def test_negative_k_is_none(exact):
    item_id, _ = recommend(exact, [["a"], ["a"]], k=[-3, 1])

    assert item_id == [[""], ["e"]]


def test_export_answers_as_the_endpoint_in_memory(tmp_path, exact):
    endpoint.export(exact, str(tmp_path / "model"))

    loaded = tf.saved_model.load(str(tmp_path / "model"))
    answer = loaded.signatures["serving_default"](
        history_item_id=tf.constant([["a"]]),
        history_action=tf.constant([["dislike"]]),
        history_timestamp=tf.constant([[0]], tf.int64),
        history_value=tf.constant([[NAN]]),
        exclude_item_id=tf.constant([["c"]]),
        k=tf.constant([2], tf.int32),
    )

    assert answer["item_id"].numpy().tolist() == [[b"d", b"b"]]
    assert answer["score"].numpy().tolist() == [[-1.0, -3.0]]


def test_each_request_has_its_own_user_control(tmp_path, exact):
    """Items a to d of `UNIT`; b is liked, a disliked once, not at all, or twice."""
    endpoint.export(exact, str(tmp_path / "model"))
    controlled = tf.saved_model.load(str(tmp_path / "model")).signatures["controlled"]
    control = [NAN, 0.0, 2.0]

    answer = controlled(
        history_item_id=tf.constant([["b", "a"]] * 3),
        history_action=tf.constant([["like", "dislike"]] * 3),
        history_timestamp=tf.zeros((3, 2), tf.int64),
        history_value=tf.fill((3, 2), NAN),
        exclude_item_id=tf.zeros((3, 0), tf.string),
        k=tf.constant([2] * 3, tf.int32),
        user_control=tf.constant(control),
    )

    for row, times in enumerate((1.0, 0.0, 2.0)):
        score = UNIT @ (np.array(UNIT[1]) - times * np.array(UNIT[0]))
        best = np.sort(score[2:])[::-1][:2]
        np.testing.assert_allclose(answer["score"][row], best, atol=1e-6)
