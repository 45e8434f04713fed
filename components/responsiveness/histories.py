"""Growing histories of many simulated users, in arrays of one width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.held_out import Window
from components.responsiveness.branches import Strings

_PADS = {"item_id": b"", "action": b"", "timestamp": 0, "value": np.nan}


class Histories:
    """Histories padded at the end (b"", b"", 0, NaN); rows are simulations.

    Attributes:
      user_id: [simulations] object (bytes).
      item_id: [simulations, width] object (bytes).
      action: [simulations, width] object (bytes).
      timestamp: [simulations, width] int64 milliseconds.
      value: [simulations, width] float32, NaN: absent.
      length: [simulations] int64 elements of each history.
    """

    def __init__(self, starts: Sequence[Window], steps: int):
        """Fills in the starts and leaves room for `steps` more elements."""
        longest = max((len(start.item_id) for start in starts), default=0)
        shape = (len(starts), longest + steps)
        self.user_id = np.array([start.user_id for start in starts], object)
        self.item_id = np.full(shape, b"", object)
        self.action = np.full(shape, b"", object)
        self.timestamp = np.zeros(shape, np.int64)
        self.value = np.full(shape, np.nan, np.float32)
        self.length = np.array([len(start.item_id) for start in starts], np.int64)
        for row, start in enumerate(starts):
            for name in _PADS:
                getattr(self, name)[row, : self.length[row]] = getattr(start, name)

    def __len__(self) -> int:
        return len(self.user_id)

    def copy(
        self, rows: slice | NDArray[Any] = slice(None), steps: int = 0
    ) -> Histories:
        """Returns a copy of some rows with room for `steps` more elements."""
        result = Histories([], 0)
        for name in ("user_id", "length", *_PADS):
            setattr(result, name, getattr(self, name)[rows].copy())
        result.widen(int(result.length.max(initial=0)) + steps)
        return result

    def widen(self, width: int) -> None:
        """Pads the histories to at least `width` elements."""
        present = self.item_id.shape[1]
        if present < width:
            for name, pad in _PADS.items():
                array = getattr(self, name)
                wide = np.full((len(array), width), pad, array.dtype)
                wide[:, :present] = array
                setattr(self, name, wide)

    def append(
        self, item_id: Strings, action: Strings | bytes, value: float, step_ms: int
    ) -> None:
        """Adds one element to every history, `step_ms` after the last."""
        rows = np.arange(len(self))
        before = np.maximum(self.length - 1, 0)
        at = (rows, self.length)
        self.item_id[at] = item_id
        self.action[at] = action
        self.timestamp[at] = self.timestamp[rows, before] + step_ms
        self.value[at] = value
        self.length = self.length + 1

    def without(self, count: int = 1, since: int = 0) -> Histories:
        """Returns a copy that lacks some elements, as if they had never been.

        Args:
          count: of elements; every history has as many.
          since: elements after them, which stay, at their time.
        """
        result = self.copy()
        width = result.item_id.shape[1]
        result.length = self.length - count
        place = np.arange(width)[None, :]
        first = (result.length - since)[:, None]
        source = np.minimum(place + count * (place >= first), width - 1)
        for name, pad in _PADS.items():
            moved = np.take_along_axis(getattr(result, name), source, axis=1)
            moved[place >= result.length[:, None]] = pad
            setattr(result, name, moved)
        return result

    def with_last_actions(
        self, action: bytes, count: int = 1, since: int = 0
    ) -> Strings:
        """Returns the action array with `action` in the `count` last elements.

        Args:
          action: that takes the place of what was done there.
          count: of elements; every history has as many.
          since: elements after them, which stand.
        """
        replaced = self.action.copy()
        rows = np.arange(len(self))
        for back in range(since + 1, since + count + 1):
            replaced[rows, self.length - back] = action
        return replaced


def concatenate(parts: Sequence[Histories]) -> Histories:
    """Returns the rows of several histories in order, at one width."""
    width = max(part.item_id.shape[1] for part in parts)
    result = Histories([], 0)
    for part in parts:
        part.widen(width)
    for name in ("user_id", "length", *_PADS):
        arrays = [getattr(part, name) for part in parts]
        setattr(result, name, np.concatenate(arrays))
    return result
