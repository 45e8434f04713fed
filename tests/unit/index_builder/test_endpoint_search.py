"""Exact and approximate search of a larger catalogue, against numpy."""

import numpy as np
import pytest

from components.index_builder import endpoint, scann_index
from tests.unit.index_builder import towers_by_hand
from tests.unit.index_builder.endpoints import (
    NAMES,
    NUM_ITEMS,
    approximate,
    by_numpy,
    recommend,
)


@pytest.fixture(scope="module")
def everything_searched(many):
    return approximate(many, leaves_searched=20, num_reordered=NUM_ITEMS)


@pytest.fixture(scope="module")
def one_leaf_searched(many):
    """About 50 candidates a leaf: less than is asked for below."""
    return approximate(many, leaves_searched=1, num_reordered=NUM_ITEMS)


@pytest.mark.parametrize("kind", ["exact", "everything_searched"])
def test_exact_setting_is_brute_force(kind, many, everything_searched, requests):
    histories, exclude = requests
    served = {
        "exact": endpoint.RetrievalEndpoint(many, None),
        "everything_searched": everything_searched,
    }[kind]

    item_id, _ = recommend(served, histories, k=[20, 7, 50], exclude=exclude)

    for row, k in enumerate([20, 7, 50]):
        shown = [item for item in item_id[row] if item]
        assert shown == by_numpy(many, histories[row], exclude[row], k)


def test_leaves_that_run_short_are_searched_exactly(many, one_leaf_searched, requests):
    histories, exclude = requests

    item_id, _ = recommend(one_leaf_searched, histories, k=[400] * 3, exclude=exclude)

    for row in range(3):
        assert item_id[row] == by_numpy(many, histories[row], exclude[row], 400)


def test_approximate_answers_hold_k_new_items(one_leaf_searched, requests):
    histories, exclude = requests

    item_id, score = recommend(
        one_leaf_searched, histories, k=[10] * 3, exclude=exclude
    )

    for row in range(3):
        assert "" not in item_id[row]
        assert len(set(item_id[row]) - {*histories[row], *exclude[row]}) == 10
        assert score[row] == sorted(score[row], reverse=True)


def test_answer_does_not_depend_on_who_else_asks(one_leaf_searched, requests):
    """One request whose leaves run short must not change its neighbours' answers."""
    histories, exclude = requests
    # In the same batch: which leaf a query falls into where two are about as near is
    # decided by ScaNN with the whole batch.
    alone = recommend(one_leaf_searched, histories[:2], [10, 10], exclude[:2])
    # The neighbour asks for more than its leaf holds.
    beside = recommend(one_leaf_searched, histories[:2], [10, 300], exclude[:2])

    assert beside[0][0][:10] == alone[0][0][:10]
    assert beside[1][0][:10] == pytest.approx(alone[1][0][:10], abs=1e-4)


@pytest.mark.parametrize("with_index", [False, True])
def test_withdrawn_items_are_never_recommended_but_understood_in_histories(
    many, with_index
):
    """The history is of withdrawn items; the answer is numpy's without them."""
    servable = np.arange(100, NUM_ITEMS, dtype=np.int32)
    layer = None
    if with_index:
        layer = scann_index.TunableScann(
            many.array[servable], scann_index.IndexShape(20)
        )
        layer.effort = scann_index.SearchEffort(20, NUM_ITEMS)
    served = endpoint.RetrievalEndpoint(many, layer, servable)
    history = ["n3", "n50", "n500"]

    item_id, score = recommend(served, [history], [30], [["n501", "n7"]])

    order = by_numpy(many, history, ["n501"], NUM_ITEMS)
    expected = [n for n in order if int(n[1:]) >= 100][:30]
    assert item_id[0] == expected
    query = many.array[[3, 50, 500]].sum(axis=0)
    assert score[0][0] == pytest.approx(
        float(query @ many.array[int(expected[0][1:])]), rel=1e-4
    )


def test_zero_vectors_are_candidates_that_score_zero(many):
    array = many.array.copy()
    array[::10] = 0.0
    layer = scann_index.TunableScann(array, scann_index.IndexShape(20))
    layer.effort = scann_index.SearchEffort(20, NUM_ITEMS)
    served = endpoint.RetrievalEndpoint(towers_by_hand.Towers(NAMES, array), layer)

    item_id, score = recommend(served, [["n1"]], [NUM_ITEMS])

    shown = dict(zip(item_id[0], score[0], strict=True))
    assert len([item for item in item_id[0] if item]) == NUM_ITEMS - 1
    assert shown["n10"] == shown["n990"] == pytest.approx(0.0, abs=1e-6)
