"""Codes of creators and category sets: dimensions that a dislike alone uses.

In the embeddings' own space nearly all that is known of an item is spread over all
dimensions, so that a query which moves away from one category set moves away from much
else. A code is a direction of its own for each set, in further dimensions of query and
candidate: +-1 / sqrt(dim), drawn by a hash. Two items of one set have the product 1, of
different ones 0 +- 1 / sqrt(dim). Nothing about a code is learnt or kept, so that a
newer catalogue has them too; learnt is how far a dislike moves the query along them.

Candidates have their codes a tenth as long, queries ten times, which is the same
product: an index divides candidates by what lies far apart, and codes of full length
would divide them by what most queries do not ask for.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_STEP = 10.0
"""Learnt is a tenth of the strength: it must cover more ground than a weight."""
_FIRST_STRENGTH = 1.0
_LENGTH = 0.1
"""Of a candidate's code; a query's is as much longer (docs/adr/0046)."""
_AT_ONCE = 50_000


def codes(key: tf.Tensor, dim: int, salt: int) -> tf.Tensor:
    """Returns the code of each key, of length 1; 0 where the key is negative.

    Args:
      key: [...] int32.
      dim: of the codes.
      salt: keys of different kinds have different codes.

    Returns:
      [..., dim] float32.
    """
    # One number for each key and dimension; the salt tells the kinds apart.
    place = tf.constant(np.arange(dim), tf.uint32)
    number = _uint(tf.maximum(key, 0))[..., None] * _uint(dim) + place
    drawn = _hashed(tf.bitwise.bitwise_xor(_hashed(number), _uint(salt)))
    sign = 1.0 - 2.0 * tf.cast(tf.bitwise.bitwise_and(drawn, _uint(1)), tf.float32)
    return tf.where(key[..., None] < 0, 0.0, sign * dim**-0.5)


def _hashed(number: tf.Tensor) -> tf.Tensor:
    """The 32-bit finaliser of MurmurHash3, which lets each bit reach all others."""
    number = _folded(number, 16) * _uint(0x85EBCA6B)
    number = _folded(number, 13) * _uint(0xC2B2AE35)
    return _folded(number, 16)


def _folded(number: tf.Tensor, shift: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(number, tf.bitwise.right_shift(number, _uint(shift)))


def _uint(number: int | tf.Tensor) -> tf.Tensor:
    return tf.cast(number, tf.uint32)


class AvoidanceCodes(tf.keras.layers.Layer):
    """The codes of a candidate table, and how strongly a dislike uses them."""

    def __init__(self, key: NDArray[np.int32], dim: int, name: str = "avoidance_codes"):
        """Takes what makes candidates similar, and the dimensions of the codes.

        Args:
          key: [num_candidates, kinds] int32; -1: none. See
            `candidates.similar_set_key`.
          dim: of the codes.
          name: of the layer.
        """
        super().__init__(name=name)
        self.dim = dim
        self._num_candidates, self._num_kinds = key.shape
        self._key = tf.constant(key, tf.int32)
        # Of a catalogue without creators, say, nothing is computed for them.
        self._kinds = [i for i in range(self._num_kinds) if (key[:, i] >= 0).any()]

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the strengths."""
        self._strength = self.add_weight(
            "strength",
            (self._num_kinds,),
            initializer=tf.keras.initializers.Constant(_FIRST_STRENGTH / _STEP),
        )
        super().build(input_shape)

    def call(self, row: tf.Tensor) -> tf.Tensor:
        """Returns what a dislike of each item moves the query by, [..., dim] float32.

        Args:
          row: [...] int32 of the disliked items; -1: none, or unknown, which moves
            nothing.
        """
        # Few elements of a history are disliked: the others cost nothing.
        place = tf.where(row >= 0)
        disliked = tf.gather_nd(row, place)
        away = tf.zeros((tf.size(disliked), self.dim))
        for kind, code in self._by_kind(disliked):
            away -= _STEP / _LENGTH * self._strength[kind] * code
        shape = tf.concat([tf.shape(row), [self.dim]], axis=0)
        spread = tf.scatter_nd(place, away, tf.cast(shape, tf.int64))
        return tf.ensure_shape(spread, [*row.shape, self.dim])

    def of(self, row: tf.Tensor) -> tf.Tensor:
        """Returns the codes of candidates, a tenth as long, [..., dim] float32.

        Args:
          row: [...] int32; -1: unknown, whose code is zero.
        """
        return _LENGTH * sum(code for _, code in self._by_kind(row))

    def of_all(self) -> tf.Tensor:
        """Returns the codes of all candidates, computed in chunks to bound memory.

        Returns:
          [num_candidates, dim] float32.
        """
        starts = range(0, self._num_candidates, _AT_ONCE)
        rows = [
            tf.range(start, min(start + _AT_ONCE, self._num_candidates))
            for start in starts
        ]
        return tf.concat([self.of(row) for row in rows], axis=0)

    def _by_kind(self, row: tf.Tensor) -> list[tuple[int, tf.Tensor]]:
        key = tf.gather(self._key, tf.maximum(row, 0))
        key = tf.where(row[..., None] < 0, -1, key)
        return [(i, codes(key[..., i], self.dim, salt=i + 1)) for i in self._kinds]
