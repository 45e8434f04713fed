"""The query tower: a causal encoder of the interaction history.

It returns the state before the first element, after the first, after the second and
so on, so that one pass trains every position of a window.
"""

from __future__ import annotations

import tensorflow as tf

from components.trainer.towers import dropout as dropout_layer
from components.trainer.towers import gru
from schema import settings


class ElementEncoder(tf.keras.layers.Layer):
    """Joins the embedding of the item with what the user did to it.

    The item embedding is also scaled, dimension by dimension, by the feedback: a
    dislike must be able to turn the item's direction round, which a sum cannot.
    """

    def __init__(self, width: int, dropout: float, seed: int):
        super().__init__(name="element_encoder")
        self._width = width
        self._dropout = dropout_layer.ResumableDropout(dropout, seed)
        self._seed = seed

    def build(self, input_shape: tuple[tf.TensorShape, tf.TensorShape]) -> None:
        """Creates the layers once the embedding dimension is known."""
        item_dim = input_shape[0][-1]
        glorot = tf.keras.initializers.GlorotUniform
        self._scale = tf.keras.layers.Dense(
            item_dim, activation="tanh", kernel_initializer=glorot(self._seed + 1)
        )
        self._project = tf.keras.layers.Dense(
            self._width, kernel_initializer=glorot(self._seed + 2)
        )
        super().build(input_shape)

    def call(
        self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns [batch, length, width] from ([.., embedding_dim], [.., features])."""
        item, features = inputs
        scaled = item * self._scale(features)
        joined = tf.concat([item, scaled, features], axis=-1)
        return self._dropout(self._project(joined), training=training)


class GruEncoder(tf.keras.layers.Layer):
    """Stacked GRUs; a masked position carries the state on."""

    def __init__(self, width: int, num_layers: int, mixed_precision: bool, seed: int):
        super().__init__(name="gru_encoder")
        self._mixed_precision = mixed_precision
        self._layers = [gru.Gru(width, seed + 2 * i) for i in range(num_layers)]

    def call(self, x: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the states [batch, length, width]."""
        for layer in self._layers:
            x = layer(x, mask, training and self._mixed_precision)
        return x


class QueryTower(tf.keras.layers.Layer):
    """History in, one query embedding before each element and after the last out."""

    def __init__(
        self,
        model: settings.ModelSettings,
        max_length: int,
        seed: int,
        mixed_precision: bool = False,
    ):
        """Takes what `train.mixed_precision` says: of training, and of a GRU, alone."""
        super().__init__(name="query_tower")
        self._max_length = max_length
        self._width = model.hidden_dim
        self._element_encoder = ElementEncoder(model.hidden_dim, model.dropout, seed)
        if model.query_tower == "gru":
            self._encoder = GruEncoder(
                model.hidden_dim, model.num_layers, mixed_precision, seed + 10
            )
        else:
            from components.trainer.towers import transformer

            self._encoder = transformer.TransformerEncoder(
                width=model.hidden_dim,
                num_layers=model.num_layers,
                num_heads=model.num_heads,
                max_positions=max_length + 1,
                dropout=model.dropout,
                seed=seed + 10,
            )
        self._output = tf.keras.layers.Dense(
            model.embedding_dim,
            kernel_initializer=tf.keras.initializers.GlorotUniform(seed + 50),
        )
        self._dropout = dropout_layer.ResumableDropout(model.dropout, seed + 51)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the input that stands before every history."""
        self._start = self.add_weight("start", (self._width,), initializer="zeros")
        super().build(input_shape)

    def call(
        self,
        item_embedding: tf.Tensor,
        features: tf.Tensor,
        visible: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Returns the query embeddings of all positions.

        Args:
          item_embedding: [batch, length, embedding_dim] float32.
          features: [batch, length, num_features] float32.
          visible: [batch, length] bool, False: pad or dropped element.
          training: whether dropout applies.

        Returns:
          [batch, length + 1, embedding_dim] float32; position p has seen the elements
          before p.
        """
        x = self._element_encoder((item_embedding, features), training=training)
        batch = tf.shape(x)[0]
        start = tf.broadcast_to(self._start, (batch, 1, self._width))
        x = tf.concat([start, x], axis=1)
        mask = tf.concat([tf.ones((batch, 1), tf.bool), visible], axis=1)
        states = self._encoder(x, mask=mask, training=training)
        return self._output(self._dropout(states, training=training))
