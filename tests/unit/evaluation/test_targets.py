import numpy as np
import pytest

from components import held_out
from components.evaluation import item_index, slices, targets
from schema import settings
from serving.bundle import catalog

FEEDBACK = settings.FeedbackSettings()
LIST = targets.LIST_LENGTH
INDEX = item_index.ItemIndex([b"a", b"b", b"c", b"d", b"h0", b"h1"])


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


def make_table(found, **evaluation):
    evaluation = {"top_k": (2,), "bootstrap_samples": 50, **evaluation}
    return targets.TargetTable(
        found, INDEX, FEEDBACK, settings.EvaluationSettings(**evaluation)
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


def masks(table, counts, items=None, new_users=frozenset(), **evaluation):
    return slices.masks(
        table,
        INDEX.counts(counts),
        items or [catalog.Item()] * len(INDEX),
        set(new_users),
        settings.EvaluationSettings(**evaluation),
    )


def test_slices_worked_by_hand(table):
    # 100 training labels: a alone holds half of them.
    found = masks(table, {b"a": 55, b"b": 25, b"d": 20}, new_users={b"v"})

    assert {name: np.flatnonzero(mask).tolist() for name, mask in found.items()} == {
        "history:short": [0, 1, 2],  # the median length is 4
        "history:long": [3, 4],
        "user:new": [2],
        "user:known": [0, 1, 3, 4],
        "item:head": [0, 2],
        "item:tail": [1, 4],
        "item:cold": [3],
        "negative:explicit": [1],
        "negative:implicit": [3],
    }


def test_slices_of_the_largest_categories(table):
    # The targets are a, b, a, c, d.
    items = [
        catalog.Item(categories=tuple(names))
        for names in ([b"x", b"y"], [b"y"], [b"z"], [b"w"], [], [])
    ]

    found = masks(table, {}, items, category_slices=3)

    of_category = {
        name: np.flatnonzero(mask).tolist()
        for name, mask in found.items()
        if name.startswith("category:")
    }
    assert of_category == {
        "category:y": [0, 1, 2],
        "category:x": [0, 2],
        "category:w": [4],  # as many as z, and before it
    }


def test_item_slices_part_the_targets(table):
    for counts in ({}, {b"a": 1}, {b"a": 1, b"b": 1, b"c": 1, b"d": 1}, {b"h0": 3}):
        found = masks(table, counts)
        together = sum(
            found[f"item:{name}"].astype(int) for name in ("head", "tail", "cold")
        )
        assert together.tolist() == [1] * 5, counts


def test_head_is_the_smallest_set_that_holds_half_of_the_labels():
    table = make_table([target("u", name) for name in "abcd"])

    # 40 + 30 of 100 are the first to reach 50.
    found = masks(table, {b"a": 40, b"b": 30, b"c": 20, b"d": 10})

    assert found["item:head"].tolist() == [True, True, False, False]
