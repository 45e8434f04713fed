"""Which candidates have a category or a creator, inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from components.index_builder import drop_and_rank


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


def search(
    embedding: tf.Tensor,
    query: tf.Tensor,
    dropped_row: tf.Tensor,
    passes: Sequence[tuple[LabelRows, tf.Tensor]],
    k: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Searches those candidates exactly that pass a request's filter.

    The filter comes before the search, so that it cannot eat into the k asked for.

    Args:
      embedding: [num_candidates, dim] float32.
      query: [batch, dim] float32.
      dropped_row: [batch, m] int32 that are not to be found; -1 drops nothing.
      passes: labels of the candidates, and [batch, n] string of those that a candidate
        must have one of; all of them hold.
      k: [] int32.

    Returns:
      score: [batch, k] float32, descending, -inf where candidates ran out.
      row: [batch, k] int32, meaningless where the score is -inf.
    """

    def one(request: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, tf.Tensor]:
        query, dropped, *wanted = request
        masks = [rows.mask(one) for (rows, _), one in zip(passes, wanted, strict=True)]
        row = tf.cast(tf.where(tf.reduce_all(masks, axis=0))[:, 0], tf.int32)
        row = tf.boolean_mask(
            row, ~drop_and_rank.is_dropped(row[None], dropped[None])[0]
        )
        score = tf.linalg.matvec(tf.gather(embedding, row), query)
        best = tf.math.top_k(score, k=tf.minimum(k, tf.size(row)))
        return drop_and_rank.filled_up(best.values, tf.gather(row, best.indices), k)

    spec = (tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.int32))
    wanted = [labels for _, labels in passes]
    score, row = tf.map_fn(one, (query, dropped_row, *wanted), fn_output_signature=spec)
    return score, row
