"""The prepared log: one neutral file for all contenders, whatever their framework.

Plain numpy, Python 3.10 or later: the contenders live in two environments.
"""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

TRAIN, EVAL, TEST = SPLITS = (0, 1, 2)
LOG_FILE = "log.npz"
RANKED = 100
"""Length of the lists that contenders write."""


@dataclasses.dataclass(frozen=True)
class Log:
    """Users' ordered elements, one after the other, and the windows that cut them."""

    user_begin: np.ndarray
    """[users + 1] int64, where each user's elements begin."""
    item: np.ndarray
    """[elements] int32, index into `item_id`."""
    split: np.ndarray
    """[elements] int8, in which split the element is a label: TRAIN, EVAL or TEST."""
    polarity: np.ndarray
    """[elements] int8: 1 positive, -1 negative, 0 neutral."""
    timestamp: np.ndarray
    """[elements] int64 milliseconds."""
    action: np.ndarray
    """[elements] str, joined with `|`."""
    value: np.ndarray
    """[elements] float32, NaN: absent."""
    item_id: np.ndarray
    """[items] str: the candidates, every item of the log whatever its split."""
    window_start: np.ndarray
    """[windows] int64, first element of each training window."""
    window_label: np.ndarray
    """[windows] int64, first element that is a label; the ones before are context."""
    window_end: np.ndarray
    """[windows] int64, after the last element, which is a label too."""

    @property
    def num_items(self) -> int:
        """Number of candidates; also the index that pads."""
        return len(self.item_id)

    @property
    def num_train_labels(self) -> int:
        """Positions that all-positions training learns from in one epoch."""
        return int((self.split == TRAIN).sum())

    def user_of(self, element: np.ndarray) -> np.ndarray:
        """Returns the user of each element."""
        return np.searchsorted(self.user_begin, element, side="right") - 1

    def targets(self, split: int) -> np.ndarray:
        """Returns the elements that are labels of a split, ascending."""
        return np.flatnonzero(self.split == split)

    def rows(
        self, start: np.ndarray, end: np.ndarray, length: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the elements of ranges as a matrix, padded at the end.

        Returns:
          item: [ranges, length] int64, `num_items` pads.
          element: [ranges, length] int64 index of the element, -1 pads.
        """
        element = start[:, None] + np.arange(length)[None]
        inside = element < end[:, None]
        item = np.where(inside, self.item[np.where(inside, element, 0)], self.num_items)
        return item.astype(np.int64), np.where(inside, element, -1)

    def windows(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the training windows.

        Returns:
          item: [windows, length] int64, `num_items` pads.
          is_label: [windows, length] bool.
        """
        item, element = self.rows(self.window_start, self.window_end, length)
        return item, element >= self.window_label[:, None]

    def histories(
        self, target: np.ndarray, length: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the newest `length` items before each target, and their number.

        Returns:
          item: [targets, length] int64, oldest first, `num_items` pads at the end.
          num_elements: [targets] int64.
        """
        start = np.maximum(self.user_begin[self.user_of(target)], target - length)
        item, _ = self.rows(start, target, length)
        return item, target - start

    def save(self, folder: pathlib.Path) -> None:
        """Writes the log aside and moves it into place."""
        aside = folder / f"part-{LOG_FILE}"
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        np.savez_compressed(aside, **fields)
        aside.replace(folder / LOG_FILE)


def load(folder: str | pathlib.Path) -> Log:
    """Returns the log of a prepared folder."""
    with np.load(pathlib.Path(folder) / LOG_FILE) as arrays:
        return Log(**arrays)


def top_unseen(
    log: Log, target: np.ndarray, scores: np.ndarray, k: int = RANKED
) -> np.ndarray:
    """Returns the best candidates that the user has not met before the target.

    The whole history is filtered, also what a model's window no longer reaches.

    Args:
      log: the log.
      target: [targets] elements.
      scores: [targets, items], higher is better; changed in place.
      k: length of the lists.

    Returns:
      [targets, k] int32, best first; -1 pads where fewer are left.
    """
    begin = log.user_begin[log.user_of(target)]
    for row, (start, end) in enumerate(zip(begin, target, strict=True)):
        scores[row, log.item[start:end]] = -np.inf
    k = min(k, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    best_scores = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-best_scores, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    is_left = np.isfinite(np.take_along_axis(best_scores, order, axis=1))
    return np.where(is_left, best, -1).astype(np.int32)
