"""What several tests of evaluation judge."""

import pytest

from tests.unit.evaluation.held_out_targets import make_table, target


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
