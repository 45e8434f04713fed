"""Vectors of the retrieval benchmark."""

import numpy as np

from benchmarks.retrieval import vectors


def test_codes_follow_the_embeddings_and_half_of_the_queries_dislike():
    candidate, query = np.ones((50, 64), np.float32), np.ones((10, 64), np.float32)

    coded, (asked,) = vectors.add_codes(candidate, [query], dim=16, seed=1)

    assert coded.shape == (50, 80)
    assert asked.shape == (10, 80)
    np.testing.assert_array_equal(coded[:, :64], candidate)
    np.testing.assert_array_equal(asked[:, :64], query)
    np.testing.assert_allclose(np.linalg.norm(coded[:, 64:], axis=1), 0.1, rtol=1e-6)
    assert not asked[::2, 64:].any()
    # Whatever was disliked is of the catalogue: its own set loses the strength, 2.5.
    added = asked[1::2, 64:] @ coded[:, 64:].T
    np.testing.assert_allclose(added.min(axis=1), -2.5, rtol=1e-5)


def test_no_codes_leave_the_vectors_as_they_are():
    candidate, query = np.ones((5, 64), np.float32), np.ones((2, 64), np.float32)

    coded, (asked,) = vectors.add_codes(candidate, [query], dim=0, seed=1)

    assert coded is candidate
    assert asked is query
