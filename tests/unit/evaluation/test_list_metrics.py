import numpy as np
import pytest

from components.evaluation import item_index, list_metrics


def test_item_index_numbers_items_in_any_language():
    index = item_index.ItemIndex([b"b", "日".encode(), b"a", b"b", b""])

    found = index.encode(np.array([[b"a", b""], ["日".encode(), b"new"]], object))

    assert found.tolist() == [[0, -1], [2, -1]]
    assert found.dtype == np.int32
    assert len(index) == 3
    assert index.counts({b"b": 4}).tolist() == [0, 4, 0]
    assert index.encode(np.zeros((2, 0), object)).shape == (2, 0)


def test_popularity_quantile_worked_by_hand():
    # Of 1, 1, 5, 9: half of the two equal ones are below each.
    quantile = list_metrics.popularity_quantile(np.array([5, 1, 1, 9]))

    np.testing.assert_allclose(quantile, [2.5 / 4, 1 / 4, 1 / 4, 3.5 / 4])


def test_mean_over_list_leaves_pads_out():
    mean = list_metrics.mean_over_list(
        np.array([0.5, 1.0]), np.array([[0, 1], [1, -1], [-1, -1]])
    )

    np.testing.assert_allclose(mean, [0.75, 1.0, np.nan])


def test_diversity_worked_by_hand():
    # 0: {a, b}; 1: {a}; 2: {c}; 3: nothing.
    category = list_metrics.category_table([[b"a", b"b"], [b"a"], [b"c"], []])

    found = list_metrics.diversity(
        np.array([[0, 1, 2], [0, 3, 1], [1, 1, -1], [3, 2, -1]]), category
    )

    # Similar pairs: 1/2, 0, 0; then only {0, 1}; the same set twice; none that counts.
    np.testing.assert_allclose(found, [1 - 0.5 / 3, 1 - 0.5, 0.0, np.nan])


def test_diversity_is_one_minus_the_mean_jaccard_index(rng):
    names = [b"c%d" % i for i in range(6)]
    items = [
        [names[c] for c in rng.choice(6, rng.integers(0, 4), replace=False)]
        for _ in range(40)
    ]
    lists = np.stack([rng.choice(40, 12, replace=False) for _ in range(300)])

    found = list_metrics.diversity(lists, list_metrics.category_table(items))

    for row, served in enumerate(lists.tolist()):
        jaccard = [
            len({*items[a]} & {*items[b]}) / len({*items[a]} | {*items[b]})
            for i, a in enumerate(served)
            for b in served[:i]
            if items[a] and items[b]
        ]
        assert found[row] == pytest.approx(1 - sum(jaccard) / len(jaccard))


def test_catalogue_without_categories_has_no_diversity():
    category = list_metrics.category_table([[], []])

    assert np.isnan(list_metrics.diversity(np.array([[0, 1]]), category)).all()


def test_diversity_is_of_short_lists():
    assert list_metrics.diversity_cutoffs((5, 10, 100)) == (5, 10)
    assert list_metrics.diversity_cutoffs((50, 100)) == (50,)


def test_lift_compares_with_the_users_own_history():
    quantile = np.array([0.1, 0.5, 0.9])

    found = list_metrics.of_lists(
        np.array([[2, 1], [0, -1]]),
        np.array([[0, 1], [-1, -1]]),
        quantile,
        np.zeros((3, 1), np.int32),
        cutoffs=(1, 2),
    )

    np.testing.assert_allclose(found["popularity@1"].statistic, [0.9, 0.1])
    np.testing.assert_allclose(found["popularity@2"].statistic, [0.7, 0.1])
    assert found["popularity_lift@2"].statistic[0] == pytest.approx(0.7 - 0.3)
    # Nobody without a history can be served anything more popular than it.
    assert found["popularity_lift@2"].mask.tolist() == [True, False]


def test_coverage_counts_distinct_items_among_the_first_k():
    top = np.array([[0, 1, 8], [1, 2, 9], [0, -1, -1]])

    result = list_metrics.coverage(top, k=2, num_candidates=10, seed=1)

    assert result.value == pytest.approx(3 / 10)
    assert result.count == 3
    assert 0.0 <= result.low <= 0.3 <= result.high <= 1.0


def test_coverage_of_nothing_is_none():
    nothing = np.zeros((0, 5), np.int32)

    assert list_metrics.coverage(nothing, 2, 9, 1).value is None
