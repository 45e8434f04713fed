"""A causal transformer encoder in the manner of SASRec.

Source: Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018.
"""

from __future__ import annotations

import tensorflow as tf

from components.trainer.towers import dropout as dropout_layer

_MASKED_SCORE = -1e9


class TransformerBlock(tf.keras.layers.Layer):
    """Pre-norm causal self-attention followed by a feed-forward layer."""

    def __init__(self, width: int, num_heads: int, dropout: float, seed: int):
        super().__init__()
        if width % num_heads:
            raise ValueError(
                f"`model.hidden_dim` must be a multiple of `model.num_heads`; got "
                f"{width} and {num_heads}"
            )
        glorot = tf.keras.initializers.GlorotUniform
        dense = tf.keras.layers.Dense
        self._num_heads = num_heads
        self._head_dim = width // num_heads
        self._width = width
        self._attention_norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self._qkv = dense(3 * width, kernel_initializer=glorot(seed))
        self._mix = dense(width, kernel_initializer=glorot(seed + 1))
        self._feed_norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self._expand = dense(
            2 * width, activation="gelu", kernel_initializer=glorot(seed + 2)
        )
        self._contract = dense(width, kernel_initializer=glorot(seed + 3))
        self._dropout = dropout_layer.ResumableDropout(dropout, seed + 4)

    def call(
        self, x: tf.Tensor, attends: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Returns [batch, length, width].

        Args:
          x: [batch, length, width].
          attends: [batch, length, length] bool, row: reader, column: read.
          training: whether dropout applies.
        """
        batch, length = tf.shape(x)[0], tf.shape(x)[1]
        qkv = self._qkv(self._attention_norm(x))
        qkv = tf.reshape(qkv, (batch, length, 3, self._num_heads, self._head_dim))
        query, key, value = tf.unstack(tf.transpose(qkv, (2, 0, 3, 1, 4)))
        scores = tf.matmul(query, key, transpose_b=True) * self._head_dim**-0.5
        scores = tf.where(attends[:, None], scores, _MASKED_SCORE)
        read = tf.matmul(tf.nn.softmax(scores, axis=-1), value)
        read = tf.reshape(
            tf.transpose(read, (0, 2, 1, 3)), (batch, length, self._width)
        )
        x += self._dropout(self._mix(read), training=training)
        fed = self._contract(self._expand(self._feed_norm(x)))
        return x + self._dropout(fed, training=training)


class TransformerEncoder(tf.keras.layers.Layer):
    """Positions, blocks, and a final norm."""

    def __init__(
        self,
        width: int,
        num_layers: int,
        num_heads: int,
        max_positions: int,
        dropout: float,
        seed: int,
    ):
        super().__init__(name="transformer_encoder")
        self._width = width
        self._max_positions = max_positions
        self._seed = seed
        self._blocks = [
            TransformerBlock(width, num_heads, dropout, seed + 10 * (i + 1))
            for i in range(num_layers)
        ]
        self._norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the position embeddings."""
        initializer = tf.keras.initializers.RandomNormal(stddev=0.02, seed=self._seed)
        self._position = self.add_weight(
            "position", (self._max_positions, self._width), initializer=initializer
        )
        super().build(input_shape)

    def call(self, x: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the states [batch, length, width].

        A masked position leaves no trace: nobody reads it, it takes no position number,
        and its state is that of the last position before it that is not masked.

        Args:
          x: [batch, length, width], length at most `max_positions`.
          mask: [batch, length] bool; position 0 must be True.
          training: whether dropout applies.
        """
        index = tf.range(tf.shape(x)[1])
        number = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1
        x += tf.gather(self._position, number)
        causal = index[None, :] <= index[:, None]
        attends = causal[None] & mask[:, None, :]
        for block in self._blocks:
            x = block(x, attends, training=training)
        last_visible = tf.searchsorted(
            number, tf.broadcast_to(number, tf.shape(number)), side="left"
        )
        return tf.gather(self._norm(x), last_visible, batch_dims=1)
