"""The avoidance path: what a dislike takes out of the query, beside what it teaches.

A recurrent state that must answer a dislike strongly answers with everything it holds:
all that follows is retrieved worse. So the answer has a path of its own. The query
that is served after element t is

    s_t + a_t,   a_t = sum over disliked elements i <= t of  w_i g^(t - i) f(e_i)

with f a small network of the item's embedding, w the weight of the negative action and
g the share that is left after each further element. s_t is trained by the labels as if
there were no a; then a alone is trained by the similar-set term, and by the positive
labels that follow, so that it takes away what resembles the disliked item and nothing
that people still choose. docs/adr/0045 has the figures of both ways.
"""

from __future__ import annotations

import tensorflow as tf

_DIRECT_START = -0.1
"""The path begins as a step away from the disliked item itself."""
_LEAST_STRENGTH = 0.2
"""Labels at which less is left of all dislikes teach the path nothing."""


class Avoidance(tf.keras.layers.Layer):
    """Computes a_t of every position."""

    def __init__(self, decay: float, seed: int, name: str = "avoidance"):
        """Takes the share that is left of a dislike after each further element."""
        super().__init__(name=name)
        self._decay = decay
        self._seed = seed

    def build(self, input_shape: tuple[tf.TensorShape, tf.TensorShape]) -> None:
        """Creates the network once the embedding dimension is known."""
        dim = input_shape[0][-1]
        glorot = tf.keras.initializers.GlorotUniform
        small = tf.keras.initializers.RandomNormal(
            stddev=0.1 * (2 * dim) ** -0.5, seed=self._seed + 1
        )
        # No bias: an unknown item, whose embedding is zero, is to take nothing away.
        self._hidden = self.add_weight(
            "hidden", (dim, 2 * dim), initializer=glorot(self._seed)
        )
        self._output = self.add_weight("output", (2 * dim, dim), initializer=small)
        self._direct = self.add_weight(
            "direct",
            (dim, dim),
            initializer=tf.keras.initializers.Identity(_DIRECT_START),
        )
        super().build(input_shape)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Returns what the query is moved by before each element and after the last.

        Args:
          inputs: item embedding [batch, length, dim] float32, zeros where unknown;
            strength [batch, length] float32 of the dislike, 0 where there is none;
            is_element [batch, length] bool, False: pad, which lets nothing fade.

        Returns:
          [batch, length + 1, dim] float32.
        """
        item, strength, is_element = inputs
        hidden = tf.tanh(tf.tensordot(item, self._hidden, 1))
        away = tf.tensordot(hidden, self._output, 1)
        away += tf.tensordot(item, self._direct, 1)
        moved = tf.matmul(
            self._left(is_element),
            away * tf.where(is_element, strength, 0.0)[..., None],
        )
        return tf.pad(moved, [[0, 0], [1, 0], [0, 0]])

    def is_felt(self, strength: tf.Tensor, is_element: tf.Tensor) -> tf.Tensor:
        """Returns at which elements, as labels, a dislike before them still counts.

        Returns:
          [batch, length] bool.
        """
        strength = tf.where(is_element, strength, 0.0)
        left = tf.linalg.matvec(self._left(is_element), strength)
        return tf.pad(left, [[0, 0], [1, 0]])[:, :-1] >= _LEAST_STRENGTH

    def _left(self, is_element: tf.Tensor) -> tf.Tensor:
        """Returns [batch, length, length]: after the row's element, of the column's."""
        number = tf.cumsum(tf.cast(is_element, tf.float32), axis=1)
        age = number[:, :, None] - number[:, None, :]
        place = tf.range(tf.shape(is_element)[1])
        is_past = place[:, None] >= place[None, :]
        share = tf.pow(tf.constant(self._decay), tf.maximum(age, 0.0))
        return tf.where(is_past[None], share, 0.0)


def moved(
    path: Avoidance,
    state: tf.Tensor,
    item: tf.Tensor,
    strength: tf.Tensor,
    is_element: tf.Tensor,
    normalizes: bool,
    user_control: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Returns the queries after the path, [batch, length + 1, dim] float32.

    Args:
      path: what moves them.
      state: [batch, length + 1, dim] float32 before.
      item: [batch, length, dim] float32, which learns nothing from it.
      strength: [batch, length] float32 of each dislike.
      is_element: [batch, length] bool.
      normalizes: whether they have length 1.
      user_control: multiplies the path.
    """
    away = path((tf.stop_gradient(item), strength, is_element))
    query = state + user_control * away
    return tf.math.l2_normalize(query, axis=-1) if normalizes else query
