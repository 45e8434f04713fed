"""A similarity of items as the product of two short codes.

Similarities of the reference items form a symmetric matrix T. Its eigenpairs of largest
absolute value give codes Q and C with T about Q C'; both are needed, as negative
eigenvalues have opposite signs in them. Frequent items weigh more, and the diagonal is
free: no list holds an item beside itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import linalg

_FEWEST_FOR_ITERATION = 512
"""Smaller matrices are decomposed at once."""
_TOLERANCE = 1e-2
_REFINEMENTS = 2
"""Times that the diagonal is replaced by what the codes make of it."""
_RIDGE = 1e-3
"""Of the extension, relative to the codes' mean square."""


class Codes(NamedTuple):
    """Of some items; `query @ candidate.T` is the similarity to a disliked item."""

    query: NDArray[np.float32]
    """[n, dim]: as the disliked one."""
    candidate: NDArray[np.float32]
    """[n, dim]: as the one that resembles it."""


def factorise(
    similarity: NDArray[np.float32],
    weight: NDArray[np.float32],
    dim: int,
    refinements: int = _REFINEMENTS,
) -> Codes:
    """Returns the codes that minimise sum_ij w_i w_j (T_ij - Q_i C_j)^2.

    Args:
      similarity: [n, n] symmetric; the diagonal is not read.
      weight: [n] above 0.
      dim: of the codes; what n items cannot fill is 0.
      refinements: of the diagonal, which starts as 0.
    """
    root = np.sqrt(weight / weight.mean())
    weighted = similarity * root[:, None] * root[None]
    np.fill_diagonal(weighted, 0.0)
    value, vector = _largest(weighted, dim)
    for _ in range(refinements):
        np.fill_diagonal(weighted, (vector * value * vector).sum(axis=1))
        value, vector = _largest(weighted, dim)
    code = np.zeros((len(weight), dim), np.float32)
    sign = np.zeros(dim, np.float32)
    code[:, : len(value)] = vector * np.sqrt(np.abs(value)) / root[:, None]
    sign[: len(value)] = np.sign(value)
    return Codes(code * sign, code)


def _largest(
    matrix: NDArray[np.float32], dim: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns eigenvalues [at most dim] of largest absolute value, and vectors."""
    size = len(matrix)
    if size > max(_FEWEST_FOR_ITERATION, 2 * dim):
        # A fixed start: the same log gives the same codes.
        value, vector = linalg.eigsh(
            matrix, k=dim, which="LM", tol=_TOLERANCE, v0=np.ones(size, matrix.dtype)
        )
        return value, vector
    value, vector = np.linalg.eigh(matrix)
    chosen = np.sort(np.argsort(-np.abs(value), kind="stable")[:dim])
    return value[chosen], vector[:, chosen]


def projection(
    code: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns [n, dim]: similarities to the n items times it give the other code.

    It is the ridge regression of similarities on `code`: of items that were not
    factorised, `T @ projection(query)` are candidate codes and
    `T @ projection(candidate)` query codes.

    Args:
      code: [n, dim] of the items that were.
      weight: [n] as in `factorise`.
    """
    weighted = code * (weight / weight.mean())[:, None]
    square = (weighted.T @ code).astype(np.float64)
    dim = code.shape[1]
    # Codes that are all 0 extend to 0.
    ridge = _RIDGE * np.trace(square) / dim or 1.0
    found = weighted @ np.linalg.inv(square + ridge * np.eye(dim))
    return np.asarray(found, np.float32)
