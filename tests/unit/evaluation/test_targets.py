import numpy as np
import pytest

from components.evaluation import targets
from schema import settings
from tests.unit.evaluation.held_out_targets import make_table, target

LIST = targets.LIST_LENGTH


def test_gated_cutoff_is_always_measured():
    measured = targets.cutoffs(settings.EvaluationSettings(top_k=(50, 5)))

    assert measured == (5, 10, 50)


def test_columns(table):
    assert len(table) == 5
    assert table.polarity.tolist() == [
        "positive", "negative", "positive", "negative", "positive",
    ]  # fmt: skip
    assert table.explicit.tolist() == [False, True, False, False, False]
    assert table.history_length.tolist() == [3, 4, 0, 7, 8]


def test_user_ids_in_any_language_are_users():
    named = make_table([target("zoë", "a"), target("日本", "a"), target("zoë", "b")])

    result = named.relevance(np.array([0, 5, 0]))

    assert result["recall@2"].value == pytest.approx(2 / 3)


def test_relevance_worked_by_hand(table):
    # Positives: u/a first, v/a third, w/d unserved. Negatives: u/b second, w/c not.
    rank = np.array([0, 1, 2, 10, LIST])

    result = table.relevance(rank)

    value = {name: entry.value for name, entry in result.items()}
    log3 = np.log2(3)
    assert value == pytest.approx(
        {
            "recall@2": 1 / 3,
            "recall@10": 2 / 3,
            "ndcg@2": 1 / 3,
            "ndcg@10": (1 + 0.5) / 3,
            "negative_recall@2": 1 / 2,
            "negative_recall@10": 1 / 2,
            "negative_ndcg@2": 1 / log3 / 2,
            "negative_ndcg@10": 1 / log3 / 2,
            "delta_ndcg@2": 1 / 3 - 1 / log3 / 2,
            "delta_ndcg@10": 1.5 / 3 - 1 / log3 / 2,
            "mrr": (1 + 1 / 3) / 3,
        }
    )
    assert result["recall@2"].count == 3
    assert result["negative_recall@2"].count == 2
    for entry in result.values():
        assert entry.low <= entry.value <= entry.high


def test_relevance_of_chosen_targets_only(table):
    result = table.relevance(
        np.array([0, 1, 2, 10, LIST]), np.array([True, True, False, False, False])
    )

    assert result["recall@2"].value == 1.0
    assert result["recall@2"].count == 1


def test_difference_is_this_model_minus_the_other(table):
    ours, other = np.array([0, 1, 2, 10, 3]), np.array([5, 1, LIST, 0, 3])

    result = table.difference(ours, other)

    # Hits in two: ours u/a; other none. Negatives: both u/b, the other also w/c.
    assert result["recall@2"].value == pytest.approx(1 / 3)
    assert result["negative_recall@2"].value == pytest.approx(-1 / 2)
    assert result["recall@10"].value == pytest.approx((3 - 2) / 3)
    assert {"ndcg@2", "negative_ndcg@10"} <= set(result)


def test_model_differs_in_nothing_from_itself(table):
    rank = np.array([0, 1, 2, 10, LIST])

    for entry in table.difference(rank, rank).values():
        assert (entry.value, entry.low, entry.high) == (0.0, 0.0, 0.0)


def test_difference_of_a_slice_is_of_its_targets(table):
    ours, other = np.array([0, 1, 2, 10, 3]), np.array([5, 1, LIST, 0, 3])

    result = table.difference(ours, other, np.array([True, True, False, False, False]))

    assert result["recall@2"].value == 1.0
    assert result["recall@2"].count == 1
    assert result["mrr"].value == pytest.approx(1 - 1 / 6)


def test_histories_are_numbers_oldest_first(table):
    # "h0" and "h1" are known, further ones of the filler are not.
    assert table.history.shape == (5, 8)
    assert table.history[0].tolist() == [4, 5, -1, -1, -1, -1, -1, -1]
    assert table.history[2].tolist() == [-1] * 8
    assert table.history_is_liked[0].tolist() == [True] * 3 + [False] * 5
    assert table.item.tolist() == [0, 1, 0, 2, 3]
