"""Vectors with the mean and the spectrum of trained towers."""

from __future__ import annotations

import pathlib

import numpy as np

# Mean and Cholesky factor of the covariance of 9,125 candidate and 671 query embeddings
# of the towers that `heed run --config movielens-small` trains, in one basis.
SPECTRUM = pathlib.Path(__file__).with_name("spectrum.npz")


def draw(kind: str, number: int, seed: int) -> np.ndarray:
    """Returns vectors of the `candidate` or the `query` tower, [number, 64] float32."""
    with np.load(SPECTRUM) as stored:
        mean, factor = stored[f"{kind}_mean"], stored[f"{kind}_factor"]
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((number, len(mean)), np.float32)
    return (mean + normal @ factor.T).astype(np.float32)
