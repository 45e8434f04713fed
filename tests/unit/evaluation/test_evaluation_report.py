import numpy as np
import pytest
from builders import id_rows, ids

from components.evaluation import report
from components.index_builder import held_out
from schema import settings

FEEDBACK = settings.FeedbackSettings()
LIST = report.LIST_LENGTH


def target(user, item, action="view", position=0):
    filler = [f"h{i}".encode() for i in range(position)]
    count = position + 1
    window = held_out.Window(
        user_id=user.encode(),
        item_id=np.array([*filler, item.encode()], object),
        timestamp=np.arange(count, dtype=np.int64),
        action=np.array([*[b"view"] * position, action.encode()], object),
        value=np.full(count, np.nan, np.float32),
        is_label=np.ones(count, bool),
    )
    return held_out.Target(window, position)


def make_table(targets, **evaluation):
    evaluation = {"top_k": (2,), "bootstrap_samples": 50, **evaluation}
    return report.TargetTable(
        targets, FEEDBACK, settings.EvaluationSettings(**evaluation)
    )


@pytest.fixture
def table():
    return make_table(
        [
            target("u", "a", "like", 3),
            target("u", "b", "dislike|view", 4),
            target("v", "a", "view", 0),
            target("w", "c", "skip", 7),
            target("w", "d", "view", 8),
        ]
    )


def test_gated_cutoff_is_always_measured():
    measured = report.cutoffs(settings.EvaluationSettings(top_k=(50, 5)))

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

    result = named.relevance(np.array([0, 5, 0]), np.ones(3, bool))

    assert result["recall@2"]["value"] == pytest.approx(2 / 3)


def test_relevance_worked_by_hand(table):
    # Positives: u/a first, v/a third, w/d unserved. Negatives: u/b second, w/c not.
    rank = np.array([0, 1, 2, 10, LIST])

    result = table.relevance(rank, np.ones(5, bool))

    value = {name: entry["value"] for name, entry in result.items()}
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
    assert result["recall@2"]["count"] == 3
    assert result["negative_recall@2"]["count"] == 2
    for entry in result.values():
        assert entry["low"] <= entry["value"] <= entry["high"]


def test_relevance_of_chosen_targets_only(table):
    result = table.relevance(
        np.array([0, 1, 2, 10, LIST]), np.array([True, True, False, False, False])
    )

    assert result["recall@2"]["value"] == 1.0
    assert result["recall@2"]["count"] == 1


def test_difference_is_this_model_minus_the_other(table):
    ours, other = np.array([0, 1, 2, 10, 3]), np.array([5, 1, LIST, 0, 3])

    result = table.difference(ours, other)

    # Hits in two: ours u/a; other none. Negatives: both u/b, the other also w/c.
    assert result["recall@2"]["value"] == pytest.approx(1 / 3)
    assert result["negative_recall@2"]["value"] == pytest.approx(-1 / 2)
    assert result["recall@10"]["value"] == pytest.approx((3 - 2) / 3)
    assert {"ndcg@2", "negative_ndcg@10"} <= set(result)


def test_model_differs_in_nothing_from_itself(table):
    rank = np.array([0, 1, 2, 10, LIST])

    for entry in table.difference(rank, rank).values():
        assert (entry["value"], entry["low"], entry["high"]) == (0.0, 0.0, 0.0)


def test_coverage_counts_distinct_items_among_the_first_k():
    top = id_rows(["a", "b", "x"], ["b", "c", "y"], ["a", "", ""])

    result = report.coverage(top, k=2, num_candidates=10, seed=1)

    assert result["value"] == pytest.approx(3 / 10)
    assert result["count"] == 3
    assert 0.0 <= result["low"] <= 0.3 <= result["high"] <= 1.0


def test_coverage_of_items_in_any_language():
    assert report.coverage(id_rows(["é"], ["日"]), 1, 4, seed=1)["value"] == 0.5


def test_coverage_of_nothing_is_none():
    assert report.coverage(np.zeros((0, 5), object), 2, 9, 1)["value"] is None


def test_slices_worked_by_hand(table):
    # 100 training labels: a alone holds half of them.
    masks = report.slice_masks(table, {b"a": 55, b"b": 25, b"d": 20})

    found = {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()}
    assert found == {
        "history:short": [0, 1, 2],  # the median length is 4
        "history:long": [3, 4],
        "item:head": [0, 2],
        "item:tail": [1, 4],
        "item:cold": [3],
        "negative:explicit": [1],
        "negative:implicit": [3],
    }


def test_item_slices_part_the_targets(table):
    for counts in ({}, {b"a": 1}, {b"a": 1, b"b": 1, b"c": 1, b"d": 1}, {b"zz": 3}):
        masks = report.slice_masks(table, counts)
        together = sum(
            masks[f"item:{name}"].astype(int) for name in ("head", "tail", "cold")
        )
        assert together.tolist() == [1] * 5, counts


def test_head_is_the_smallest_set_that_holds_half_of_the_labels():
    table = make_table([target("u", name) for name in "abcd"])

    # 40 + 30 of 100 are the first to reach 50.
    masks = report.slice_masks(table, {b"a": 40, b"b": 30, b"c": 20, b"d": 10})

    assert masks["item:head"].tolist() == [True, True, False, False]


def test_popularity_lists_skip_the_history_and_break_ties_by_id():
    counts = {b"c": 5, b"b": 5, b"a": 1, b"d": 9}

    lists = report.popularity_lists(counts, [ids(), ids("d", "zz"), ids("b", "d")], 3)

    assert lists.tolist() == [
        [b"d", b"b", b"c"],
        [b"b", b"c", b"a"],
        [b"c", b"a", b""],
    ]
