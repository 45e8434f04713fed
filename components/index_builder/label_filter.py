"""Which candidates have a category or a creator, inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf


class LabelRows(tf.Module):
    """Inverted lists: from a label to the candidates that have it."""

    def __init__(self, labels_of: Sequence[Iterable[bytes]]):
        """Builds the lists.

        Args:
          labels_of: the labels of each candidate.
        """
        super().__init__()
        rows: dict[bytes, list[int]] = {}
        for row, labels in enumerate(labels_of):
            for label in sorted({*labels} - {b""}):
                rows.setdefault(label, []).append(row)
        names = sorted(rows)
        lengths = [len(rows[name]) for name in names]
        flat = [row for name in names for row in rows[name]]
        # Unknown labels find the empty list at the end. So does "", which is never
        # asked for, but a table may not be empty.
        ends = np.concatenate([[0], np.cumsum(lengths), [len(flat)]])
        self._end = tf.Variable(ends.astype(np.int64), trainable=False)
        self._row = tf.Variable(np.array(flat, np.int32), trainable=False)
        self._num_candidates = len(labels_of)
        self._lookup = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant([*names, b""], tf.string),
                tf.range(len(names) + 1, dtype=tf.int64),
            ),
            default_value=len(names),
        )

    def mask(self, label: tf.Tensor) -> tf.Tensor:
        """Returns which candidates have one of the labels.

        Args:
          label: [n] string, "" pads; nothing but pads: no restriction.

        Returns:
          [num_candidates] bool.
        """
        asked = tf.boolean_mask(label, label != "")
        index = self._lookup.lookup(asked)
        lists = tf.ragged.range(
            tf.gather(self._end, index), tf.gather(self._end, index + 1)
        )
        row = tf.gather(self._row, lists.values)
        found = tf.scatter_nd(row[:, None], tf.ones_like(row), [self._num_candidates])
        return (found > 0) | (tf.size(asked) == 0)
