"""Dropout whose random state is a variable, so that a checkpoint holds it."""

from __future__ import annotations

import tensorflow as tf


class ResumableDropout(tf.keras.layers.Layer):
    """Inverted dropout; a resumed training draws what an undisturbed one would.

    The state behind Keras's own layer is lost with the process.
    """

    def __init__(self, rate: float, seed: int):
        """Takes the share of zeroed inputs, in [0, 1), and the generator's seed."""
        super().__init__()
        self._rate = rate
        self._generator = tf.random.Generator.from_seed(seed)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns `x`, in training with a share of it zeroed and the rest scaled."""
        if not training or self._rate == 0.0:
            return x
        keep = self._generator.uniform(tf.shape(x)) >= self._rate
        return tf.where(keep, x / (1.0 - self._rate), 0.0)
