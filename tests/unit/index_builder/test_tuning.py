import numpy as np
import pytest

from components.index_builder import scann_index, search_cost, tuning
from schema import settings


def test_recall_worked_by_hand():
    # Both of the first, one of two of the second, none of the third.
    found = np.array([[4, 1, 7], [2, 8, 9], [5, 6, 7]])
    exact = np.array([[1, 4], [3, 2], [0, 1]])

    assert tuning.recall(found, exact) == pytest.approx(0.5)


def test_pads_of_a_short_answer_find_nothing():
    assert tuning.recall(np.array([[3]]), np.array([[3, 4, 5, 6]])) == 0.25


def test_exact_rows_are_sorted_by_score(rng):
    query, embedding = rng.normal(size=(130, 4)), rng.normal(size=(50, 4))

    rows = tuning.exact_rows(
        query.astype(np.float32), embedding.astype(np.float32), k=7
    )

    np.testing.assert_array_equal(rows, np.argsort(-query @ embedding.T, axis=1)[:, :7])


def test_efforts_are_distinct_and_sorted_by_cost():
    efforts = tuning.efforts(scann_index.IndexShape(100), 10, 10_000, 64)

    assert len({effort for _, effort in efforts}) == len(efforts)
    assert [cost for cost, _ in efforts] == sorted(cost for cost, _ in efforts)
    assert efforts[0][1] == scann_index.SearchEffort(1, 20)
    assert efforts[-1][1] == scann_index.SearchEffort(100, 400)


def test_efforts_stay_within_the_index():
    for _, effort in tuning.efforts(scann_index.IndexShape(3), 100, 120, 8):
        assert 1 <= effort.leaves_searched <= 3
        assert 1 <= effort.num_reordered <= 120


@pytest.mark.parametrize(
    ("num_candidates", "index", "expected"),
    [
        (10_000, {}, [100, 200, 400]),
        (5_100, {}, [71, 143, 286]),  # the root is 71.41
        (1, {}, [2, 4]),
        (10_000, {"num_leaves": 7}, [7]),
        (5, {"num_leaves": 7}, [5]),
    ],
)
def test_leaves_are_multiples_of_the_root_or_as_told(num_candidates, index, expected):
    given = settings.IndexSettings(**index)

    assert tuning.leaf_options(num_candidates, given) == expected


def test_costs_worked_by_hand():
    # 10 of 100 leaves: 1,000 of 10,000 candidates by code, then 50 exactly.
    cost = search_cost.approximate_ns(10_000, 64, 100, 2, 10, 50)

    assert cost == pytest.approx(8_000 + 3.6 * 100 + 1.15 * 1_000 + 30 * 50)
    # Half the dimensions are half the arithmetic; what is fixed, and fetched, stays.
    half = search_cost.approximate_ns(10_000, 32, 100, 2, 10, 50)
    assert half == pytest.approx(8_000 + (360 + 1_150) / 2 + 1_500)
    assert search_cost.exact_ns(10_000, 32) == pytest.approx(7 * 10_000 / 2)


@pytest.fixture(scope="module")
def catalogue():
    """Items in clusters, and queries near them, as a trained model's are."""
    rng = np.random.default_rng(11)
    centre = rng.normal(size=(30, 8))
    items = centre[rng.integers(30, size=1_500)] + 0.3 * rng.normal(size=(1_500, 8))
    query = centre[rng.integers(30, size=80)] + 0.3 * rng.normal(size=(80, 8))
    return items.astype(np.float32), query.astype(np.float32)


def given(**index):
    """1,500 candidates are too few for an index of its own accord."""
    return settings.IndexSettings(search="approximate", **index)


@pytest.mark.parametrize("target", [0.5, 0.9, 0.98])
def test_cheapest_setting_that_reaches_the_target_is_taken(catalogue, target):
    index = given(recall_target=target, recall_k=20)

    result = tuning.tune(*catalogue, index)

    reached = [tried for tried in result.curve if tried["recall"] >= target]
    cheapest = min(reached, key=lambda tried: tried["cost_ns"])
    chosen = {**vars(result.layer.shape), **vars(result.layer.effort)}
    assert chosen == {name: cheapest[name] for name in chosen}
    assert result.cost_ns == pytest.approx(cheapest["cost_ns"], abs=1)
    # More than one number of leaves, and both quantisations, were looked at.
    assert {tried["dims_per_block"] for tried in result.curve} >= {2}
    described = result.to_dict()
    assert described["kind"] == "scann"
    assert described["num_leaves"] == cheapest["num_leaves"]
    assert described["effort"]["num_reordered"] == cheapest["num_reordered"]


def test_recall_is_measured_on_the_queries_that_did_not_choose(catalogue):
    """The even queries choose; of the odd ones, numpy counts what is found."""
    embedding, query = catalogue
    index = given(recall_target=0.9, recall_k=20)

    result = tuning.tune(embedding, query, index)

    exact = np.argsort(-query[1::2] @ embedding.T, axis=1)[:, :20]
    rows = result.layer(query[1::2], k=20)[1].numpy()
    hits = [len(set(r) & set(e)) / 20 for r, e in zip(rows, exact, strict=True)]
    assert result.recall == pytest.approx(np.mean(hits))
    assert result.num_queries == len(hits) == 40


def test_target_out_of_reach_means_exact_search(catalogue, monkeypatch):
    monkeypatch.setattr(tuning, "_LEAF_SHARES", (0.02, 0.05))

    result = tuning.tune(*catalogue, given(recall_target=1.0))

    assert result.layer is None
    assert result.recall == 1.0
    assert "finds 1 of the first 100; the best found 0." in result.reason
    assert result.curve
    assert result.to_dict()["kind"] == "exact"


def test_index_that_costs_more_than_exact_search_is_not_built(catalogue, monkeypatch):
    """1,500 candidates of 8 dimensions are scored before an index has begun."""
    monkeypatch.setattr(scann_index, "TunableScann", None)  # would fail if called

    result = tuning.tune(*catalogue, settings.IndexSettings(recall_target=0.5))

    assert result.layer is None
    assert result.cost_ns == result.exact_cost_ns == search_cost.exact_ns(1_500, 8)
    assert "less than exact search" in result.reason


def test_single_query_is_enough(catalogue):
    embedding, query = catalogue

    result = tuning.tune(embedding, query[:1], given())

    assert 0.0 <= result.recall <= 1.0
