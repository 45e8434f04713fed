import numpy as np
import pytest

from components.index_builder import scann_index, tuning
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


def test_efforts_are_distinct_and_end_with_the_deepest():
    efforts = tuning.efforts(leaves=100, k=10, num_candidates=10_000)

    assert len(set(efforts)) == len(efforts)
    assert efforts[-1] == scann_index.SearchEffort(100, 300)
    assert efforts[0] == scann_index.SearchEffort(2, 30)


def test_efforts_stay_within_the_index():
    for effort in tuning.efforts(leaves=3, k=100, num_candidates=120):
        assert 1 <= effort.leaves_searched <= 3
        assert 1 <= effort.num_reordered <= 120


@pytest.fixture(scope="module")
def catalogue():
    """Items in clusters, and queries near them, as a trained model's are."""
    rng = np.random.default_rng(11)
    centre = rng.normal(size=(30, 8))
    items = centre[rng.integers(30, size=1_500)] + 0.3 * rng.normal(size=(1_500, 8))
    query = centre[rng.integers(30, size=80)] + 0.3 * rng.normal(size=(80, 8))
    return items.astype(np.float32), query.astype(np.float32)


@pytest.fixture(scope="module")
def layer(catalogue):
    return scann_index.build(catalogue[0], leaves=39)


@pytest.mark.parametrize("target", [0.5, 0.9, 0.98])
def test_first_setting_that_reaches_the_target_is_taken(layer, catalogue, target):
    embedding, query = catalogue
    index = settings.IndexSettings(recall_target=target, recall_k=20)

    result = tuning.tune(layer, 39, embedding, query, index)

    recalls = [tried["recall"] for tried in result.curve]
    assert recalls[-1] >= target
    assert all(recall < target for recall in recalls[:-1])
    last = result.curve[-1]
    assert vars(result.effort) == {
        name: last[name] for name in ("leaves_searched", "num_reordered")
    }
    assert result.to_dict()["effort"] == vars(result.effort)


def test_recall_is_measured_on_the_queries_that_did_not_choose(layer, catalogue):
    """The even queries choose; of the odd ones, numpy counts what is found."""
    embedding, query = catalogue
    index = settings.IndexSettings(recall_target=0.9, recall_k=20)

    result = tuning.tune(layer, 39, embedding, query, index)

    layer.effort = result.effort
    exact = np.argsort(-query[1::2] @ embedding.T, axis=1)[:, :20]
    rows = layer(query[1::2], k=20)[1].numpy()
    hits = [len(set(r) & set(e)) / 20 for r, e in zip(rows, exact, strict=True)]
    assert result.recall == pytest.approx(np.mean(hits))


def test_target_out_of_reach_means_exact_search(layer, catalogue, monkeypatch):
    embedding, query = catalogue
    monkeypatch.setattr(tuning, "_LEAF_SHARES", (0.02, 0.05))

    result = tuning.tune(
        layer, 39, embedding, query, settings.IndexSettings(recall_target=1.0)
    )

    assert result.effort is None
    assert result.recall == 1.0
    assert result.curve


def test_single_query_is_enough(layer, catalogue):
    embedding, query = catalogue

    result = tuning.tune(layer, 39, embedding, query[:1], settings.IndexSettings())

    assert 0.0 <= result.recall <= 1.0
