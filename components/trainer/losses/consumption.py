"""The consumption term: a disliked item was chosen all the same.

What people dislike is no positive label, and so the items of a sixth of a rating log
stop teaching which items go together; a model that is told of dislikes then retrieves
less of what is liked than one that takes them for likes. The term keeps that lesson
without the recommendation: beside the query s of an element, a second query

    s' = M s + v

has the disliked item as its positive label, -log softmax(s' . e)[y]. M and v are used
in training alone; what is served asks with s, for which the dislike stays a
not-to-recommend label.
"""

from __future__ import annotations

import tensorflow as tf


class ConsumptionQuery(tf.keras.layers.Layer):
    """Turns the query for what will be liked into one for what will be disliked.

    It begins as the query itself: M is the identity, v is zero.
    """

    def __init__(self, name: str = "consumption_query"):
        super().__init__(name=name)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates M and v."""
        dim = input_shape[-1]
        self._map = self.add_weight("map", (dim, dim), initializer="identity")
        self._shift = self.add_weight("shift", (dim,), initializer="zeros")
        super().build(input_shape)

    def call(self, query: tf.Tensor) -> tf.Tensor:
        """Returns [..., embedding_dim] of the same."""
        return tf.tensordot(query, self._map, 1) + self._shift
