import ir_measures
import numpy as np
import pytest

from components.evaluation import metrics
from tests.builders import id_rows, ids


def test_rank_is_the_place_in_the_list_or_its_length():
    top = id_rows(["a", "b", "c"], ["c", "b", "a"], ["x", "y", "z"], ["a", "", ""])

    rank = metrics.target_rank(top, ids("a", "b", "q", "b"))

    assert rank.tolist() == [0, 1, 3, 3]


def test_values_worked_by_hand():
    rank = np.array([0, 1, 2, 9, 10, 100])

    assert metrics.hit(rank, 10).tolist() == [1, 1, 1, 1, 0, 0]
    np.testing.assert_allclose(
        metrics.discounted_hit(rank, 3), [1, 1 / np.log2(3), 0.5, 0, 0, 0]
    )
    np.testing.assert_allclose(
        metrics.reciprocal_rank(rank, 100), [1, 1 / 2, 1 / 3, 1 / 10, 1 / 11, 0]
    )


@pytest.fixture
def run(rng):
    """200 targets with lists of 30 out of 60 items."""
    items = np.array([f"i{i}".encode() for i in range(60)], object)
    top = np.stack([rng.permutation(items)[:30] for _ in range(200)])
    return top, rng.choice(items, 200)


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_recall_ndcg_and_mrr_are_those_of_ir_measures(run, k):
    top, target = run
    rank = metrics.target_rank(top, target)
    qrels = [
        ir_measures.Qrel(str(q), item.decode(), 1) for q, item in enumerate(target)
    ]
    scored = [
        ir_measures.ScoredDoc(str(q), item.decode(), -float(place))
        for q, row in enumerate(top)
        for place, item in enumerate(row)
    ]
    wanted = {
        ir_measures.R @ k: metrics.hit(rank, k),
        ir_measures.nDCG @ k: metrics.discounted_hit(rank, k),
        ir_measures.RR @ k: metrics.reciprocal_rank(rank, k),
    }

    found = ir_measures.calc_aggregate(list(wanted), qrels, scored)

    assert 0 < found[ir_measures.R @ k] < 1
    for measure, ours in wanted.items():
        assert ours.mean() == pytest.approx(found[measure], abs=1e-9), measure


def test_overlap_counts_what_exact_search_finds_whatever_its_order():
    top = np.array([[0, 1, 2], [0, 7, 8], [2, 1, 0]])
    exact = np.array([[2, 1, 0], [0, 1, 2], [0, 5, 2]])

    np.testing.assert_allclose(metrics.overlap(top, exact, 3), [1, 1 / 3, 2 / 3])
    np.testing.assert_allclose(metrics.overlap(top, exact, 1), [0, 1, 0])


def test_overlap_does_not_count_pads():
    # Exact search finds one item, and none at all.
    top = np.array([[0, -1, -1], [-1, -1, -1], [-1, -1, -1]])
    exact = np.array([[0, -1, -1], [-1, -1, -1], [1, -1, -1]])

    np.testing.assert_allclose(metrics.overlap(top, exact, 3), [1, 1, 0])


def test_ideal_gain_worked_by_hand():
    log3 = np.log2(3)

    gain = metrics.ideal_gain(np.array([1, 2, 5]), 2)

    np.testing.assert_allclose(gain, [1, 1 + 1 / log3, 1 + 1 / log3])
