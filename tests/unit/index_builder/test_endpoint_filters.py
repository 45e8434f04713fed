"""The signature `filtered`: by category and creator, before the search."""

import numpy as np
import pytest

from components.index_builder import endpoint, scann_index
from serving.bundle import catalog
from tests.unit.index_builder import towers_by_hand
from tests.unit.index_builder.endpoints import (
    ITEMS,
    NAMES,
    NUM_ITEMS,
    UNIT,
    by_numpy,
    filtered,
)


def items_of(**given):
    """Catalogue items from `name=(creator, categories)`."""
    return {
        name.encode(): catalog.Item(
            creator_id=creator.encode(),
            categories=tuple(c.encode() for c in categories),
        )
        for name, (creator, categories) in given.items()
    }


LABELLED = items_of(
    a=("x", ["news"]), b=("x", ["news", "sport"]), c=("y", ["sport"]), d=("y", [])
)


@pytest.fixture(scope="module")
def labelled():
    return endpoint.RetrievalEndpoint(
        towers_by_hand.Towers(ITEMS, UNIT), None, items=LABELLED
    )


@pytest.mark.parametrize(
    ("category", "creator", "expected"),
    [
        (["news"], [], ["b"]),  # a is the history
        (["sport"], [], ["b", "c"]),
        (["sport", "news"], [], ["b", "c"]),
        ([], ["y"], ["c", "d"]),
        (["sport"], ["y"], ["c"]),
        (["news"], ["y"], []),
        (["no such"], [], []),
        ([], ["no such", "x"], ["b"]),
        ([], [], ["e", "b", "c", "d"]),  # no restriction
    ],
)
def test_filter_by_category_and_creator(labelled, category, creator, expected):
    item_id, score = filtered(labelled, [["a"]], [4], [category], [creator])

    assert item_id == [[*expected, *[""] * (4 - len(expected))]]
    assert score[0][len(expected) :] == [-np.inf] * (4 - len(expected))
    assert score[0] == sorted(score[0], reverse=True)


def test_each_request_has_its_own_filter(labelled):
    item_id, _ = filtered(
        labelled,
        [["a"], ["a"], ["a"]],
        [2, 1, 4],
        [["sport"], [], ["news", "sport"]],
        [[], ["y"], []],
        exclude=[[], ["c"], ["b"]],
    )

    assert item_id == [["b", "c", "", ""], ["d", "", "", ""], ["c", "", "", ""]]


def test_filter_never_loses_results_whatever_the_index_searches(many, requests):
    """One leaf searched would hold few items of a label: the filter comes first."""
    labels = {
        name.encode(): catalog.Item(categories=(b"even" if i % 2 == 0 else b"odd",))
        for i, name in enumerate(NAMES)
    }
    layer = scann_index.TunableScann(many.array, scann_index.IndexShape(20))
    layer.effort = scann_index.SearchEffort(1, NUM_ITEMS)
    served = endpoint.RetrievalEndpoint(many, layer, items=labels)
    histories, exclude = requests

    item_id, _ = filtered(
        served, histories, [100] * 3, [["even"]] * 3, [[]] * 3, exclude
    )

    for row in range(3):
        order = by_numpy(many, histories[row], exclude[row], NUM_ITEMS)
        assert item_id[row] == [n for n in order if int(n[1:]) % 2 == 0][:100]
