"""Vectors with the mean and the spectrum of trained towers."""

from __future__ import annotations

import pathlib

import numpy as np

# Mean and Cholesky factor of the covariance of 9,125 candidate and 671 query embeddings
# of the towers that `heed run --config movielens-small` trains, in one basis.
SPECTRUM = pathlib.Path(__file__).with_name("spectrum.npz")
_NUM_SETS = 1_000
_STRENGTH = 0.65
"""About what the sample teaches."""
_LENGTH = 0.1
"""Of a candidate's code; a query's is as much longer."""


def draw(kind: str, number: int, seed: int) -> np.ndarray:
    """Returns vectors of the `candidate` or the `query` tower, [number, 64] float32."""
    with np.load(SPECTRUM) as stored:
        mean, factor = stored[f"{kind}_mean"], stored[f"{kind}_factor"]
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((number, len(mean)), np.float32)
    return (mean + normal @ factor.T).astype(np.float32)


def add_codes(
    candidate: np.ndarray, queries: list[np.ndarray], dim: int, seed: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Appends avoidance codes, as docs/adr/0046 has them.

    A candidate is of one of a thousand sets, small and large ones; every second query
    comes after a dislike of one of the candidates.

    Args:
      candidate: [num_candidates, 64] float32.
      queries: arrays of [num_queries, 64] float32.
      dim: of the codes; 0 leaves all as it is.
      seed: of sets, codes and dislikes.

    Returns:
      The same with 64 + dim columns.
    """
    if not dim:
        return candidate, queries
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, _NUM_SETS + 1)
    belongs = rng.choice(_NUM_SETS, len(candidate), p=share / share.sum())
    code = (
        rng.choice([-1.0, 1.0], (_NUM_SETS, dim)).astype(np.float32)
        * _LENGTH
        * dim**-0.5
    )
    own = code[belongs]
    moved = []
    for query in queries:
        disliked = rng.integers(0, len(candidate), len(query))
        away = -_STRENGTH / _LENGTH**2 * own[disliked]
        away[::2] = 0.0
        moved.append(np.concatenate([query, away], axis=1, dtype=np.float32))
    return np.concatenate([candidate, own], axis=1), moved
