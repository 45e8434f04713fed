"""Codes of creators: a direction of its own for each, that nothing has to learn.

There are too many creators for the few dimensions of a factorisation, and each is all
or nothing. A code is +-1 / sqrt(dim), drawn by a hash of the creator's index: the
product is 1 for the same creator, 0 +- 1 / sqrt(dim) for different ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIM = 32
_SALT = 1


def codes(creator_index: NDArray[np.int32], dim: int = DIM) -> NDArray[np.float32]:
    """Returns the code of each creator, of length 1; 0 where there is none.

    Args:
      creator_index: [n]; 0: none.
      dim: of the codes.

    Returns:
      [n, dim] float32.
    """
    place = np.arange(dim, dtype=np.uint32)
    number = creator_index.astype(np.uint32)[:, None] * np.uint32(dim) + place
    drawn = _hashed(_hashed(number) ^ np.uint32(_SALT))
    sign = 1.0 - 2.0 * (drawn & np.uint32(1)).astype(np.float32)
    code = np.where(creator_index[:, None] > 0, sign * dim**-0.5, 0.0)
    return code.astype(np.float32)


def _hashed(number: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The 32-bit finaliser of MurmurHash3, which lets each bit reach all others."""
    number = (number ^ (number >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    number = (number ^ (number >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return number ^ (number >> np.uint32(16))
