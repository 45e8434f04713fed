"""How many windows make a step: more of them, the shorter they are.

Windows of like length stand together, and those that are short fill half of what as
many windows of full length hold. Were steps counted in windows alone, one of short
histories would hold few labels and much padding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class LengthBuckets(NamedTuple):
    """Windows by length, shortest first; a window is in the first that takes it."""

    longest: tuple[int, ...]
    """Most elements of a window of each bucket; the last is `history.max_length`."""
    num_windows: tuple[int, ...]
    """Windows of one epoch."""
    batch_size: tuple[int, ...]
    """Windows a step; the last step of an epoch may have fewer."""

    @property
    def num_batches(self) -> int:
        """Steps of one epoch."""
        return sum(
            -(-number // size)
            for number, size in zip(self.num_windows, self.batch_size, strict=True)
        )


def divide(
    num_of_length: NDArray[np.int64], batch_size: int, max_length: int
) -> LengthBuckets:
    """Returns buckets of halved lengths, with steps of about the same size.

    A step has `batch_size` windows. Where they are at most a quarter of `max_length`
    it has twice as many, at most an eighth four times, and so on.

    A bucket that does not fill one step joins the next longer one. The windows of a
    bucket are spread evenly over its steps: no step is left with a few.

    Args:
      num_of_length: [max_length + 1] windows of each length, from 0.
      batch_size: windows a step, where they are long.
      max_length: most elements of a window.

    Example:
      >>> divide(np.array([0, 90, 9, 5, 8]), batch_size=2, max_length=4)
      LengthBuckets(longest=(1, 2, 4), num_windows=(90, 9, 13), batch_size=(4, 2, 2))
    """
    longest = [max_length]
    while longest[-1] > 1:
        longest.append(longest[-1] // 2)
    found: list[tuple[int, int, int]] = []
    begin = waiting = 0
    for length in reversed(longest):
        waiting += int(num_of_length[begin : length + 1].sum())
        begin = length + 1
        full = batch_size * max(1, max_length // (2 * length))
        if waiting < full and length < max_length:
            continue
        num_batches = max(1, -(-waiting // full))
        found.append((length, waiting, max(1, -(-waiting // num_batches))))
        waiting = 0
    return LengthBuckets(*zip(*found, strict=True))
