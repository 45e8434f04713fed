"""Adam that touches only the rows of an embedding that a step has used."""

from __future__ import annotations

import tensorflow as tf


class LazyAdam(tf.keras.optimizers.Adam):
    """Adam; the moments of unused embedding rows stay as they are.

    Keras's Adam decays all rows' moments in every step, which costs time in proportion
    to the catalogue. Dense gradients are treated as Adam treats them.
    """

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable
    ) -> None:
        """Updates one variable; Keras has summed repeated indices already."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        step = tf.cast(self.iterations + 1, variable.dtype)
        index = self._index_dict[self._var_key(variable)]
        momentum, velocity = self._momentums[index], self._velocities[index]
        rows, values = gradient.indices, gradient.values
        beta_1 = tf.cast(self.beta_1, variable.dtype)
        beta_2 = tf.cast(self.beta_2, variable.dtype)
        m = beta_1 * tf.gather(momentum, rows) + (1.0 - beta_1) * values
        v = beta_2 * tf.gather(velocity, rows) + (1.0 - beta_2) * tf.square(values)
        momentum.scatter_update(tf.IndexedSlices(m, rows))
        velocity.scatter_update(tf.IndexedSlices(v, rows))
        unbias = tf.sqrt(1.0 - tf.pow(beta_2, step)) / (1.0 - tf.pow(beta_1, step))
        rate = tf.cast(self.learning_rate, variable.dtype) * unbias
        change = rate * m / (tf.sqrt(v) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(change, rows))
