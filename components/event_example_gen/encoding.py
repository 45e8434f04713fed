"""Encodes windows of interactions as serialised tf.Examples.

Windows overlap: the same interaction stands in several. Its bytes on the wire are
made once, for whole columns, and a window is a slice of them with a header in front.
A row-by-row coder makes them anew for every window.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.event_example_gen import interactions, windows
from components.ingestion import tf_example
from schema import features

_KINDS = {
    features.USER_ID: tf_example.BYTES,
    features.ITEM_ID: tf_example.BYTES,
    features.TIMESTAMP: tf_example.INT64,
    features.ACTION: tf_example.BYTES,
    features.VALUE: tf_example.FLOAT,
    features.VALUE_PRESENT: tf_example.INT64,
    features.IS_LABEL: tf_example.INT64,
}


def action_texts(
    masks: NDArray[np.int64], names: Sequence[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Returns each mask's index into the distinct sets, and those as joined text.

    Example:
      >>> action_texts(np.array([3, 1]), ("like", "view"))
      (array([1, 0]), ['like', 'like|view'])
    """
    distinct, codes = np.unique(masks, return_inverse=True)
    joined = [
        features.ACTION_SEPARATOR.join(
            name for bit, name in enumerate(names) if mask >> bit & 1
        )
        for mask in distinct.tolist()
    ]
    return codes, joined


class WindowEncoder:
    """Encodes windows over the same interactions; see the module."""

    def __init__(self, history: interactions.Interactions, action_names: Sequence[str]):
        """Encodes every interaction once.

        Args:
          history: interactions of some users.
          action_names: the policy's actions, sorted.
        """
        set_code, set_text = action_texts(history.actions, action_names)
        present = ~np.isnan(history.value)
        value = np.where(present, history.value, 0.0).astype("<f4")
        self._user = tf_example.texts(history.user_ids)
        self._columns = {
            features.ACTION: tf_example.texts(
                pa.array(set_text, pa.string()), set_code
            ),
            features.ITEM_ID: tf_example.texts(history.item_ids, history.item),
            features.TIMESTAMP: tf_example.varints(history.timestamp),
            features.VALUE: tf_example.Payload(value.tobytes(), 4),
            features.VALUE_PRESENT: tf_example.Payload(present.tobytes(), 1),
        }

    def encode(self, cut: windows.Windows) -> list[bytes]:
        """Returns one serialised tf.Example per window."""
        begin, label, end = cut.start, cut.label, cut.end
        slices = {
            name: column.slices(begin, end) for name, column in self._columns.items()
        }
        slices[features.USER_ID] = self._user.slices(cut.user, cut.user + 1)
        slices[features.IS_LABEL] = [
            bytes(context) + b"\1" * labels
            for context, labels in zip(
                (label - begin).tolist(), (end - label).tolist(), strict=True
            )
        ]
        entry = tf_example.entry
        return [
            tf_example.example(entries)
            for entries in zip(
                *(
                    map(functools.partial(entry, name, _KINDS[name]), slices[name])
                    for name in sorted(slices)
                ),
                strict=True,
            )
        ]
