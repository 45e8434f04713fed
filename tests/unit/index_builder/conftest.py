import numpy as np
import pytest

from components.index_builder import endpoint
from tests.unit.index_builder import towers_by_hand
from tests.unit.index_builder.endpoints import DIM, ITEMS, NAMES, NUM_ITEMS, UNIT


@pytest.fixture(scope="module")
def exact():
    return endpoint.RetrievalEndpoint(towers_by_hand.Towers(ITEMS, UNIT), None)


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(4)
    return towers_by_hand.Towers(NAMES, rng.normal(size=(NUM_ITEMS, DIM)))


@pytest.fixture
def requests(rng):
    histories = [
        [NAMES[i] for i in rng.choice(NUM_ITEMS, size, replace=False)]
        for size in (1, 4, 9)
    ]
    exclude = [[NAMES[i] for i in rng.choice(NUM_ITEMS, 5)] for _ in histories]
    return histories, exclude
