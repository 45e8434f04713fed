"""The avoidance path: what a dislike takes out of the query, beside what it teaches.

A recurrent state that must answer a dislike strongly answers with everything it holds:
all that follows is retrieved worse. So the answer has a path of its own. The query
that is served after element t is

    s_t + a_t,   a_t = sum over disliked elements i <= t of  w_i g^(t - i) f(e_i)

with w the weight of the negative action and g the share that is left after each further
element. f has two parts, each of which a configuration may leave out: the codes of the
item's creator and category set, in dimensions that nothing else uses
(`codes.py`), and, for what else resembles it, a small network of the item's
embedding, in the dimensions of the embeddings. s_t is trained by the labels as if there
were no a; then a alone is trained by the similar-set term, and by the positive labels
that follow, so that it takes away what resembles the disliked item and nothing that
people still choose. docs/adr/0045 and 0046 have the figures.
"""

from __future__ import annotations

import tensorflow as tf

from components.trainer import candidates
from components.trainer.avoidance import codes as avoidance_codes
from schema import settings

_DIRECT_START = -0.1
"""The path begins as a step away from the disliked item itself."""
_LEAST_STRENGTH = 0.2
"""Labels at which less remains of all dislikes teach the path nothing."""


class Avoidance(tf.keras.layers.Layer):
    """Computes a_t of every position."""

    def __init__(
        self,
        decay: float,
        seed: int,
        codes: avoidance_codes.AvoidanceCodes | None = None,
        has_network: bool = True,
        name: str = "avoidance",
    ):
        """Creates the path.

        Args:
          decay: the share that is left of a dislike after each further element.
          seed: of the network's first weights.
          codes: None: the path has no further dimensions.
          has_network: whether it moves the query among the embeddings' own.
          name: of the layer.
        """
        super().__init__(name=name)
        self.codes = codes
        self._decay = decay
        self._seed = seed
        self._has_network = has_network

    def build(self, input_shape: tuple[tf.TensorShape, ...]) -> None:
        """Creates the network once the embedding dimension is known."""
        if self._has_network:
            dim = input_shape[0][-1]
            glorot = tf.keras.initializers.GlorotUniform
            small = tf.keras.initializers.RandomNormal(
                stddev=0.1 * (2 * dim) ** -0.5, seed=self._seed + 1
            )
            # No bias: an unknown item, whose embedding is zero, takes nothing away.
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

    def call(
        self, inputs: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
    ) -> tf.Tensor:
        """Returns what the query is moved by before each element and after the last.

        Args:
          inputs: item embedding [batch, length, dim] float32, zeros where unknown;
            row [batch, length] int32 of the item, -1 where unknown; strength
            [batch, length] float32 of the dislike, 0 where there is none; is_element
            [batch, length] bool, False: pad, which lets nothing fade.

        Returns:
          [batch, length + 1, dim + dimensions of the codes] float32.
        """
        item, row, strength, is_element = inputs
        away = self._by_network(item) if self._has_network else tf.zeros_like(item)
        if self.codes is not None:
            disliked = tf.where(strength != 0.0, row, -1)
            away = tf.concat([away, self.codes(disliked)], axis=-1)
        moved = tf.matmul(
            self._decay_weights(is_element),
            away * tf.where(is_element, strength, 0.0)[..., None],
        )
        return tf.pad(moved, [[0, 0], [1, 0], [0, 0]])

    def _by_network(self, item: tf.Tensor) -> tf.Tensor:
        hidden = tf.tanh(tf.tensordot(item, self._hidden, 1))
        away = tf.tensordot(hidden, self._output, 1)
        return away + tf.tensordot(item, self._direct, 1)

    def move(
        self,
        state: tf.Tensor,
        item: tf.Tensor,
        row: tf.Tensor,
        strength: tf.Tensor,
        is_element: tf.Tensor,
        user_control: tf.Tensor | float = 1.0,
    ) -> tf.Tensor:
        """Returns the queries after the path.

        Args:
          state: [batch, length + 1, dim] float32 before.
          item: [batch, length, dim] float32, which learns nothing from it.
          row: [batch, length] int32 of the items; -1: unknown.
          strength: [batch, length] float32 of each dislike.
          is_element: [batch, length] bool.
          user_control: multiplies the path.

        Returns:
          [batch, length + 1, dim + dimensions of the codes] float32.
        """
        away = user_control * self((tf.stop_gradient(item), row, strength, is_element))
        dim = state.shape[-1]
        query = state + away[..., :dim]
        if self.codes is None:
            return query
        return tf.concat([query, away[..., dim:]], axis=-1)

    def with_codes(self, embedding: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
        """Returns candidates as they are scored: their embeddings, then their codes.

        Args:
          embedding: [..., dim] float32.
          row: [...] int32; -1: unknown.

        Returns:
          [..., dim + dimensions of the codes] float32.
        """
        if self.codes is None:
            return embedding
        return tf.concat([embedding, self.codes.of(row)], axis=-1)

    def follows_dislike(self, strength: tf.Tensor, is_element: tf.Tensor) -> tf.Tensor:
        """Returns which labels follow a dislike that has not faded yet.

        Returns:
          [batch, length] bool.
        """
        strength = tf.where(is_element, strength, 0.0)
        remaining = tf.linalg.matvec(self._decay_weights(is_element), strength)
        return tf.pad(remaining, [[0, 0], [1, 0]])[:, :-1] >= _LEAST_STRENGTH

    def _decay_weights(self, is_element: tf.Tensor) -> tf.Tensor:
        """Returns [batch, length, length]: what remains of column j after row i."""
        number = tf.cumsum(tf.cast(is_element, tf.float32), axis=1)
        age = number[:, :, None] - number[:, None, :]
        place = tf.range(tf.shape(is_element)[1])
        is_past = place[:, None] >= place[None, :]
        share = tf.pow(tf.constant(self._decay), tf.maximum(age, 0.0))
        return tf.where(is_past[None], share, 0.0)


def build(
    table: candidates.CandidateTable,
    model: settings.ModelSettings,
    train: settings.TrainSettings,
) -> Avoidance:
    """Returns the path that a configuration asks for, untrained."""
    codes = None
    key = candidates.similar_set_key(table, train.similar_sets)
    if (key >= 0).any():
        codes = avoidance_codes.AvoidanceCodes(key, model.avoidance_code_dim)
    return Avoidance(
        model.avoidance_decay,
        train.seed + 300,
        codes,
        # What the codes cannot say: a resemblance that is no set.
        has_network=codes is None or train.similar_neighbours > 0,
    )
