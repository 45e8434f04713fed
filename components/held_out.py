"""Held-out interactions as requests: each label with the history before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schema import features, settings

POSITIVE, NEGATIVE, NEUTRAL = "positive", "negative", "neutral"

_RAW_SPEC = {
    features.USER_ID: tf.io.FixedLenFeature([], tf.string),
    features.ITEM_ID: tf.io.RaggedFeature(tf.string),
    features.TIMESTAMP: tf.io.RaggedFeature(tf.int64),
    features.ACTION: tf.io.RaggedFeature(tf.string),
    features.VALUE: tf.io.RaggedFeature(tf.float32),
    features.VALUE_PRESENT: tf.io.RaggedFeature(tf.int64),
    features.IS_LABEL: tf.io.RaggedFeature(tf.int64),
}


@dataclasses.dataclass(frozen=True)
class Window:
    """One raw example: aligned arrays over the elements of a window."""

    user_id: bytes
    item_id: NDArray[np.object_]
    """[length] bytes."""
    timestamp: NDArray[np.int64]
    """[length] milliseconds."""
    action: NDArray[np.object_]
    """[length] bytes, joined with `|`."""
    value: NDArray[np.float32]
    """[length] NaN where absent."""
    is_label: NDArray[np.bool_]
    """[length]"""


def read_windows(files: Sequence[str]) -> Iterator[Window]:
    """Yields the windows of raw event examples in file order."""
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    for serialized in records.batch(1_000):
        parsed = tf.io.parse_example(serialized, _RAW_SPEC)
        users = parsed[features.USER_ID].numpy()
        splits = parsed[features.ITEM_ID].row_splits.numpy()
        flat = {
            name: parsed[name].flat_values.numpy()
            for name in _RAW_SPEC
            if name != features.USER_ID
        }
        present = flat[features.VALUE_PRESENT] == 1
        value = np.where(present, flat[features.VALUE], np.nan).astype(np.float32)
        for user, start, end in zip(users, splits[:-1], splits[1:], strict=True):
            yield Window(
                user_id=user,
                item_id=flat[features.ITEM_ID][start:end],
                timestamp=flat[features.TIMESTAMP][start:end],
                action=flat[features.ACTION][start:end],
                value=value[start:end],
                is_label=flat[features.IS_LABEL][start:end] == 1,
            )


def polarity(action: bytes, feedback: settings.FeedbackSettings) -> str:
    """Returns the polarity of an action set: any negative action decides.

    Example:
      >>> polarity(b"dislike|view", settings.FeedbackSettings())
      'negative'
    """
    names = action.decode().split(features.ACTION_SEPARATOR)
    signs = {feedback.actions[n].polarity for n in names if n in feedback.actions}
    if NEGATIVE in signs:
        return NEGATIVE
    return POSITIVE if POSITIVE in signs else NEUTRAL


def is_explicit_negative(action: bytes, feedback: settings.FeedbackSettings) -> bool:
    """Returns whether the action set holds a negative action the user stated."""
    names = action.decode().split(features.ACTION_SEPARATOR)
    policies = [feedback.actions[n] for n in names if n in feedback.actions]
    return any(p.polarity == "negative" and p.explicit for p in policies)


@dataclasses.dataclass(frozen=True)
class Target:
    """One held-out interaction: the label at `position` of `window`."""

    window: Window
    position: int

    @property
    def item_id(self) -> bytes:
        """The item that was interacted with."""
        return bytes(self.window.item_id[self.position])

    @property
    def action(self) -> bytes:
        """The actions on it, joined with `|`."""
        return bytes(self.window.action[self.position])


def targets(windows: Iterator[Window], max_targets: int, seed: int) -> list[Target]:
    """Returns every label as a target, or a uniform sample of them.

    Args:
      windows: raw windows.
      max_targets: sample size; 0: all.
      seed: of the reservoir sample.
    """
    rng = np.random.default_rng(seed)
    kept: list[Target] = []
    num_seen = 0
    for window in windows:
        for position in np.flatnonzero(window.is_label):
            num_seen += 1
            target = Target(window, int(position))
            if not max_targets or len(kept) < max_targets:
                kept.append(target)
            else:
                slot = int(rng.integers(num_seen))
                if slot < max_targets:
                    kept[slot] = target
    return kept


def request_arrays(
    batch: Sequence[Target],
) -> tuple[
    NDArray[np.object_], NDArray[np.object_], NDArray[np.int64], NDArray[np.float32]
]:
    """Returns item ids, actions, timestamps and values before each target.

    Returns:
      Four [len(batch), longest history] arrays, padded at the end: b"", b"", 0, NaN.
    """
    length = max((target.position for target in batch), default=0)
    shape = (len(batch), length)
    item_id = np.full(shape, b"", object)
    action = np.full(shape, b"", object)
    timestamp = np.zeros(shape, np.int64)
    value = np.full(shape, np.nan, np.float32)
    for row, target in enumerate(batch):
        before = slice(0, target.position)
        item_id[row, before] = target.window.item_id[before]
        action[row, before] = target.window.action[before]
        timestamp[row, before] = target.window.timestamp[before]
        value[row, before] = target.window.value[before]
    return item_id, action, timestamp, value
