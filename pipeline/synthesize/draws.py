"""Random numbers addressed by what they are for, not by when they are drawn.

A draw is a hash of (seed, purpose, user, step, slot). Any user and any step can be
simulated alone, in any order and in blocks of any size, with the same outcome: no
generator carries state. The hash is the output function of SplitMix64 (Steele,
Lea and Flood, OOPSLA 2014), whose counters advance by the golden ratio.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Returns well mixed bits for counters or keys.

    Args:
      state: any shape, uint64. It is overwritten.

    Returns:
      The same array, uint64, uniform over all 64 bits.
    """
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state


@functools.cache
def stream(seed: int, purpose: str) -> NDArray[np.uint64]:
    """Returns the key, [1] uint64, of all draws of one purpose under one seed."""
    digest = hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest()
    key = np.frombuffer(digest, "<u8").astype(np.uint64)
    key.setflags(write=False)  # It is shared by all callers.
    return key


def draw(
    key: NDArray[np.uint64], counter: NDArray[np.integer[Any]]
) -> NDArray[np.uint64]:
    """Returns the draws that keys hold at counters.

    Args:
      key: uint64, from `stream` or from `draw` itself.
      counter: non-negative integers; broadcast against `key`.

    Returns:
      The broadcast shape, uint64.
    """
    return mix(key + (counter.astype(np.uint64) + np.uint64(1)) * GOLDEN)


def uniform(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Returns float64 in [0, 1) from the upper 53 bits of uint64 draws."""
    return (bits >> np.uint64(11)) * 2.0**-53


def normal(bits: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Returns standard normal float32 from uint64 draws (Box-Muller, 32 bits each).

    The half step keeps the logarithm's argument above zero.
    """
    radius = (
        (bits >> np.uint64(32)).astype(np.float32) + np.float32(0.5)
    ) * np.float32(2.0**-32)
    angle = (bits & np.uint64(0xFFFFFFFF)).astype(np.float32) * np.float32(
        2.0 * np.pi * 2.0**-32
    )
    # Rounding to float32 may give exactly 1, whose logarithm is -0.0: still fine.
    found: NDArray[np.float32] = np.sqrt(-2.0 * np.log(radius)) * np.cos(angle)
    return found


def gumbel(bits: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Returns standard Gumbel float32 from the lowest 23 bits of uint64 draws.

    With 23 bits and a half step every value is exact in float32 and strictly inside
    (0, 1), so that neither logarithm overflows. The largest value is 16.6.
    """
    share = (bits & np.uint64(0x7FFFFF)).astype(np.float32)
    share += np.float32(0.5)
    share *= np.float32(2.0**-23)
    np.log(share, out=share)
    np.negative(share, out=share)
    np.log(share, out=share)
    return np.negative(share, out=share)
