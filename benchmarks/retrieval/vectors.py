"""Vectors with the mean and the spectrum of trained towers."""

from __future__ import annotations

import pathlib

import numpy as np

# Mean and Cholesky factor of the covariance of 9,125 candidate and 671 query embeddings
# of the towers that `heed run --config movielens-small` trains, in one basis.
SPECTRUM = pathlib.Path(__file__).with_name("spectrum.npz")
_NUM_SETS = 1_000
_STRENGTH, _LENGTH = 2.5, 0.1
"""Of a dislike, and of a candidate's code: those of the avoidance path."""


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
    """Appends avoidance codes, as `components/trainer/avoidance/path.py` has them.

    A candidate is of one of a thousand sets, small and large ones; every second query
    comes after a dislike of one of the candidates.

    Args:
      candidate: [num_candidates, 64] float32.
      queries: arrays of [num_queries, 64] float32.
      dim: of the codes; 0 leaves all as it is.
      seed: of sets and dislikes.

    Returns:
      The same with 64 + dim columns.
    """
    if not dim:
        return candidate, queries
    from components.trainer.avoidance import creator_codes

    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, _NUM_SETS + 1)
    belongs = rng.choice(_NUM_SETS, len(candidate), p=share / share.sum())
    code = creator_codes.codes(belongs.astype(np.int32) + 1, dim)
    moved = []
    for query in queries:
        disliked = rng.integers(0, len(candidate), len(query), np.int32)
        away = -_STRENGTH / _LENGTH * code[disliked]
        away[::2] = 0.0
        moved.append(np.concatenate([query, away], axis=1))
    return np.concatenate([candidate, _LENGTH * code], axis=1), moved
