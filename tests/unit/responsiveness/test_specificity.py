"""Whether the answer is aimed, from slates whose figures are worked by hand."""

import pytest

from components.responsiveness import specificity
from tests import known_recommenders


def test_specificity_compares_who_leaves():
    """Of three similar items two left; of five others none."""
    found = specificity.by_similarity(
        known_recommenders.estimator(), known_recommenders.TWO_USERS
    )["content"]

    assert found.similar_removed == pytest.approx(2 / 3)
    assert found.other_removed == 0.0
    assert found.difference == pytest.approx(2 / 3)
    assert found.low <= 2 / 3 <= found.high


def test_specificity_without_anything_else_is_no_figure():
    alike = known_recommenders.branches(
        ["a-0", "b-0"], [["a-1"], ["b-1"]], [["c-1"], ["c-2"]]
    )

    found = specificity.by_similarity(known_recommenders.estimator(), alike)["content"]

    assert found.difference is None
    assert "nothing else" in found.reason
