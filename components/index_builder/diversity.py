"""At most so many of a creator or category in a slate, inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from components.index_builder import drop_and_rank

_NONE = -1
_LOOKED_AT = 8
"""Times k, before all candidates are."""


class LabelCodes(tf.Module):
    """The labels of each candidate as numbers."""

    def __init__(self, labels_of: Sequence[Iterable[bytes]]):
        """Numbers the labels.

        Args:
          labels_of: the labels of each candidate; b"" is none.
        """
        super().__init__()
        labels = [sorted({*one} - {b""}) for one in labels_of]
        names = sorted({name for one in labels for name in one})
        number = {name: n for n, name in enumerate(names)}
        ends = np.cumsum([0, *map(len, labels)])
        codes = [number[name] for one in labels for name in one]
        self._end = tf.Variable(ends.astype(np.int64), trainable=False)
        # One more, as a variable may not be empty.
        self._code = tf.Variable(np.array([*codes, _NONE], np.int32), trainable=False)

    def of(self, row: tf.Tensor) -> tf.Tensor:
        """Returns [n, most of a row] int32 codes of candidates, -1 pads.

        Args:
          row: [n] int32 of candidates.
        """
        place = tf.ragged.range(
            tf.gather(self._end, row), tf.gather(self._end, row + 1)
        )
        return tf.gather(self._code, place).to_tensor(default_value=_NONE)


def choose(
    labels: Sequence[tf.Tensor], most: Sequence[tf.Tensor], k: tf.Tensor
) -> tf.Tensor:
    """Returns the places of the first k that keep all limits, best first.

    From the best on, each is taken unless one of its labels has been taken as often as
    is allowed. What is without a label is not limited by it.

    Args:
      labels: of each kind [n, width] int32 codes by rank, -1 pads.
      most: of each kind [] int32, how often one label may be taken; 0: no limit.
      k: [] int32.

    Returns:
      [at most k] int32, ascending.
    """
    num = tf.shape(labels[0])[0]
    # Labels that occur are few: their counts are numbered anew.
    local, counts = [], []
    for codes in labels:
        names, index = tf.unique(tf.reshape(codes, [-1]))
        index = tf.where(tf.reshape(codes, [-1]) < 0, _NONE, index)
        local.append(tf.reshape(index, tf.shape(codes)))
        counts.append(tf.zeros(tf.shape(names), tf.int32))

    def wants_more(place: tf.Tensor, taken: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (place < num) & (tf.size(taken) < k)

    def look(
        place: tf.Tensor, taken: tf.Tensor, *counts: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        fits = tf.constant(True)
        own = []
        for codes, limit, count in zip(local, most, counts, strict=True):
            mine = tf.boolean_mask(codes[place], codes[place] >= 0)
            own.append(mine)
            fits &= (limit == 0) | tf.reduce_all(tf.gather(count, mine) < limit)
        more = tf.cast(fits, tf.int32)
        counts = tuple(
            tf.tensor_scatter_nd_add(
                count, mine[:, None], tf.fill([tf.size(mine)], more)
            )
            for count, mine in zip(counts, own, strict=True)
        )
        taken = tf.concat([taken, tf.fill([more], place)], axis=0)
        return place + 1, taken, *counts

    shapes = [tf.TensorShape([]), *[tf.TensorShape([None])] * (1 + len(counts))]
    found = tf.while_loop(
        wants_more,
        look,
        (tf.constant(0), tf.zeros([0], tf.int32), *counts),
        shape_invariants=tuple(shapes),
    )
    return found[1]


def _best(
    score: tf.Tensor,
    limits: Sequence[tuple[LabelCodes, tf.Tensor]],
    k: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the at most k best of [num_candidates] scores that keep all limits.

    A few times k are looked at first; where these do not hold k, all are, so that
    fewer come only where the catalogue has no more.
    """
    num = tf.size(score)

    def among(width: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        best = tf.math.top_k(score, k=width)
        row = tf.boolean_mask(best.indices, tf.math.is_finite(best.values))
        labels = [codes.of(row) for codes, _ in limits]
        place = choose(labels, [most for _, most in limits], k)
        return tf.gather(best.values, place), tf.gather(row, place)

    first = tf.minimum(num, _LOOKED_AT * k)
    found, row = among(first)
    is_short = (tf.size(row) < k) & (first < num)
    found, row = tf.cond(is_short, lambda: among(num), lambda: (found, row))
    return found, row


def search(
    embedding: tf.Tensor,
    query: tf.Tensor,
    dropped_row: tf.Tensor,
    limits: Sequence[tuple[LabelCodes, tf.Tensor]],
    k: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Searches exactly for the best candidates that keep all limits together.

    Args:
      embedding: [num_candidates, dim] float32.
      query: [batch, dim] float32.
      dropped_row: [batch, m] int32 that are not to be found; -1 drops nothing.
      limits: labels of the candidates, and [batch] int32, how often one of them may be
        in an answer; 0: no limit.
      k: [] int32.

    Returns:
      score: [batch, k] float32, descending, -inf where candidates ran out.
      row: [batch, k] int32, meaningless where the score is -inf.
    """
    every_row = tf.range(tf.shape(embedding)[0])

    def one(request: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, tf.Tensor]:
        query, dropped, *most = request
        is_dropped = drop_and_rank.is_dropped(every_row[None], dropped[None])[0]
        score = tf.linalg.matvec(embedding, query)
        score = tf.where(is_dropped, drop_and_rank.NO_SCORE, score)
        codes = [codes for codes, _ in limits]
        found, row = _best(score, list(zip(codes, most, strict=True)), k)
        return drop_and_rank.filled_up(found, row, k)

    spec = (tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.int32))
    most = [one_limit for _, one_limit in limits]
    score, row = tf.map_fn(one, (query, dropped_row, *most), fn_output_signature=spec)
    return score, row
