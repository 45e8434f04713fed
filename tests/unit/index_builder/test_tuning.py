import numpy as np
import pytest
import tensorflow as tf

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


def test_efforts_that_round_to_the_same_are_one_and_cheap_ones_come_first():
    """A leaf of 7 candidates is 9 ns of codes, 10 more rescored are 300 ns."""
    found = tuning.efforts(scann_index.IndexShape(4), 10, 30, 64)

    assert [(e.leaves_searched, e.num_reordered) for _, e in found] == [
        (1, 20), (2, 20), (3, 20), (4, 20), (1, 30), (2, 30), (3, 30), (4, 30),
    ]  # fmt: skip


def test_efforts_go_from_the_least_to_everything():
    found = tuning.efforts(scann_index.IndexShape(100), 10, 10_000, 64)

    assert found[0][1] == scann_index.SearchEffort(1, 20)
    assert found[-1][1] == scann_index.SearchEffort(100, 400)
    costs = [cost for cost, _ in found]
    assert costs == sorted(costs)


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


def cost_ns(candidates=10_000, dim=64, leaves=100, block=2, searched=10, rescored=50):
    return search_cost.approximate_ns(
        candidates, dim, leaves, block, searched, rescored
    )


def test_cost_lies_between_those_measured_at_100_thousand_and_a_million():
    """Both priced by the table of ADR 0020: 100 centroids, 1,000 codes, 50 rescored."""
    at_100_thousand = 5_954 + 4.6 * 100 + 1.74 * 1_000 + 19 * 50
    at_a_million = 11_557 + 2.9 * 100 + 0.78 * 1_000 + 46 * 50

    assert at_100_thousand < cost_ns() < at_a_million
    assert 5.2 * 10_000 < search_cost.exact_ns(10_000, 64) < 10.3 * 10_000


@pytest.mark.parametrize(
    ("more", "lowest", "highest"),
    [
        ({"leaves": 200, "searched": 20}, 2.9 * 100, 4.6 * 100),
        ({"candidates": 20_000}, 0.78 * 1_000, 1.74 * 1_000),
        ({"searched": 30}, 0.78 * 2_000, 1.74 * 2_000),
        ({"searched": 30, "block": 4}, 0.56 * 3_000 - 1_740, 1.5 * 3_000 - 780),
        ({"rescored": 100}, 19 * 50, 46 * 50),
        # Half the dimensions: half the arithmetic; what is fetched costs the same.
        ({"dim": 32}, -(460 + 1_740) / 2, -(290 + 780) / 2),
    ],
)
def test_what_more_work_adds_to_the_cost(more, lowest, highest):
    assert lowest < cost_ns(**more) - cost_ns() < highest


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


def planted_index(reaches):
    """Stands for ScaNN: finds all where told, and half of it elsewhere."""

    class Planted:
        def __init__(self, embedding, shape):
            self.embedding, self.shape, self.effort = embedding, shape, None

        def __call__(self, query, k):
            rows = np.argsort(-query.numpy() @ self.embedding.T, axis=1)[:, :k]
            share = self.effort.leaves_searched / self.shape.num_leaves
            if share < 0.1 or not reaches(self.shape, self.effort.num_reordered):
                rows[:, k // 2 :] = -1
            return None, tf.constant(rows)

    return Planted


@pytest.mark.parametrize(
    ("reaches", "chosen"),
    [
        # A tenth of the leaves and 40 rescored will do; more leaves only cost.
        (lambda shape, rescored: rescored >= 40, (100, 4, 10, 40)),
        # Coarse codes must rescore 200: that costs more than they save.
        (
            lambda shape, rescored: rescored >= (200, 40)[shape.dims_per_block == 2],
            (100, 2, 10, 40),
        ),
        # 100 leaves never do, 400 would cost more.
        (
            lambda shape, rescored: shape.num_leaves > 100 and rescored >= 40,
            (200, 4, 20, 40),
        ),
        # 200 leaves save so much rescoring that their centroids pay.
        (
            lambda shape, rescored: rescored >= (70, 40)[shape.num_leaves == 200],
            (200, 4, 20, 40),
        ),
    ],
)
def test_cheapest_setting_that_reaches_the_target_is_taken(
    reaches, chosen, rng, monkeypatch
):
    """10 of 10,000: a leaf costs 3.6 ns, a code about 1 ns, a rescored one 30 ns."""
    monkeypatch.setattr(scann_index, "TunableScann", planted_index(reaches))
    embedding = rng.normal(size=(10_000, 64)).astype(np.float32)

    result = tuning.tune(
        embedding, embedding[:4], given(recall_target=0.9, recall_k=10)
    )

    shape, effort = result.layer.shape, result.layer.effort
    assert (shape.num_leaves, shape.dims_per_block) == chosen[:2]
    assert (effort.leaves_searched, effort.num_reordered) == chosen[2:]
    assert result.recall == 1.0
    described = result.to_dict()
    assert described["kind"] == "scann"
    assert (described["num_leaves"], described["dims_per_block"]) == chosen[:2]
    assert described["effort"]["num_reordered"] == chosen[3]


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


def test_single_query_both_chooses_and_measures(catalogue):
    embedding, query = catalogue
    index = given(recall_target=0.9, recall_k=20)

    result = tuning.tune(embedding, query[:1], index)

    exact = np.argsort(-query[0] @ embedding.T)[:20]
    found = result.layer(query[:1], k=20)[1].numpy()[0]
    assert result.num_queries == 1
    assert result.recall == len(set(found) & set(exact)) / 20 >= 0.9
