"""Audiences of a log of four users, by hand."""

import numpy as np
from scipy import sparse

from components.trainer.avoidance import audience

MET = sparse.csr_matrix(
    np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]], np.float32)
)
"""Items by users: users 0 and 2 met two items, users 1 and 3 one."""


def test_shrunk_cosine_by_hand():
    """Users weigh 1 / sqrt(3) after two items, 1 / sqrt(2) after one."""
    two, one = 3**-0.5, 2**-0.5
    shrinkage = 5.0 * (2 * two + 2 * one) / 4
    a, b, c = two + one, two + two, two + one

    found = audience.Audience(MET, np.array([1, 0])).cosines(np.arange(3))

    expected = [
        [two / ((a * b) ** 0.5 + shrinkage), a / (a + shrinkage)],
        [b / (b + shrinkage), two / ((b * a) ** 0.5 + shrinkage)],
        [two / ((c * b) ** 0.5 + shrinkage), 0.0],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_nobody_met_anything():
    nothing = sparse.csr_matrix((3, 1), dtype=np.float32)

    found = audience.Audience(nothing, np.array([0, 2])).cosines(np.arange(3))

    np.testing.assert_array_equal(found, np.zeros((3, 2)))
