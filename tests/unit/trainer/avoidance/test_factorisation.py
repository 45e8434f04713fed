"""Factors of small similarities against numpy's exact decomposition."""

import numpy as np
import pytest

from components.trainer.avoidance import factorisation


def similarity(size, seed=3):
    rng = np.random.default_rng(seed)
    half = rng.random((size, size)).astype(np.float32)
    found = (half + half.T) / 2
    np.fill_diagonal(found, 0.0)
    return found


def test_all_dimensions_give_the_matrix_back():
    """Negative eigenvalues too: a matrix with a diagonal of 0 has some."""
    given = similarity(7)
    assert np.linalg.eigvalsh(given).min() < -0.1

    query, candidate = factorisation.factorise(given, np.ones(7), 7, refinements=0)

    np.testing.assert_allclose(query @ candidate.T, given, atol=1e-5)


def test_few_dimensions_are_the_best_of_that_rank_under_the_weights():
    """Eckart and Young, for W^1/2 T W^1/2."""
    given = similarity(9)
    weight = np.arange(1.0, 10.0, dtype=np.float32)
    root = np.sqrt(weight / weight.mean())
    weighted = root[:, None] * given * root
    value, vector = np.linalg.eigh(weighted.astype(np.float64))
    kept = np.argsort(-np.abs(value))[:4]
    best = (vector[:, kept] * value[kept]) @ vector[:, kept].T

    query, candidate = factorisation.factorise(given, weight, 4, refinements=0)

    found = root[:, None] * (query @ candidate.T) * root
    np.testing.assert_allclose(found, best, atol=1e-5)


def test_iteration_for_large_matrices_finds_the_same():
    rng = np.random.default_rng(5)
    vector = rng.normal(size=(600, 4)).astype(np.float32)
    # Four values far above the rest, which the diagonal's removal makes.
    given = (vector * [4.0, 3.0, 2.0, -2.5] @ vector.T).astype(np.float32)
    np.fill_diagonal(given, 0.0)
    value, exact = np.linalg.eigh(given.astype(np.float64))
    kept = np.argsort(-np.abs(value))[:4]
    best = (exact[:, kept] * value[kept]) @ exact[:, kept].T

    first = factorisation.factorise(given, np.ones(600), 4, refinements=0)
    again = factorisation.factorise(given, np.ones(600), 4, refinements=0)

    scale = np.abs(best).max()
    np.testing.assert_allclose(first.query @ first.candidate.T, best, atol=1e-3 * scale)
    np.testing.assert_array_equal(first.query, again.query)
    np.testing.assert_array_equal(first.candidate, again.candidate)


def test_a_free_diagonal_lets_two_alike_items_be_one_dimension():
    """[[0, 1], [1, 0]] needs two dimensions; with a diagonal of 1 one is enough.

    One dimension of the former leaves .5 everywhere. The diagonal goes 0, .5, .75: of
    [[.75, 1], [1, .75]] the larger eigenvalue is 1.75, and its part .875 everywhere.
    """
    given = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)

    for refinements, expected in ((0, 0.5), (1, 0.75), (2, 0.875)):
        query, candidate = factorisation.factorise(given, np.ones(2), 1, refinements)
        np.testing.assert_allclose(np.abs(query @ candidate.T), expected, rtol=1e-5)


def test_dimensions_that_items_cannot_fill_are_0():
    query, candidate = factorisation.factorise(np.zeros((1, 1), "f4"), np.ones(1), 5)

    np.testing.assert_array_equal(query, np.zeros((1, 5)))
    np.testing.assert_array_equal(candidate, np.zeros((1, 5)))
    np.testing.assert_array_equal(factorisation.projection(query, np.ones(1)), 0.0)


@pytest.mark.parametrize("weight", [np.ones(8), np.arange(1.0, 9.0)])
def test_projection_finds_a_code_again_from_its_similarities(weight):
    """T = x Q' has x as its least-squares solution; the ridge takes about 1 % off."""
    rng = np.random.default_rng(2)
    query = rng.normal(size=(8, 3)).astype(np.float32)
    hidden = rng.normal(size=(5, 3)).astype(np.float32)

    found = (hidden @ query.T) @ factorisation.projection(query, weight)

    np.testing.assert_allclose(found, hidden, atol=0.03)
