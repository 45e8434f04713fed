"""Growing histories of many simulated users, in arrays of one width."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Start:
    """The real history that a simulated user starts from, oldest first."""

    user_id: bytes
    item_id: np.ndarray
    """[length] object (bytes)."""
    action: np.ndarray
    """[length] object (bytes)."""
    timestamp: np.ndarray
    """[length] int64 milliseconds."""
    value: np.ndarray
    """[length] float32, NaN: absent."""


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

    def __init__(self, starts: Sequence[Start], steps: int):
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
            filled = slice(0, len(start.item_id))
            self.item_id[row, filled] = start.item_id
            self.action[row, filled] = start.action
            self.timestamp[row, filled] = start.timestamp
            self.value[row, filled] = start.value

    def __len__(self) -> int:
        return len(self.user_id)

    def copy(self, rows: slice | np.ndarray = slice(None), steps: int = 0) -> Histories:
        """Returns a copy of some rows with room for `steps` more elements."""
        result = Histories([], 0)
        for name in ("user_id", "item_id", "action", "timestamp", "value", "length"):
            setattr(result, name, getattr(self, name)[rows].copy())
        room = int(result.length.max(initial=0)) + steps
        result._widen(room)
        return result

    def _widen(self, width: int) -> None:
        missing = width - self.item_id.shape[1]
        if missing > 0:
            pads = {"item_id": b"", "action": b"", "timestamp": 0, "value": np.nan}
            for name, pad in pads.items():
                array = getattr(self, name)
                wide = np.full((len(array), width), pad, array.dtype)
                wide[:, : array.shape[1]] = array
                setattr(self, name, wide)

    def append(
        self,
        item_id: np.ndarray,
        action: np.ndarray | bytes,
        value: float,
        step_ms: int,
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

    def with_last_actions(self, action: bytes, count: int = 1) -> np.ndarray:
        """Returns the action array with `action` in each of the last elements."""
        replaced = self.action.copy()
        rows = np.arange(len(self))
        for back in range(1, count + 1):
            replaced[rows, self.length - back] = action
        return replaced


def concatenate(parts: Sequence[Histories]) -> Histories:
    """Returns the rows of several histories in order, at one width."""
    width = max(part.item_id.shape[1] for part in parts)
    result = Histories([], 0)
    for part in parts:
        part._widen(width)
    for name in ("user_id", "item_id", "action", "timestamp", "value", "length"):
        arrays = [getattr(part, name) for part in parts]
        setattr(result, name, np.concatenate(arrays))
    return result
